"""Checks of workers: what a connector is and says means the same in another process."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

from mapkeeper.model import Asset
from mapkeeper.plugin import Connector, Pace
from mapkeeper.testing.hiding import refuse_shown
from mapkeeper.testing.marks import marks, moved
from mapkeeper.testing.reading import misses, read
from mapkeeper.testing.trial import Refused, Trial, calling, carried

_RATE = 1e9
"""Requests a second: so many that nobody waits."""


@dataclass(frozen=True, slots=True)
class _Task:
    """What a worker is asked of an asset."""

    name: str
    asset: Asset
    resume: str | None
    due: tuple[bytes, ...]  # the rows that it should read from there


def it_pickles_before_it_is_opened(trial: Trial) -> None:
    """Another process gets a copy of the unopened connector with its pace, and assets as survey yielded them."""
    connector = trial.made()
    try:
        connector.pace = pace = Pace(_RATE)
    except AttributeError as error:
        raise Refused(f"its pace cannot be set ({type(error).__name__}); leave the dataclass unfrozen") from None
    copy = trial.copied(connector)
    if copy.pace.__getstate__() != pace.__getstate__():
        raise Refused("a pickled copy lost its pace; __getstate__ leaves out what was opened, and nothing else")
    refuse_shown(copy, " of a pickled copy")
    with trial.opened() as connector:
        assets = [carried(asset) for asset in trial.assets(connector).values()]
    # The worker never called survey: what read needs is in the handle.
    with trial.opened(copy, " of a pickled copy"):
        for asset in assets:
            rows, told = len(read(copy, asset).rows), trial.expect[asset.name]
            if told is not None and rows != told:
                raise Refused(
                    f"a pickled copy reads {rows:,} rows where {told:,} are expected; a worker does not call survey: "
                    "put what read needs in the handle"
                )


def it_goes_on_in_another_process(trial: Trial) -> None:
    """The marks are the same there, and reading goes on from a ``resume`` that was given here."""
    if not trial.processes or not trial.expect:
        return
    with trial.opened() as connector:
        assets = trial.assets(connector)
        told = marks(connector, assets)
        tasks = [_task(connector, name, asset) for name, asset in assets.items()]
    with trial.opened() as other:
        if moved(told, marks(other, assets)):
            told = {}  # they move here already: that is another check's
    marked, rests = _asked(pickle.dumps((trial.copied(), tasks)))
    if names := moved(told, marked):
        raise Refused(
            f"{names[0]!r} has another mark in another process; make it from the store alone: "
            "hash() and id() differ by process, and what this one remembers is not there"
        )
    for task, rest in zip(tasks, rests, strict=True):
        if rest != task.due:
            raise Refused(f"{task.name!r}, read on in another process from a batch's resume, {misses(task.due, rest)}")


def _task(connector: Connector, name: str, asset: Asset) -> _Task:
    """To go on from a point about the middle of the asset."""
    parts = read(connector, asset).parts
    points = [number for number, part in enumerate(parts) if part.resume is not None]
    if not points:
        return _Task(name, carried(asset), None, tuple(row for part in parts for row in part.rows))
    at = points[len(points) // 2]
    return _Task(name, carried(asset), parts[at].resume, tuple(row for part in parts[at + 1 :] for row in part.rows))


def _asked(pickled: bytes) -> tuple[dict[str, str | None], list[tuple[bytes, ...]]]:
    try:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            return pool.submit(_answers, pickled).result()
    except Refused as refusal:
        raise Refused(str(refusal)) from None
    except BrokenProcessPool:
        raise Refused(
            "another process ended before it answered; call accept from a test, or below if __name__ == '__main__'"
        ) from None


def _answers(pickled: bytes) -> tuple[dict[str, str | None], list[tuple[bytes, ...]]]:
    """What a worker says, which knows nothing else."""
    try:
        connector, tasks = pickle.loads(pickled)  # noqa: S301 - our own bytes
    except Exception as error:
        raise Refused(
            f"another process cannot unpickle the connector ({type(error).__name__}); define its class in a module "
            "that can be imported there"
        ) from None
    with calling("open in another process"):
        connector.open()
    try:
        marked = marks(connector, {task.name: task.asset for task in tasks})
        return marked, [tuple(read(connector, task.asset, None, task.resume).rows) for task in tasks]
    finally:
        with calling("close in another process"):
            connector.close()
