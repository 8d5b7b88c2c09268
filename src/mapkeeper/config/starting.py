"""Makes a workspace, and a client's file with its key."""

from __future__ import annotations

import json
import secrets
from importlib.resources import files
from pathlib import Path

from mapkeeper.config.files import ClientEntry
from mapkeeper.config.workspace import FILE_NAME
from mapkeeper.errors import ConfigurationError


def start(folder: Path, name: str, country: str) -> list[Path]:
    """Make a workspace with commented examples, and the provider as a client of its own.

    Returns what was written. Raises ConfigurationError where there is a workspace already.
    """
    if (folder / FILE_NAME).exists():
        raise ConfigurationError(f"{folder / FILE_NAME} is there already; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    main = folder / FILE_NAME
    main.write_text(_template("mapkeeper.toml").format(name=json.dumps(name), country=_column(country)), "utf-8")
    return [main, *add_client(folder, "provider", name, country, own=True)]


def add_client(folder: Path, id: str, name: str, country: str, *, own: bool = False) -> list[Path]:
    """Write a client's file and make its key: 32 random bytes in hexadecimal, readable by its owner only.

    Returns what was written. Raises ConfigurationError where the client or its key is there already.
    """
    ClientEntry(id=id, name=name, country=country, key="env:X")
    path, key = folder / "clients" / f"{id}.toml", folder / "keys" / f"{id}.key"
    for taken in (path, key):
        if taken.exists():
            raise ConfigurationError(f"{taken} is there already; nothing was written")
    path.parent.mkdir(exist_ok=True)
    key.parent.mkdir(mode=0o700, exist_ok=True)
    key.touch(mode=0o600)
    key.write_text(secrets.token_hex(32) + "\n", "ascii")
    text = _template("client.toml").format(
        id=json.dumps(id),
        name=json.dumps(name),
        country=_column(country),
        key=json.dumps(f"file:keys/{id}.key"),
        own="own = true                              # your own data: you are its controller\n" if own else "",
    )
    path.write_text(text, "utf-8")
    return [path, key]


def _template(name: str) -> str:
    return files("mapkeeper.config").joinpath("templates", name).read_text("utf-8")


def _column(country: str) -> str:
    return json.dumps(country).ljust(6)
