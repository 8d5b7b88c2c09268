"""Checks of reading by a plan: limits, the gap that owns up to them, and samples that are what they claim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from mapkeeper.model import Asset
from mapkeeper.plugin import Connector, ReadPlan
from mapkeeper.testing.reading import Reading, read
from mapkeeper.testing.trial import Refused, Trial

_ENOUGH = 20
"""Rows an asset must have for a sample of a quarter to tell anything."""

_SEEDS = range(1, 9)


def a_plan_is_kept(trial: Trial) -> None:
    """Reading stops at a limit, and says so with one BUDGET gap, or has read all, and says nothing."""
    with trial.opened() as connector:
        for name, asset in trial.assets(connector).items():
            whole = read(connector, asset)
            _refuse_other_than(
                name, whole, read(connector, asset, ReadPlan(rows=len(whole.rows) + 1)), "a limit beyond its rows"
            )
            limit = max(1, len(whole.rows) // 4)
            some = read(connector, asset, ReadPlan(rows=limit))
            if sum(len(part.rows) for part in some.parts[:-1]) >= limit:
                raise Refused(f"{name!r} was read on after the plan's {limit:,} rows were reached; stop there")
            if len(whole.rows) >= _ENOUGH and len(some.rows) == len(whole.rows):
                raise Refused(
                    f"{name!r} was read wholly, {len(whole.rows):,} rows, by a plan of {limit:,}; "
                    "cut the batch to what the plan leaves"
                )
            _refuse_unowned(name, whole, some)
            size = sum(part.bytes for part in whole.parts)
            if size:
                some = read(connector, asset, ReadPlan(bytes=max(1, size // 4)))
                if sum(part.bytes for part in some.parts[:-1]) >= max(1, size // 4):
                    raise Refused(f"{name!r} was read on after the plan's bytes were reached; stop there")
                _refuse_unowned(name, whole, some)


def a_sample_is_drawn_as_it_says(trial: Trial) -> None:
    """The same seed draws the same sample; a random one differs by seed, comes from all over and row by row."""
    tried = False
    with trial.opened() as connector:
        for name, asset in trial.assets(connector).items():
            whole = read(connector, asset)
            if len(whole.rows) < _ENOUGH:
                continue
            tried = True
            plan = ReadPlan(rows=len(whole.rows) // 4, seed=7)
            if read(connector, asset, plan) != read(connector, asset, plan):
                raise Refused(f"{name!r} yields another sample with the same seed; draw with random.Random(plan.seed)")
            _refuse_false_claim(name, whole, list(_samples(connector, asset, plan.rows)))
    if not tried and trial.expect:
        raise Refused(
            f"no expected asset has {_ENOUGH} rows or more, so that no sample can be tried; fill one with more"
        )


def _samples(connector: Connector, asset: Asset, rows: int | None) -> Iterator[Reading]:
    for seed in _SEEDS:
        yield read(connector, asset, ReadPlan(rows=rows, seed=seed))


def _refuse_other_than(name: str, whole: Reading, other: Reading, by: str) -> None:
    if sorted(other.rows) != sorted(whole.rows):
        raise Refused(f"{name!r} yields {len(other.rows):,} rows by {by} where it has {len(whole.rows):,}")
    if other.budget_gaps:
        raise Refused(f"{name!r} yields a BUDGET gap by {by} although nothing is left out")


def _refuse_unowned(name: str, whole: Reading, some: Reading) -> None:
    """Refuse a reading by a plan whose gap and method do not say whether something was left out."""
    if len(some.rows) < len(whole.rows):
        if some.budget_gaps != 1:
            raise Refused(f"{name!r} was read in part and yields {some.budget_gaps} BUDGET gaps; yield one, at the end")
        if any(part.method == "all" for part in some.parts):
            raise Refused(f"{name!r} was read in part, yet a batch's method is 'all'; say how its rows were chosen")
    else:
        _refuse_other_than(name, whole, some, "a plan that leaves nothing out")
    if stray := len(set(some.rows) - set(whole.rows)):
        raise Refused(f"{name!r} yields {stray:,} rows by a plan that it does not yield otherwise")


def _refuse_false_claim(name: str, whole: Reading, samples: Sequence[Reading]) -> None:
    """Refuse samples that are called random, or spread, and are not.

    What is refused here is all but impossible by chance: a quarter drawn at random eight times over.
    """
    place = {row: number for number, row in enumerate(whole.rows)}
    if len(place) < len(whole.rows) * 0.9:
        return  # too many rows are alike to tell where one comes from
    drawn = [sorted(place[row] for row in sample.rows if row in place) for sample in samples]
    parts = [part for sample in samples for part in sample.parts]
    random = bool(parts) and all(part.random for part in parts)
    if any(len(set(numbers)) < len(numbers) for numbers in drawn):
        raise Refused(f"a sample of {name!r} holds rows twice; draw without putting back")
    if any(part.method != "head" for part in parts) and all(numbers[-1:] < [len(place) // 2] for numbers in drawn):
        raise Refused(f"samples of {name!r} never reach its second half; draw from all over, or call the method 'head'")
    if not random:
        return
    if all(numbers == drawn[0] for numbers in drawn):
        raise Refused(f"samples of {name!r} claim to be random and are the same whatever the seed; use plan.seed")
    pairs = [b - a for numbers in drawn for a, b in pairwise(numbers)]
    if sum(gap == 1 for gap in pairs) > 0.9 * len(pairs):
        raise Refused(f"samples of {name!r} claim to be random and are runs of neighbours; set random to False")
