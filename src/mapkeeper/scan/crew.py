"""The crew: examines many assets, in this process or in several, and hands back each result as it comes.

Little work is done here, without the seconds that a new process needs to load the rules. A process that dies
costs the asset that killed it, as a gap, and no other.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import active_children, get_context, parent_process
from threading import Thread

from mapkeeper import discover
from mapkeeper.classify import Engine
from mapkeeper.errors import SourceError
from mapkeeper.model import Asset, AssetResult, Depth, Gap, Reason
from mapkeeper.plugin import Connector
from mapkeeper.scan.examine import SAMPLE_BYTES, Question, examine
from mapkeeper.scan.ledger import Ledger
from mapkeeper.scan.opening import guarded

WORTH_A_PROCESS = 32 << 20
"""Bytes to read from which on new processes pay for their start (about 3 s each on two cores)."""

_THREADS = "POLARS_MAX_THREADS"

Beat = Callable[[str, int], None]
"""Called now and then, with the name of the asset (or "") and the bytes of it that were read since."""


@dataclass(frozen=True, slots=True)
class Job:
    """One asset to examine."""

    asset: Asset
    question: Question
    name: str  # of the asset, as it may be shown

    @property
    def bytes(self) -> int:
        """How much there is to read, at the most; a guess where the source does not tell."""
        size = self.asset.bytes if self.asset.bytes is not None else 1 << 20
        return size if self.question.depth is Depth.FULL else min(size, SAMPLE_BYTES)


class Crew:
    """Examines assets of one source with up to so many processes."""

    def __init__(self, engine: Engine, workers: int, fresh: Callable[[], Connector]) -> None:
        """``fresh`` makes another connector of the same source, not yet open."""
        self._engine = engine
        self._workers = workers
        self._fresh = fresh

    def work(self, connector: Connector, jobs: Sequence[Job], beat: Beat) -> Iterator[tuple[int, AssetResult]]:
        """Examine every job; yields its number and its result, in the order in which they get done.

        Args:
            connector: Open; used where the work is done in this process.
            jobs: What to examine.
            beat: Called at least every few seconds while there is work.
        """
        if min(self._workers, len(jobs)) < 2 or sum(job.bytes for job in jobs) < WORTH_A_PROCESS:
            for number, job in enumerate(jobs):
                yield number, examine(connector, self._engine, job.asset, job.question, partial(beat, job.name))
            return
        left = dict(enumerate(jobs))
        while left:
            # Where somebody died, all that was begun is lost: each of that gets a process of its own.
            for number in (yield from self._pool(left, self._workers, beat)):
                job = left.pop(number)
                results = list(self._pool({number: job}, 1, beat))
                yield results[0] if results else (number, _crashed(job.asset, "the process that read it died"))

    def _pool(
        self, left: dict[int, Job], workers: int, beat: Beat
    ) -> Generator[tuple[int, AssetResult], None, Sequence[int]]:
        """What processes get done, taken out of ``left``; returns what was begun when one of them died."""
        waiting = iter(list(left))
        begun: dict[Future[AssetResult], int] = {}
        pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (self._fresh(),))
        try:
            while True:
                for number in itertools.islice(waiting, 2 * workers - len(begun)):
                    with _one_thread_each():
                        begun[pool.submit(_work, left[number])] = number
                if not begun:
                    return ()
                done, _ = wait(begun, timeout=2, return_when=FIRST_COMPLETED)
                beat("", 0)
                for future in done:
                    result = _result(future, left[begun[future]])
                    number = begun.pop(future)
                    beat(left.pop(number).name, result.coverage.bytes_read)
                    yield number, result
        except BrokenProcessPool:
            return list(begun.values()) or list(left)[:1]
        except BaseException:  # Ctrl-C: nobody waits until a large file is read to its end
            for process in active_children():
                process.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _result(future: Future[AssetResult], job: Job) -> AssetResult:
    """What became of a job; an asset that cannot be handed to a process, or its result back, is a gap."""
    try:
        return future.result()
    except BrokenProcessPool:
        raise
    except Exception as error:
        return _crashed(job.asset, f"{type(error).__name__} between processes")


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that begin now get one thread for Polars, which reads this once: the crew is the parallelism."""
    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_THREADS]
        else:
            os.environ[_THREADS] = before


def _crashed(asset: Asset, says: str) -> AssetResult:
    ledger = Ledger(asset)
    ledger.lost(Gap(Reason.CRASHED, says=says))
    return AssetResult(asset, (), (), ledger.close())


_own: tuple[Connector, Engine] | SourceError | None = None
"""What this process reads and classifies with, where it is one of a crew."""


def _start(connector: Connector) -> None:
    global _own
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started the crew
    Thread(target=_end_with_the_scan, daemon=True).start()
    try:
        with guarded():
            connector.open()
        _own = connector, Engine(discover.rules())
    except SourceError as error:
        _own = error


def _end_with_the_scan() -> None:
    """A scan that is killed cannot end its processes: they see to it themselves."""
    if (scan := parent_process()) is not None:
        scan.join()
        os._exit(1)


def _work(job: Job) -> AssetResult:
    if isinstance(_own, SourceError):
        ledger = Ledger(job.asset)
        ledger.lost(Gap(_own.reason, says=str(_own)))
        return AssetResult(job.asset, (), (), ledger.close())
    assert _own is not None
    connector, engine = _own
    return examine(connector, engine, job.asset, job.question)
