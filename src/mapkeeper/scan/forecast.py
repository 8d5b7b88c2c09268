"""The forecast: how much a scan would read of a source, and how long that may take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mapkeeper.config import Limits
from mapkeeper.model import Asset, Depth
from mapkeeper.plugin import Connector
from mapkeeper.scan.examine import Question, plan
from mapkeeper.scan.hand import Job
from mapkeeper.scan.opening import guarded

SPEED = 6 << 20
"""Bytes a second that a worker reads of a source that was never scanned: an order of magnitude."""

EACH = 0.02
"""Seconds that an asset takes a worker beside its bytes: likewise."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a scan would do with one source."""

    source: str
    assets: int = 0  # to read
    rows: int | None = None  # that these hold; None where the source does not tell
    bytes: int = 0  # to read of them, at the most
    requests: int | None = None  # None where reading is not done by requests
    seconds: float = 0.0  # about
    guessed: bool = True  # the seconds, from what machines usually do; else from the source's last scan
    error: str | None = None  # why nothing can be said


def forecast(
    source: str,
    connector: Connector,
    todo: Sequence[Asset],
    depth: Depth,
    workers: int,
    limits: Limits,
    speed: float | None,
) -> Forecast:
    """What reading some assets of a source would take.

    Args:
        source: Its id.
        connector: Open.
        todo: What would be read.
        depth: How much of each.
        workers: How many would read.
        limits: Of the source.
        speed: Bytes a second of its last scan; ``None``: there was none.
    """
    size = sum(Job(asset, Question(depth), "").bytes for asset in todo)
    with guarded():
        asked = [connector.requests(asset, plan(asset, depth)) for asset in todo]
    counted = [count for count in asked if count is not None]
    requests = sum(counted) if counted else None
    rows = [asset.rows for asset in todo if asset.rows is not None]
    total = sum(rows) if len(rows) == len(todo) else None
    size = int(min(size, limits.bytes or size))
    seconds = size / speed if speed else (size / SPEED + len(todo) * EACH) / workers
    for count, rate in ((requests, limits.requests_per_second), (total, limits.rows_per_second)):
        if count is not None and rate is not None:
            seconds = max(seconds, count / rate)
    seconds = min(seconds, limits.seconds or seconds)
    return Forecast(source, len(todo), total, size, requests, seconds, guessed=speed is None)
