"""Checks of manners towards a source: nothing is written to it, and what vanished is told, not made up."""

from __future__ import annotations

from contextlib import suppress

from mapkeeper.model import Asset, Reason
from mapkeeper.plugin import Batch, Connector, ReadPlan
from mapkeeper.testing.reading import read, refuse_strangers
from mapkeeper.testing.trial import Refused, Trial, calling, source_error


def it_only_reads(trial: Trial) -> None:
    """The store is the same after everything was asked of it."""
    if trial.fingerprint is None:
        return
    before = trial.fingerprint()
    with suppress(Refused), trial.opened() as connector:  # what else is wrong is for other checks to say
        for asset in trial.assets(connector).values():
            with calling("mark and facts"):
                connector.mark(asset)
                list(connector.facts(asset))
            read(connector, asset)
            read(connector, asset, ReadPlan(rows=5))
        with calling("flows"):
            list(connector.flows())
        with calling("check"):
            list(connector.check())
        with calling("stores"):
            list(connector.stores())
    if trial.fingerprint() != before:
        raise Refused("the store is not as it was before it was read; leave no file, table or lock of your own in it")


def an_asset_that_vanished_is_a_gap(trial: Trial) -> None:
    """What is gone between survey and read is told by a Gap or a SourceError, and nothing is made up."""
    if trial.vanish is None or not trial.expect:
        return
    name = next(iter(trial.expect))
    with trial.opened() as connector:
        asset = trial.assets(connector)[name]
    trial.vanish(name)
    with calling("making the connector"):
        connector = trial.make()
    try:
        connector.open()
    except Exception as error:  # the store may have gone with its only asset
        source_error(error, "open of a store whose asset vanished")
        return
    try:
        for ask in (connector.mark, connector.facts):
            try:
                list(ask(asset) or ())
            except Exception as error:
                source_error(error, f"{ask.__name__} of an asset that vanished")
        spoke = _speaks(connector, asset)
    finally:
        with calling("close"):
            connector.close()
    if not spoke:
        raise Refused("reading an asset that vanished yields no Gap and raises no SourceError; it would pass for empty")


def _speaks(connector: Connector, asset: Asset) -> bool:
    """Whether reading an asset that vanished says that something is amiss."""
    spoke = False
    try:
        for event in connector.read(asset, ReadPlan()):
            refuse_strangers(event)
            if not isinstance(event, Batch):
                spoke |= event.reason is not Reason.BUDGET
            elif event.data.num_rows:
                raise Refused("reading an asset that vanished yields rows; read them from the store each time")
    except Refused:
        raise
    except Exception as error:
        source_error(error, "read of an asset that vanished")
        return True
    return spoke
