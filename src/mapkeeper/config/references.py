"""Secrets stay out of configuration files: ``env:NAME`` and ``file:PATH`` are looked up as late as possible."""

from __future__ import annotations

import os
from pathlib import Path

from mapkeeper.errors import ConfigurationError


def resolve(text: str, folder: Path, where: str) -> str:
    """What a reference stands for, without surrounding white space; any other text stands for itself.

    Args:
        text: ``env:NAME``, ``file:PATH`` (relative to ``folder``) or anything else.
        folder: The workspace.
        where: File and key, for the error.

    Raises:
        ConfigurationError: the variable or file is not there; never tells what was found.
    """
    kind, _, name = text.partition(":")
    if kind == "env":
        if not name.isidentifier():
            raise ConfigurationError(f"{where}: what follows env: is no name of a variable; put the secret into one")
        if not (value := os.environ.get(name, "").strip()):
            raise ConfigurationError(f"{where}: environment variable {name} is not set")
        return value
    if kind == "file":
        try:
            return (folder / name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise ConfigurationError(f"{where}: there is no {_shown(name, folder)}") from None
        except (OSError, ValueError):  # ValueError: not UTF-8, or a NUL in the path
            raise ConfigurationError(f"{where}: {_shown(name, folder)} cannot be read") from None
    return text


def _shown(name: str, folder: Path) -> str:
    """The file as an error may call it: somebody may have put the secret itself where its path belongs."""
    path = folder / name
    return f"file {name}" if "/" in name and "\0" not in name and path.parent.is_dir() else "such file"
