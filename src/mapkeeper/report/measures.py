"""The record's part on technical and organisational measures: what is declared, and what the stores tell."""

from __future__ import annotations

from mapkeeper.model import CellState, Fact
from mapkeeper.report.columns import cell, law
from mapkeeper.report.holding import Holding, asset_evidence
from mapkeeper.report.record import NONE, UNSAID, Evidence, RecordView, Row, Section, Value
from mapkeeper.report.retention import tells_time
from mapkeeper.report.wording import counted

_NO_MEASURES = frozenset(
    {"country", "region", "operator"}  # a place
    | {"owner", "definer", "reader"}  # names of people, or of roles that may be called after people
    | {"definition", "comment", "foreign_key", "foreign_server", "partitions", "partition_key", "materialized"}
    | {"engine", "collation", "objects", "storage_classes", "unanswered", "website"}  # what it is, not how it is kept
)


def measures(holding: Holding, view: RecordView) -> Section:
    """The measures of the provider, those of activities that differ, and facts beside them."""
    provider = (Evidence("declaration", "mapkeeper.toml: provider.measures"),)
    rows = [Row("Everything the provider does", (cell("toms", view, _declared(holding.provider.measures, provider)),))]
    for activity in holding.file.activity:
        if activity.measures is not None:
            told = holding.declares(f"activity {activity.id}: measures")
            rows.append(Row(activity.name, (cell("toms", view, _declared(activity.measures, told)),)))
    if facts := _facts(holding):
        rows.append(Row("As the stores tell", (cell("toms", view, facts),)))
    return Section("measures", "Technical and organisational measures", law("toms", view), tuple(rows))


def says(fact: Fact) -> str:
    """A fact in words: "public: no"."""
    value = ("no", "yes")[fact.value] if isinstance(fact.value, bool) else fact.value
    return f"{fact.name.replace('_', ' ')}: {value}"


def is_measure(fact: Fact) -> bool:
    """Whether a fact is about protection: neither place nor age, and names nobody."""
    return fact.name not in _NO_MEASURES and not tells_time(fact) and fact.value is not None


def _declared(listed: tuple[str, ...] | None, told: tuple[Evidence, ...]) -> list[Value]:
    if listed is None:
        return [UNSAID]
    return [Value(text, CellState.DECLARED, None, told) for text in listed or (NONE,)]


def _facts(holding: Holding) -> list[Value]:
    told: dict[str, list[Evidence]] = {}
    for asset in holding.assets:
        for fact in asset.facts:
            if is_measure(fact):
                told.setdefault(says(fact), []).append(asset_evidence(asset))
    return [
        Value(text, CellState.OBSERVED, counted(len(evidence), "asset"), tuple(evidence))
        for text, evidence in sorted(told.items())
    ]
