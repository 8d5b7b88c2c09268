"""Checks of rows: that all come, once, in bounded batches, at their positions, also when a reading is resumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from mapkeeper.model import Asset
from mapkeeper.plugin import Batch, Connector, Divisible, Gap, Lookup, ReadPlan
from mapkeeper.testing.reading import Reading, events, misses, read, read_stretch, refuse_strangers
from mapkeeper.testing.trial import Refused, Trial, calling, carried, source_error

_RESUMES = 12
"""Resume points to try of an asset."""


def read_yields_what_lies_there(trial: Trial) -> None:
    """All expected rows, the same ones each time, with a gap for whatever cannot be read and no other."""
    with trial.opened() as connector:
        for name, asset in trial.assets(connector).items():
            whole, told = read(connector, asset), trial.expect[name]
            if told is not None and len(whole.rows) != told:
                raise Refused(f"{name!r} yields {len(whole.rows):,} rows where {told:,} are expected")
            if whole.budget_gaps:
                raise Refused(f"{name!r} yields a BUDGET gap although no limit was set")
            if any(part.method != "all" for part in whole.parts):
                raise Refused(f"{name!r} was read without a limit, yet a batch's method is not 'all'")
            if read(connector, asset) != whole:
                raise Refused(f"{name!r} yields other rows, batches or gaps when it is read again unchanged")
    for name in trial.unreadable:
        _refuse_silence(trial, name)


def positions_point_to_their_rows(trial: Trial) -> None:
    """No position is given twice, and a row of a sample has the position that it has in the whole."""
    with trial.opened() as connector:
        for name, asset in trial.assets(connector).items():
            whole = read(connector, asset)
            given = [position for part in whole.parts for position in part.positions or ()]
            if len(set(given)) < len(given) or any(number < 1 for *_, number in given):
                raise Refused(f"rows of {name!r} share a position, or have one below 1; count rows from 1, by member")
            at = dict(_placed(whole))
            some = read(connector, asset, ReadPlan(rows=max(1, len(whole.rows) // 4), seed=1))
            if any(at.get(position, row) != row for position, row in _placed(some)):
                raise Refused(f"a sample of {name!r} gives rows a position that is another row's in the whole")


def reading_goes_on_where_it_stopped(trial: Trial) -> None:
    """Reading on from a batch's ``resume``, by the same plan, gives exactly what came after that batch.

    Another connector does it, which was pickled and saw no survey, as after a worker died.
    """
    with trial.opened() as connector:
        for asset in trial.assets(connector).values():
            whole = read(connector, asset)
            _refuse_other_rest(trial, asset, ReadPlan(), whole)
            plan = ReadPlan(rows=max(1, len(whole.rows) // 4), seed=3)
            _refuse_other_rest(trial, asset, plan, read(connector, asset, plan))


def stretches_make_up_the_whole(trial: Trial) -> None:
    """A connector that answers ``stretch`` yields by stretches what it yields at once, none of it twice.

    A stretch whose end is told, and one that is read on from a batch's ``resume``, end there.
    """
    with trial.opened() as connector:
        if not isinstance(connector, Divisible):
            return
        for name, asset in trial.assets(connector).items():
            whole = read(connector, asset)
            for size in (1, max(1, (asset.bytes or 0) // 3)):
                stretches = list(_stretches(trial, asset, size))
                if (rows := [row for one in stretches for row in one.rows]) != whole.rows:
                    raise Refused(f"{name!r}, read by stretches, {misses(whole.rows, rows)}")
                if [at for one in stretches for at, _ in _placed(one)] != [at for at, _ in _placed(whole)]:
                    raise Refused(f"{name!r}, read by stretches, gives rows other positions than read does")
                gaps = sum((_counted(one.gaps) for one in stretches), Counter[object]())
                if gaps != _counted(whole.gaps):
                    raise Refused(f"{name!r}, read by stretches, has other gaps than read does")


def lookup_finds_its_rows_and_no_others(trial: Trial) -> None:
    """A connector that answers ``lookup`` yields the rows whose field equals the value, all of them."""
    with trial.opened() as connector:
        if not isinstance(connector, Lookup):
            return
        for name, asset in trial.assets(connector).items():
            batches = [event.data for event in events(connector, asset, ReadPlan()) if isinstance(event, Batch)]
            if (sought := _some_text(batches)) is None:
                continue
            field, value = sought
            with calling("lookup"):
                found = list(connector.lookup(asset, field, [value]))
            for batch in found:
                refuse_strangers(batch)
            cells = list(_cells((batch.data for batch in found), field))
            if any(cell != value for cell in cells):
                raise Refused(f"lookup in {name!r} yields rows whose field does not equal the value")
            there = sum(cell == value for cell in _cells(batches, field))
            if len(cells) != there:
                raise Refused(f"lookup in {name!r} yields {len(cells):,} rows where {there:,} equal the value")


def _refuse_other_rest(trial: Trial, asset: Asset, plan: ReadPlan, former: Reading) -> None:
    """Refuse a reading that does not go on as the former one did, each time with a new connector."""
    points = [number for number, part in enumerate(former.parts) if part.resume is not None]
    for number in points[:: max(1, len(points) // _RESUMES)]:
        with trial.opened(trial.copied()) as connector:
            rest = read(connector, carried(asset), plan, former.parts[number].resume).rows
        due = [row for part in former.parts[number + 1 :] for row in part.rows]
        if rest != due:
            raise Refused(f"{asset.name!r}, read on from a batch's resume, {misses(due, rest)}")


def _stretches(trial: Trial, asset: Asset, size: int) -> Iterator[Reading]:
    """The stretches of an asset, each read by another connector, and told its end the second time."""
    start: str | None = None
    while True:
        with trial.opened(trial.copied()) as connector:
            assert isinstance(connector, Divisible)
            cuts, found = read_stretch(connector, carried(asset), start, size)
            yield found
            if not cuts:
                return
            if len(cuts) > 1:
                raise Refused(f"a stretch of {asset.name!r} yields {len(cuts)} cuts; it ends at one place")
            for again in [start, *(part.resume for part in found.parts[:1] if part.resume is not None)]:
                more, rest = read_stretch(connector, asset, again, size, cuts[0])
                due = found.rows if again == start else [row for part in found.parts[1:] for row in part.rows]
                if more or rest.rows != due:
                    raise Refused(f"a stretch of {asset.name!r} whose end is told {misses(due, rest.rows)}")
        start = cuts[0]


def _counted(gaps: Sequence[Gap]) -> Counter[object]:
    return Counter({(gap.reason, gap.says): gap.count for gap in gaps})


def _refuse_silence(trial: Trial, name: str) -> None:
    """Refuse an asset that cannot be read and says nothing of it."""
    with trial.opened() as connector:
        with calling("survey"):
            asset = next((asset for asset in connector.survey() if asset.name == name), None)
        if asset is None or asset.gap is not None:
            return  # the survey is another check's
        try:
            spoke = any(not isinstance(event, Batch) for event in _passing(connector, asset))
        except Refused:
            raise
        except Exception as error:
            source_error(error, f"read of {name!r}, which cannot be read,")
            spoke = True
        if not spoke:
            raise Refused(f"{name!r} cannot be read, yet reading it yields no Gap and raises no SourceError")


def _passing(connector: Connector, asset: Asset) -> Iterator[object]:
    for event in connector.read(asset, ReadPlan()):
        refuse_strangers(event)
        yield event


def _placed(reading: Reading) -> Iterator[tuple[Any, bytes]]:
    for part in reading.parts:
        yield from zip(part.positions or (), part.rows, strict=False)


def _some_text(batches: Sequence[pa.RecordBatch]) -> tuple[str, str] | None:
    """A field and a text that stands in it."""
    for batch in batches:
        for field, column in zip(batch.schema.names, batch.columns, strict=True):
            for cell in column.to_pylist():
                if isinstance(cell, str) and cell:
                    return field, cell
    return None


def _cells(batches: Any, field: str) -> Iterator[Any]:
    for batch in batches:
        if field in batch.schema.names:
            yield from batch.column(field).to_pylist()
