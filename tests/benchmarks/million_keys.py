"""A bucket of a million keys, listed by a client without a network: what its survey takes in time and memory.

Run it as ``python tests/benchmarks/million_keys.py --keys 1000000``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil

from mapkeeper.plugin import ReadPlan
from mapkeeper_connectors.s3 import S3

_DRAW = random.Random(1)
_SHAPES: dict[str, Callable[[int], str]] = {
    "logs by day and host": lambda n: f"logs/2026/{n % 12 + 1:02}/{n % 28 + 1:02}/web{n % 40}/access-{n:07}.log.gz",
    "partitions": lambda n: f"lake/visits/day=2026-{n % 12 + 1:02}-{n % 28 + 1:02}/part-{n:07}.parquet",
    "uploads called by UUID": lambda n: f"uploads/{uuid.UUID(int=_DRAW.getrandbits(128))}.pdf",
    "a folder a customer": lambda n: f"customers/{n // 5}/invoice-{n % 5}.csv",
    "names that do not fold": lambda n: f"{_word()}/{_word()}-{_word()}.{_word()[:3]}",
}


def _word() -> str:
    return "".join(_DRAW.choices("abcdefghijklmnopqrstuvwxyz", k=6))


class Pages:
    """What boto3's client does for a listing, without a network."""

    def __init__(self, count: int, key: Callable[[int], str]) -> None:
        self._count, self._key = count, key

    def list_objects_v2(self, **asked: Any) -> dict[str, Any]:
        """A page."""
        start = int(asked.get("ContinuationToken", 0))
        stop = min(start + asked.get("MaxKeys", 1000), self._count)
        moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        found = [
            {
                "Key": self._key(n),
                "Size": 1000,
                "ETag": f'"{n:032x}"',
                "LastModified": moment,
                "StorageClass": "STANDARD",
            }
            for n in range(start, stop)
        ]
        more = stop < self._count
        return {"Contents": found, "IsTruncated": more, **({"NextContinuationToken": str(stop)} if more else {})}

    list_objects = list_objects_v2

    def close(self) -> None:
        """Nothing is open."""


def survey(keys: int, shape: Callable[[int], str]) -> Iterator[str]:
    """Survey a bucket; lines of what that took."""
    connector = S3(bucket="large")
    connector.client = Pages(keys, shape)
    before = psutil.Process().memory_info().rss
    begun = time.monotonic()
    assets = list(connector.survey())
    took = time.monotonic() - begun
    grown = psutil.Process().memory_info().rss - before
    requests = sum(connector.requests(asset, ReadPlan(rows=10_000, bytes=16 << 20)) or 0 for asset in assets)
    yield f"{took:6.1f} s  {keys / took:9,.0f} keys/s  {grown / 1e6:+6.0f} MB  {len(assets):6,} assets"
    yield f"{requests:8,} requests to sample"


def main() -> None:
    """Survey buckets of every shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000_000)
    keys = parser.parse_args().keys
    for name, shape in _SHAPES.items():
        print(f"{name:24}", *survey(keys, shape), flush=True)


if __name__ == "__main__":
    main()
