"""The words that names, goods and messages are made of: ``words.toml`` beside this module."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def words() -> dict[str, Any]:
    """The whole table; not to be changed."""
    return tomllib.loads(files("mapkeeper.demo").joinpath("words.toml").read_text(encoding="utf-8"))
