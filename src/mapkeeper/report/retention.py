"""The record's part on retention: how long each category is kept, and what age the stores tell."""

from __future__ import annotations

from mapkeeper.config.files import ActivityEntry
from mapkeeper.model import CellState, Fact
from mapkeeper.report.columns import cell, law
from mapkeeper.report.comparison import Compared
from mapkeeper.report.holding import Holding, asset_evidence
from mapkeeper.report.personal_data import compare_categories, stands_for
from mapkeeper.report.record import NONE, NOT_DECLARED, UNSAID, RecordView, Row, Section, Value
from mapkeeper.report.wording import category, counted, duration

_OF_TIME = ("oldest", "newest", "modified", "retention", "lifecycle", "ttl", "age")


def tells_time(fact: Fact) -> bool:
    """Whether a fact is about age or retention."""
    return any(word in fact.name.split("_") for word in _OF_TIME)


def retention(holding: Holding, view: RecordView) -> Section:
    """One row a category."""
    rows = []
    for one in compare_categories(holding):
        if one.word in (NONE, NOT_DECLARED):
            continue
        cells = (
            cell("retention_declared", view, _declared(holding, one)),
            cell("retention_observed", view, _observed(holding, one)),
        )
        rows.append(Row(category(one.word), cells))
    if not rows:
        nothing = Value(NOT_DECLARED, CellState.MISSING, "no category is declared or was observed")
        rows.append(
            Row("Everything", (cell("retention_declared", view, [nothing]), cell("retention_observed", view, [])))
        )
    return Section("retention", "How long it is kept", law("retention_declared", view), tuple(rows), table=True)


def _declared(holding: Holding, one: Compared) -> list[Value]:
    """What each activity that holds the category says of it; "default" counts where nothing nearer does."""
    values = []
    for activity in holding.file.activity:
        if not _holds(activity, one):
            continue
        keys = [key for key in activity.retention if key != "default" and stands_for(key, one.word)]
        key = max(keys, key=len, default="default")
        if (told := activity.retention.get(key)) is None:
            values.append(Value(NOT_DECLARED, CellState.MISSING, activity.name))
            continue
        note = activity.name if key == one.word else f"{activity.name}, as {key}"
        evidence = holding.declares(f"activity {activity.id}: retention.{key}")
        values.append(Value(duration(told), CellState.DECLARED, note, evidence))
    return values or [UNSAID]


def _holds(activity: ActivityEntry, one: Compared) -> bool:
    """Whether a category is the activity's: it lists it, or lists none of its own and works on its sources."""
    if activity.categories is not None:
        return any(stands_for(key, one.word) or stands_for(one.word, key) for key in activity.categories)
    return not one.findings or not activity.sources or any(found.source in activity.sources for found in one.findings)


def _observed(holding: Holding, one: Compared) -> list[Value]:
    """What the stores tell of the age of the assets with the category: the oldest, the newest, rules they follow."""
    where = {(found.source, found.asset) for found in one.findings}
    told: dict[str, set[str]] = {}
    evidence = []
    for asset in holding.assets:
        facts = [fact for fact in asset.facts if tells_time(fact) and fact.value is not None]
        if facts and (asset.source, asset.name) in where:
            evidence.append(asset_evidence(asset))
            for fact in facts:
                told.setdefault(fact.name, set()).add(str(fact.value))
    if not told:
        return []
    ends = {"oldest": min, "newest": max}
    texts = [
        f"{name.replace('_', ' ')} {ends[name](seen) if name in ends else ', '.join(sorted(seen))}"
        for name, seen in sorted(told.items(), key=lambda one: (one[0] not in ends, one[0] != "oldest", one[0]))
    ]
    note = f"as the store tells of {counted(len(evidence), 'asset')}"
    return [Value(", ".join(texts), CellState.OBSERVED, note, tuple(evidence))]
