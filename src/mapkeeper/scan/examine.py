"""Reads one asset and classifies it. Values live here, and die here."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from mapkeeper.classify import Engine, Judgement
from mapkeeper.errors import InventoryError, SourceError
from mapkeeper.model import Asset, AssetResult, Depth, Fact, Gap, Reason
from mapkeeper.plugin import Batch, Connector, ReadPlan
from mapkeeper.scan.ledger import Ledger

SAMPLE_ROWS = 10_000
SAMPLE_BYTES = 16 << 20

_NOT_OURS = (KeyboardInterrupt, SystemExit, InventoryError)
"""What ends a scan; anything else costs one asset, also the panic of a library in Rust, which is no `Exception`."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an asset."""

    depth: Depth
    domains: tuple[str, ...] = ()  # the client's own, to tell its staff from others
    reveal: int = 0  # distinct true values to hand back a finding; only for inspect


def plan(asset: Asset, depth: Depth) -> ReadPlan:
    """How much to read. The seed hangs on the asset's id, so that a rescan of the same data draws the same."""
    if depth is Depth.FULL:
        return ReadPlan()
    seed = zlib.crc32(f"{asset.namespace} {asset.dataset}".encode(errors="surrogatepass"))
    return ReadPlan(rows=SAMPLE_ROWS, bytes=SAMPLE_BYTES, seed=seed)


def examine(
    connector: Connector,
    engine: Engine,
    asset: Asset,
    question: Question,
    progress: Callable[[int], None] = lambda _: None,
) -> AssetResult:
    """Read an asset as far as asked and classify what was read; names in the result are still as read.

    Whatever goes wrong is a gap of this asset, never an error: the scan goes on with the next.

    Args:
        connector: Open.
        engine: The rules.
        asset: As the connector's survey yielded it.
        question: How much to read, and what to hand back.
        progress: Called with the bytes read since the last call.
    """
    ledger = Ledger(asset)
    classification = engine.start(asset.name, client_domains=question.domains, reveal=question.reveal)
    judged = Judgement((), ())
    mark: str | None = None
    facts: tuple[Fact, ...] = ()
    if asset.gap is None:
        try:
            mark = connector.mark(asset)  # before reading: what changes meanwhile is read again next time
            facts = tuple(connector.facts(asset))
            for event in connector.read(asset, plan(asset, question.depth)):
                if isinstance(event, Batch):
                    event.data.validate(full=True)  # what counts the cells trusts its input, down to the last byte
                    classification.add(event)
                    ledger.read(event)
                    progress(event.bytes)
                else:
                    ledger.lost(event)
        except _NOT_OURS:
            raise
        except BaseException as error:
            ledger.lost(_lost(error))
    try:
        judged = classification.finish()
    except _NOT_OURS:
        raise
    except BaseException as error:
        ledger.lost(_lost(error))
    return AssetResult(asset, judged.fields, judged.findings, ledger.close(), facts, mark, judged.values)


def _lost(error: BaseException) -> Gap:
    """What an error costs. That of a plug-in must not cost the scan, and its text may quote values."""
    if isinstance(error, SourceError):
        return Gap(error.reason, says=str(error))
    if isinstance(error, MemoryError):
        return Gap(Reason.TOO_LARGE, says="needs more memory than there is")
    return Gap(Reason.CRASHED, says=f"{type(error).__name__} while reading")
