"""The crew: examines many assets, in this process or in several, and hands back each result as it comes.

Little work is done here, without the seconds that a new process needs to load the rules. Otherwise every worker is a
process that reads one asset at a time and reports every few seconds: how far it came, and now and then a rest. One
that is silent for too long or takes too much memory is ended. That, like a death of its own, costs the asset it was
at, as a gap behind its last rest, and no other.

A large asset that is read wholly is divided where its connector can do that: whoever reads it says early where its
stretch ends, and the next free worker goes on there. That is done with one worker as with many, so that the results
are the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass

from mapkeeper.model import AssetResult, Depth, Gap, Reason
from mapkeeper.plugin import Connector, Divisible
from mapkeeper.scan.budget import USED_UP, Budget
from mapkeeper.scan.engines import Engines
from mapkeeper.scan.examine import LEG, Examination, Leg, Line, Rest, conclude, unread
from mapkeeper.scan.hand import DIED, Hand, Job, Task
from mapkeeper.scan.ledger import Ledger
from mapkeeper.scan.whole import Whole

WORTH_A_PROCESS = 32 << 20
"""Bytes to read from which on new processes pay for their start (about 3 s each on two cores)."""

STRETCH = 32 << 20
"""Bytes of a large asset that a worker reads before another may go on: a second's work, and two are worth it."""

_LOOK = 0.5  # seconds between two looks at the workers
_STARTS = 3  # workers in a row that die before they can work, until no more are started
_NO_WORKER = Gap(Reason.CRASHED, says="no process to read it could be started")

Beat = Callable[[str, int], None]
"""Called now and then, with the name of the asset (or "") and the bytes of it that were read since."""

Keep = Callable[[int, Rest], None]
"""Called with the number of a job and how far it came; the rest changes when its reading goes on."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What workers are held to."""

    workers: int = 1
    timeout: float = 300.0  # seconds without a sign of life
    memory: int = 1 << 30  # resident bytes


