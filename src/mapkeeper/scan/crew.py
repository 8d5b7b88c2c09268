"""The crew: examines many assets, in this process or in several, and hands back each result as it comes.

Little work is done here, without the seconds that a new process needs to load the rules. Otherwise every worker is a
process that reads one asset at a time and reports every few seconds: how far it came, and now and then a rest. One
that is silent for too long or takes too much memory is ended. That, like a death of its own, costs the asset it was
at, as a gap behind its last rest, and no other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass

from mapkeeper.classify import Engine
from mapkeeper.model import AssetResult, Gap, Reason
from mapkeeper.plugin import Connector
from mapkeeper.scan.budget import USED_UP, Budget
from mapkeeper.scan.examine import LEG, Examination, Leg, Line, Rest, conclude, unread
from mapkeeper.scan.hand import DIED, Hand, Job, Task

WORTH_A_PROCESS = 32 << 20
"""Bytes to read from which on new processes pay for their start (about 3 s each on two cores)."""

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

    def __init__(self, engine: Engine, terms: Terms, fresh: Callable[[], Connector]) -> None:
        """``fresh`` makes another connector of the same source, not yet open."""
        self._engine = engine
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
                waiting.append(Task(number, job, job.rest))
            else:
                yield number, unread(job.asset, None)
        if sum(task.job.bytes for task in waiting) < WORTH_A_PROCESS:
            yield from self._here(connector, waiting, beat, keep, budget)
        else:
            yield from self._elsewhere(waiting, beat, keep, budget)
        for task in waiting:
            result = self._conclude(task, USED_UP if budget.spent() else _NO_WORKER)
            yield from self._came(task, Leg(rest=task.rest, result=result), keep)

    def _conclude(self, task: Task, gap: Gap) -> AssetResult:
        return conclude(self._engine, task.job.asset, task.job.question, task.rest, gap)

    def _here(
        self, connector: Connector, waiting: deque[Task], beat: Beat, keep: Keep, budget: Budget
    ) -> Iterator[tuple[int, AssetResult]]:
        line = Line(connector, up=True)
        while waiting and not budget.spent():
            task = waiting.popleft()
            examination = Examination(line, self._engine, task.job.asset, task.job.question, task.rest)
            while True:
                leg = examination.go(LEG, budget.rows, budget.bytes)
                beat(task.job.name, leg.bytes)
                budget.spend(leg.rows, leg.bytes)
                if leg.result is None and budget.spent():
                    leg = examination.stop(USED_UP)
                yield from self._came(task, leg, keep)
                if leg.result is not None:
                    break

    def _elsewhere(
        self, waiting: deque[Task], beat: Beat, keep: Keep, budget: Budget
    ) -> Iterator[tuple[int, AssetResult]]:
        hands: list[Hand] = []
        most = min(self._terms.workers, len(waiting))
        failed = 0
        try:
            while True:
                while len(hands) < most and len(hands) < len(waiting) + sum(hand.task is not None for hand in hands):
                    if failed >= _STARTS or budget.spent():
                        break
                    try:
                        hands.append(Hand(self._fresh(), most))
                    except OSError:  # no more processes to be had
                        failed += 1
                if not hands:
                    break
                wait([hand.future for hand in hands], timeout=_LOOK, return_when=FIRST_COMPLETED)
                beat("", 0)
                for hand in list(hands):
                    if not hand.future.done():
                        hand.watch(self._terms.timeout, self._terms.memory)
                        continue
                    task, leg = hand.task, hand.done()
                    if hand.dead:
                        hands.remove(hand)
                        hand.close()
                        failed = 0 if task is not None else failed + 1
                    if isinstance(leg, Gap):
                        if task is None:
                            continue
                        if leg is DIED and not task.died:
                            task.died = True  # what killed the process may have been meant for another
                            waiting.appendleft(task)
                            continue
                        leg = Leg(rest=task.rest, result=self._conclude(task, leg))
                    if task is not None:
                        beat(task.job.name, leg.bytes)
                        budget.spend(leg.rows, leg.bytes)
                        yield from self._came(task, leg, keep)
                    if hand.dead:
                        continue
                    if task is not None and leg.result is None and budget.spent():
                        hand.stop()
                    elif task is not None and leg.result is None:
                        hand.go_on(budget.share(len(hands)))
                    elif waiting and not budget.spent():
                        hand.begin(waiting.popleft(), budget.share(len(hands)))
                    else:
                        hands.remove(hand)
                        hand.close()
        finally:
            for hand in hands:  # Ctrl-C: nobody waits until a large file is read to its end
                hand.kill()
            for hand in hands:
                hand.close()

    def _came(self, task: Task, leg: Leg, keep: Keep) -> Iterator[tuple[int, AssetResult]]:
        """Hand on what came of a leg: the result first, as whoever records it lets go of the rests before it."""
        if leg.result is not None:
            yield task.number, leg.result
        if leg.rest is not None:
            task.rest = leg.rest
            keep(task.number, leg.rest)
