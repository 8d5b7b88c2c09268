"""The table of ends of life: dated, sourced, and found by any version of a series."""

from __future__ import annotations

import datetime as dt
from importlib.resources import files

import pytest

from mapkeeper_connectors.sql import end_of_life


@pytest.mark.parametrize(
    ("product", "version", "end"),
    [
        ("postgresql", (18, 6), dt.date(2030, 11, 14)),
        ("postgresql", (14,), dt.date(2026, 11, 12)),
        ("postgresql", (9, 6, 24), dt.date(2021, 11, 11)),
        ("mariadb", (10, 11, 19), dt.date(2028, 2, 16)),
        ("mariadb", (11, 4), dt.date(2029, 5, 29)),
        ("mysql", (8, 0, 46), dt.date(2026, 4, 30)),
    ],
)
def test_a_version_has_the_end_of_its_series(product: str, version: tuple[int, ...], end: dt.date) -> None:
    assert end_of_life.of(product, version) == end


@pytest.mark.parametrize(
    ("product", "version"), [("postgresql", (9, 99)), ("mariadb", (10,)), ("mysql", ()), ("oracle", (19,))]
)
def test_what_the_table_does_not_list_is_unknown(product: str, version: tuple[int, ...]) -> None:
    assert end_of_life.of(product, version) is None


def test_the_table_names_its_sources_and_the_day_it_was_looked_up() -> None:
    text = files("mapkeeper_connectors.sql").joinpath("end_of_life.csv").read_text(encoding="utf-8")
    head = "".join(line for line in text.splitlines() if line.startswith("#"))
    assert f"As of {end_of_life.AS_OF.isoformat()}" in head
    assert all(site in head for site in ("postgresql.org", "mariadb.org", "oracle.com"))
    assert {product for product, _ in end_of_life.ends()} == {"postgresql", "mariadb", "mysql"}
    assert len(end_of_life.ends()) == sum(line[:1].isalpha() for line in text.splitlines()) - 1  # none stands twice