class Crew:
    """Examines assets of one source."""

    def __init__(self, engines: Engines, terms: Terms, fresh: Callable[[], Connector]) -> None:
        """``fresh`` makes another connector of the same source, not yet open."""
        self._engines = engines
        self._terms = terms
        self._fresh = fresh

    def work(
        self,
        connector: Connector,
        jobs: Sequence[Job],
        beat: Beat,
        keep: Keep = lambda number, rest: None,
        budget: Budget | None = None,
    ) -> Iterator[tuple[int, AssetResult]]:
        """Examine every job; yields its number and its result, in the order in which they get done.

        Args:
            connector: Open; used where the work is done in this process.
            jobs: What to examine.
            beat: Called at least every few seconds while there is work.
            keep: Takes the rests of large assets; after a result, that of an asset that is to be read on.
            budget: What is left of the source's; what is behind its end is a gap.
        """
        budget = budget or Budget()
        waiting = deque[Task]()
        for number, job in enumerate(jobs):
            if job.asset.gap is None:
                waiting.append(_task(number, job, connector))
            else:
                yield number, unread(job.asset, None)
        if sum(task.job.bytes for task in waiting) < WORTH_A_PROCESS:
            yield from self._here(connector, waiting, beat, keep, budget)
        else:
            yield from self._elsewhere(waiting, beat, keep, budget)
        while waiting:
            task = waiting.popleft()
            leg = self._given_up(task, USED_UP if budget.spent() else _NO_WORKER)
            yield from self._came(task, leg, keep, waiting)

    def _given_up(self, task: Task, gap: Gap) -> Leg:
        """What is left of a task that nobody can go on with: what was counted up to its last rest."""
        job, rest = task.job, task.rest
        if task.whole is not None:
            return Leg(rest=rest, part=rest or Rest("", None, (), Ledger()), short=True, gap=gap)
        result = conclude(self._engines[job.client], job.asset, job.question, rest, gap)
        return Leg(rest=rest, result=result)

    def _here(
        self, connector: Connector, waiting: deque[Task], beat: Beat, keep: Keep, budget: Budget
    ) -> Iterator[tuple[int, AssetResult]]:
        line = Line(connector, up=True)
        while waiting and not budget.spent():
            task = waiting.popleft()
            job, engine = task.job, self._engines[task.job.client]
            examination = Examination(line, engine, job.asset, job.question, task.rest)
            while True:
                leg = examination.go(LEG, budget.rows, budget.bytes)
                beat(task.job.name, leg.bytes)
                budget.spend(leg.rows, leg.bytes)
                if leg.result is None and budget.spent():
                    leg = examination.stop(USED_UP)
                yield from self._came(task, leg, keep, waiting)
                if leg.result is not None:
                    break

    def _elsewhere(
        self, waiting: deque[Task], beat: Beat, keep: Keep, budget: Budget
    ) -> Iterator[tuple[int, AssetResult]]:
        hands: list[Hand] = []
        most = min(self._terms.workers, sum(task.pieces for task in waiting))
        failed = 0
        try:
            while True:
                while len(hands) < min(most, _work(waiting, hands)):
                    if failed >= _STARTS or budget.spent():
                        break
                    try:
                        hands.append(Hand(self._fresh(), most, self._engines))
                    except OSError:  # no more processes to be had
                        failed += 1
                if not hands:
                    break
                busy = [hand for hand in hands if not hand.idle]
                wait([hand.future for hand in busy], timeout=_LOOK, return_when=FIRST_COMPLETED)
                beat("", 0)
                for hand in busy:
                    if not hand.future.done():
                        hand.watch(self._terms.timeout, self._terms.memory)
                        continue
                    task, leg = hand.task, hand.done()
                    if hand.dead:
                        hands.remove(hand)
                        hand.close()
                        failed = 0 if task is not None else failed + 1
                    if task is None:
                        hand.wait()
                        continue
                    if isinstance(leg, Gap):
                        if leg is DIED and not task.died:
                            task.died = True  # what killed the process may have been meant for another
                            waiting.appendleft(task)
                            hand.wait()
                            continue
                        leg = self._given_up(task, leg)
                    beat(task.job.name, leg.bytes)
                    budget.spend(leg.rows, leg.bytes)
                    yield from self._came(task, leg, keep, waiting)
                    if leg.result is not None or leg.part is not None:
                        hand.wait()
                    elif budget.spent():
                        hand.stop()
                    else:
                        hand.go_on(budget.share(len(hands)))
                for hand in [hand for hand in hands if hand.idle]:
                    if waiting and not budget.spent():
                        hand.begin(waiting.popleft(), budget.share(len(hands)))
                    elif budget.spent() or len(hands) > _work(waiting, hands):
                        hands.remove(hand)
                        hand.close()
        finally:
            for hand in hands:  # Ctrl-C: nobody waits until a large file is read to its end
                hand.kill()
            for hand in hands:
                hand.close()

    def _came(self, task: Task, leg: Leg, keep: Keep, waiting: deque[Task]) -> Iterator[tuple[int, AssetResult]]:
        """Hand on what came of a leg: the result first, as whoever records it lets go of the rests before it."""
        if leg.cut is not None:
            waiting.appendleft(_behind(task, leg.cut))
        if (whole := task.whole) is not None and leg.part is not None:
            whole.take(task.place, leg)
            yield from self._joined(task, whole, keep, waiting)
            return
        if leg.result is not None:
            yield task.number, leg.result
        if leg.rest is not None:
            task.rest = leg.rest
            if task.place == 0:
                keep(task.number, leg.rest)

    def _joined(self, task: Task, whole: Whole, keep: Keep, waiting: deque[Task]) -> Iterator[tuple[int, AssetResult]]:
        """What can be handed on now that a stretch is over."""
        if whole.broken:
            for other in [other for other in waiting if other.whole is whole and other is not task]:
                waiting.remove(other)
                whole.drop()
        if not whole.over:
            if (rest := whole.to_keep()) is not None:
                keep(task.number, rest)
            return
        rest = whole.to_go_on()
        yield task.number, whole.result(self._engines[task.job.client], task.job.asset)
        if rest is not None:
            keep(task.number, rest)


def _task(number: int, job: Job, connector: Connector) -> Task:
    """The first that is to be done of a job."""
    pieces = job.bytes // STRETCH if job.question.depth is Depth.FULL and isinstance(connector, Divisible) else 1
    return Task(number, job, job.rest, pieces=max(1, pieces), size=STRETCH if pieces > 1 else None)


def _behind(task: Task, cut: str) -> Task:
    """What is to be done behind a task, now that it is known to be a stretch and where it ends."""
    if task.whole is None:
        task.whole = Whole(task.job.question)
        task.whole.begin()
    pieces, task.pieces, task.end = max(1, task.pieces - 1), 1, cut
    size = None if task.whole.wide else task.size
    rest = Rest(cut, None, (), Ledger())
    return Task(task.number, task.job, rest, pieces=pieces, size=size, whole=task.whole, place=task.whole.begin())


def _work(waiting: Sequence[Task], hands: Sequence[Hand]) -> int:
    """How many workers there is work for, as far as can be seen."""
    tasks = [*waiting, *(hand.task for hand in hands if hand.task is not None)]
    return sum(task.pieces for task in tasks)
