"""Checks of access: what a scan needs, tried and written down for whoever grants it."""

from __future__ import annotations

from collections.abc import Iterable
from unittest.mock import patch

from mapkeeper.plugin import Access, Connector
from mapkeeper.testing.hiding import refuse_secrets
from mapkeeper.testing.trial import Refused, Trial, calling, place


def check_tries_and_reads_nothing(trial: Trial) -> None:
    """What a scan needs is tried as soon as the source is open, each thing is told as Access, nothing is read."""
    with trial.opened() as connector:
        tried = list(_tried(connector))
        with calling("survey"):
            sound = not trial.unreadable and all(asset.gap is None for asset in connector.survey())
    for one in tried:
        refuse_secrets(connector, "check", f"{one.needs} {one.says}")
    refused = sum(one.needed and one.granted is False for one in tried)
    if refused and sound and trial.expect:
        raise Refused(
            f"check says of {refused} needs that they are not granted, yet everything can be read; leave out what a "
            "scan does not need, set needed to False where it only knows less without"
        )


def rights_are_told_without_opening(trial: Trial) -> None:
    """The least rights are text to paste, told before anything was granted: the connector is not open."""
    connector = trial.made()
    try:
        rights: object = connector.rights()
    except Exception as error:
        raise Refused(
            f"rights raised {type(error).__name__} at {place(error)} while not open; "
            "tell them from the settings alone, or return None"
        ) from None
    if rights is None:
        return
    if not isinstance(rights, str) or not rights.strip():
        raise Refused(f"rights returned a {type(rights).__name__} without text; return what can be pasted, or None")
    refuse_secrets(connector, "rights", rights)


def _tried(connector: Connector) -> Iterable[Access]:
    with patch.object(type(connector), "read", autospec=True) as read:
        try:
            tried: Iterable[object] = list(connector.check())
        except Exception as error:
            raise Refused(
                f"check raised {type(error).__name__} at {place(error)}; yield an Access that is not granted for what "
                "is refused, and try the rest"
            ) from None
    if read.called:
        raise Refused(
            "check reads an asset; try what can be tried without, and set granted to None where only reading would tell"
        )
    for one in tried:
        if not isinstance(one, Access):
            raise Refused(f"check yielded a {type(one).__name__}; yield Access only")
        if not str(one.needs or "").strip():
            raise Refused("an Access does not say what it needs; set needs to the right, and what it is on")
        if one.granted not in (True, False, None):
            raise Refused("an Access is granted True, False, or None where only reading would tell")
        yield one
