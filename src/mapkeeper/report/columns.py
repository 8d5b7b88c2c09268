"""What the cells of the record are called and which item of the law asks for them: the table ``columns.csv``."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from mapkeeper.report.record import Cell, RecordView, Value


def article(view: RecordView) -> str:
    """The article that a view answers."""
    return "GDPR Art. 30(1)" if view is RecordView.CONTROLLER else "GDPR Art. 30(2)"


def law(key: str, view: RecordView) -> str | None:
    """The item that asks for a cell: "GDPR Art. 30(2)(a), where applicable"; ``None`` where none does."""
    row = _table()[key]
    if not (item := row[view.value]):
        return None
    return f"{article(view)}({item})" + (f", {row['when']}" if row["when"] else "")


def cell(key: str, view: RecordView, values: Iterable[Value]) -> Cell:
    """A cell under its title."""
    return Cell(key, _table()[key]["title"], law(key, view), tuple(values))


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    text = files("mapkeeper.report").joinpath("columns.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["key"]: row for row in rows}
