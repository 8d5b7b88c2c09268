"""Lists of words that checks ask for: ``words.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def words(name: str) -> frozenset[str]:
    """A list of ``words.toml``."""
    return frozenset(tomllib.loads(files("mapkeeper_classifiers").joinpath("words.toml").read_text("utf-8"))[name])
