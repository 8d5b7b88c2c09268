"""Checks of pace: how many requests reading takes is said beforehand, and each is taken from the pace."""

from __future__ import annotations

from mapkeeper.plugin import Pace, ReadPlan
from mapkeeper.testing.reading import read
from mapkeeper.testing.trial import Refused, Trial, calling


class _Counted(Pace):
    """A pace that counts and does not slow down."""

    taken = 0

    def requests(self, count: int = 1) -> None:
        self.taken += count


def requests_are_counted_and_paced(trial: Trial) -> None:
    """``requests`` is a count, or None; where it is one, reading takes its requests from the pace."""
    connector = trial.made()
    connector.pace = pace = _Counted()
    with trial.opened(connector):
        for name, asset in trial.assets(connector).items():
            for plan in (ReadPlan(rows=10, bytes=1_000), ReadPlan()):
                with calling("requests"):
                    count: object = connector.requests(asset, plan)
                if count is None:
                    continue
                if type(count) is not int or count < 0:
                    raise Refused(
                        f"requests returned a {type(count).__name__}{' below 0' * isinstance(count, int)}; "
                        "return about how many, or None where reading is not done by requests"
                    )
                before = pace.taken
                read(connector, asset, plan)
                if count and pace.taken == before:
                    raise Refused(
                        f"reading {name!r} takes requests, says requests, and takes none from the pace; "
                        "call self.pace.requests() before each, or let requests return None"
                    )
