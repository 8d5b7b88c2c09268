"""The demo's configuration and keys: the TOML files of ``workspace/`` with their dates filled in."""

from __future__ import annotations

import datetime as dt
import os
import re
import secrets
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

_DATE = re.compile(r"\{day(?P<offset>[+-]\d+)?\}")  # {day-120}: so many days before the day of the demo


def write(folder: Path, day: dt.date) -> None:
    """Write ``mapkeeper.toml``, ``clients/*.toml``, and a new key of its own for each client."""

    def date(found: re.Match[str]) -> str:
        return (day + dt.timedelta(days=int(found["offset"] or 0))).isoformat()

    def fill(template: Traversable, to: Path) -> None:
        to.write_text(_DATE.sub(date, template.read_text(encoding="utf-8")), encoding="utf-8")

    templates = files("mapkeeper.demo") / "workspace"
    (folder / "clients").mkdir(parents=True)
    (folder / "keys").mkdir()
    (folder / "keys").chmod(0o700)
    fill(templates / "mapkeeper.toml", folder / "mapkeeper.toml")
    for template in sorted((templates / "clients").iterdir(), key=lambda entry: entry.name):
        fill(template, folder / "clients" / template.name)
        key = folder / "keys" / f"{template.name.removesuffix('.toml')}.key"
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{secrets.token_hex(32)}\n")
