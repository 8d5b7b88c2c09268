"""Questions put to the map. So far: the table of what a concern can be about."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from mapkeeper.model import ConcernRule, Grade


@cache
def concern_rules() -> Mapping[str, ConcernRule]:
    """Every kind of concern by its ``PD-`` id, in the order of the table."""
    table = tomllib.loads(files("mapkeeper.assess").joinpath("concerns.toml").read_text(encoding="utf-8"))
    rules = {row["id"]: ConcernRule(**{**row, "grade": Grade[row["grade"].upper()]}) for row in table["concern"]}
    return MappingProxyType(rules)
