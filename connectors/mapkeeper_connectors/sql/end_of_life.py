"""The day on which a server's version is no longer mended by its makers: published facts, in a table with its date.

The table is ``end_of_life.csv`` beside this module; its head names the sources.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

AS_OF = dt.date(2026, 11, 23)
"""When the table was looked up."""

Series = tuple[str, tuple[int, ...]]
"""A product and the numbers of a series: ``("mariadb", (10, 11))``, ``("postgresql", (18,))``."""


def of(product: str, version: tuple[int, ...]) -> dt.date | None:
    """The end of life of a version of ``postgresql``, ``mariadb`` or ``mysql``; ``None``: the table does not know."""
    table = ends()
    return table.get((product, version[:2])) or table.get((product, version[:1]))


@cache
def ends() -> Mapping[Series, dt.date]:
    """The whole table."""
    text = files("mapkeeper_connectors.sql").joinpath("end_of_life.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return MappingProxyType({_series(row): dt.date.fromisoformat(row["end"]) for row in rows})


def _series(row: Mapping[str, str]) -> Series:
    return row["product"], tuple(map(int, row["series"].split(".")))
