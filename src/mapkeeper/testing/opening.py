"""Checks of opening and closing: again and again, and where there is no store."""

from __future__ import annotations

from mapkeeper.model import Asset, Reason
from mapkeeper.plugin import Connector, ReadPlan
from mapkeeper.testing.reading import Reading, events, read
from mapkeeper.testing.trial import Refused, Trial, calling, source_error


def it_opens_and_closes_again(trial: Trial) -> None:
    """A connector that was closed can be opened again, as after a lost connection, and reads the same as before."""
    connector = trial.made()
    first, readings = _told(trial, connector, "once")
    second, readings_again = _told(trial, connector, "a second time")
    if second != first:
        raise Refused("survey does not list the same assets when opened a second time; open must start anew")
    for name, reading in readings.items():
        if readings_again[name] != reading:
            raise Refused(
                f"{name!r} yields other rows or gaps when opened a second time; let close forget all that it read"
            )


def a_missing_store_is_a_source_error(trial: Trial) -> None:
    """A store that is not there is told by open, as a SourceError; close works afterwards."""
    if trial.missing is None:
        return
    with calling("making a connector of a missing store"):
        connector = trial.missing()
    try:
        connector.open()
    except Exception as error:
        source_error(error, "open of a missing store", {Reason.UNREACHABLE, Reason.DENIED, Reason.MISSING})
    else:
        raise Refused("open of a missing store raised nothing; raise SourceError there, not later")
    finally:
        with calling("close after a failed open"):
            connector.close()


def _told(trial: Trial, connector: Connector, times: str) -> tuple[dict[str, Asset], dict[str, Reading]]:
    """The readable assets and their readings; of each one more reading is begun and given up."""
    with trial.opened(connector, f" of a connector opened {times}"):
        assets = trial.assets(connector)
        readings = {name: read(connector, asset) for name, asset in assets.items()}
        for asset in assets.values():
            for _ in events(connector, asset, ReadPlan()):
                break  # as when a scan is interrupted
    return assets, readings
