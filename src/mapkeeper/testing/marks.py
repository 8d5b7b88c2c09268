"""Checks of marks: the same while the contents are, whoever asks and whatever was read; another when they changed."""

from __future__ import annotations

from collections.abc import Mapping

from mapkeeper.model import Asset
from mapkeeper.plugin import Connector
from mapkeeper.testing.reading import read
from mapkeeper.testing.trial import Refused, Trial, calling

Marks = Mapping[str, str | None]
"""By name of asset."""


def a_mark_moves_with_the_contents_only(trial: Trial) -> None:
    """The mark of an unchanged asset is the same each time; that of a changed one is another."""
    connector = trial.made()
    with trial.opened(connector):
        assets = trial.assets(connector)
        before = marks(connector, assets)
        if moved(before, marks(connector, assets)):
            raise Refused(
                "the mark of an unchanged asset changed; make it from the contents' own state, not from the time"
            )
        for asset in assets.values():
            read(connector, asset)
        if names := moved(before, marks(connector, assets)):
            raise Refused(
                f"reading {names[0]!r} changes its mark; leave out what reading moves, as the time of last access"
            )
    if names := moved(before, _anew(trial, connector)):
        raise Refused(f"{names[0]!r} has another mark when opened a second time; make it from the store alone")
    if names := moved(before, _anew(trial, trial.copied())):
        raise Refused(
            f"{names[0]!r} has another mark by a second connector of the same settings; make it from the store alone"
        )
    if trial.change is None or not trial.expect:
        return
    name = next(iter(trial.expect))
    trial.change(name)
    after = _anew(trial, trial.made())
    if after.get(name) is not None and after.get(name) == before[name]:
        raise Refused("the mark of a changed asset is the same; return None where the store cannot tell")


def marks(connector: Connector, assets: Mapping[str, Asset]) -> dict[str, str | None]:
    """The mark of each asset."""
    told: dict[str, str | None] = {}
    for name, asset in assets.items():
        with calling("mark"):
            mark: object = connector.mark(asset)
        if not isinstance(mark, str | None):
            raise Refused(f"mark returned a {type(mark).__name__}; return text, or None")
        told[name] = mark
    return told


def moved(before: Marks, after: Marks) -> list[str]:
    """The assets whose mark is another; None tells nothing, neither then nor now."""
    return [name for name, mark in before.items() if mark is not None and after.get(name) not in (mark, None)]


def _anew(trial: Trial, connector: Connector) -> dict[str, str | None]:
    with trial.opened(connector):
        return marks(connector, trial.assets(connector))
