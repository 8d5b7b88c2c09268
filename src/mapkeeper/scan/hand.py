"""A hand of the crew: a process that examines one asset at a time, and what runs in it."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
from time import monotonic

import psutil

from mapkeeper.model import Asset, Depth, Gap, Reason
from mapkeeper.plugin import Connector
from mapkeeper.scan.budget import USED_UP
from mapkeeper.scan.engines import Engines
from mapkeeper.scan.examine import LEG, SAMPLE_BYTES, Examination, Leg, Line, Question, Rest, Span
from mapkeeper.scan.whole import Whole

DIED = Gap(Reason.CRASHED, says="the process that read it died")

_START = 120.0  # seconds that a process may take to start, on a busy machine
_THREADS = "POLARS_MAX_THREADS"


@dataclass(frozen=True, slots=True)
class Job:
    """One asset to examine."""

    asset: Asset
    question: Question
    name: str  # of the asset, as it may be shown
    client: str | None = None  # whose rules hold
    rest: Rest | None = None  # where an earlier scan came to

    @property
    def bytes(self) -> int:
        """How much there is to read, at the most; a guess where the source does not tell."""
        size = self.asset.bytes if self.asset.bytes is not None else 1 << 20
        return size if self.question.depth is Depth.FULL else min(size, SAMPLE_BYTES)


@dataclass(slots=True)
class Task:
    """A job on its way, or a stretch of one."""

    number: int
    job: Job
    rest: Rest | None = None  # the last
    died: bool = False  # a process that was at it
    pieces: int = 1  # stretches that there may be from here on
    size: int | None = None  # bytes of a stretch; None: it is not divided
    end: str | None = None  # where the stretch ends, once that is known
    whole: Whole | None = None  # what it is a stretch of, once that is known
    place: int = 0  # among the stretches

    @property
    def span(self) -> Span:
        """Which stretch it is."""
        return Span(self.size, self.end, first=self.place == 0)


class Hand:
    """A worker, as the crew has it. It has one thing to do at a time, first of all to start."""

    def __init__(self, connector: Connector, among: int, engines: Engines) -> None:
        """``connector`` is not yet open; ``among`` so many hands its pace is shared."""
        connector.pace = connector.pace.shared(among)
        self.task: Task | None = None
        self.dead = False
        self.idle = False
        self._ended: Gap | None = None  # why it was ended
        self._pool = ProcessPoolExecutor(1, get_context("spawn"), _start, (connector, engines))
        before = set(active_children())
        with _one_thread_each(), _deaf_to_ctrl_c():
            self.future: Future[Leg] = self._pool.submit(Leg)
        (self._process,) = set(active_children()) - before
        self._since = monotonic()

    def begin(self, task: Task, share: tuple[float, float]) -> None:
        """Read an asset; no more rows and bytes at a time than this share of the budget."""
        self.task, self.idle = task, False
        self._submit(_begin, task.job, task.rest, task.span, *share)

    def wait(self) -> None:
        """Have nothing to do for now."""
        self.task, self.idle = None, True

    def go_on(self, share: tuple[float, float]) -> None:
        """Read on."""
        self._submit(_go_on, *share)

    def stop(self) -> None:
        """Read no further."""
        self._submit(_stop)

    def _submit(self, function: Callable[..., Leg], *arguments: object) -> None:
        self._since = monotonic()
        try:
            self.future = self._pool.submit(function, *arguments)
        except BrokenProcessPool as broken:  # it died while it had nothing to do
            self.future = Future()
            self.future.set_exception(broken)

    def done(self) -> Leg | Gap:
        """What came of what it had to do, or why nothing did."""
        if self._ended is not None:
            self.dead = True
            return self._ended
        try:
            return self.future.result()
        except BrokenProcessPool:
            self.dead = True
            return DIED
        except Exception as error:  # the asset cannot be handed to a process, or its result back
            return Gap(Reason.CRASHED, says=f"{type(error).__name__} between processes")

    def watch(self, timeout: float, memory: int) -> None:
        """End it where it gave no sign of life for so many seconds, or takes more bytes than that."""
        if self.task is None:
            timeout = max(timeout, _START)
        if monotonic() - self._since > timeout:
            self._ended = Gap(Reason.TIMEOUT, says=f"no sign of life for {timeout:g} seconds")
        elif self._resident() > memory:
            self._ended = Gap(Reason.TOO_LARGE, says=f"takes more than {memory >> 20} MiB of memory")
        if self._ended is not None:
            self.kill()

    def _resident(self) -> int:
        try:
            resident: int = psutil.Process(self._process.pid).memory_info().rss
        except psutil.Error:  # it is about to be gone
            return 0
        return resident

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def close(self) -> None:
        """Have the process let go of its source, and wait until it is gone."""
        with suppress(BrokenProcessPool):
            self._pool.submit(_hang_up)
        self._pool.shutdown(wait=True)


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


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that begin now never hear Ctrl-C, which is for whoever started the crew."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_own: tuple[Line, Engines] | None = None
"""What this process reads and classifies with, where it is a hand."""

_at_work: Examination | None = None
"""What this process is at."""


def _start(connector: Connector, engines: Engines) -> None:
    global _own
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as it was not heard from the beginning
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    _fall_silent()
    Thread(target=_end_with_the_scan, daemon=True).start()
    line = Line(connector, up=False)  # opened with the first asset, so that it can say why that failed
    gc.disable()
    engines.prepare()
    gc.freeze()  # rules and engines stay as long as the process does: nothing in them is ever rubbish
    gc.enable()
    _own = line, engines


def _fall_silent() -> None:
    """All that a hand has to say is in its results: what libraries print or log by themselves may quote values."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _end_with_the_scan() -> None:
    """A scan that is killed cannot end its processes: they see to it themselves."""
    if (scan := parent_process()) is not None:
        scan.join()
        os._exit(1)


def _begin(job: Job, rest: Rest | None, span: Span, rows: float, bytes: float) -> Leg:
    global _at_work
    assert _own is not None
    line, engines = _own
    _at_work = Examination(line, engines[job.client], job.asset, job.question, rest, span)
    return _go_on(rows, bytes)


def _go_on(rows: float, bytes: float) -> Leg:
    assert _at_work is not None
    return _at_work.go(LEG, rows, bytes)


def _hang_up() -> None:
    if _own is not None:
        with suppress(Exception):  # what was read is read
            _own[0].connector.close()


def _stop() -> Leg:
    assert _at_work is not None
    return _at_work.stop(USED_UP)
