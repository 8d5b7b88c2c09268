"""Write the demo's files so that the same contents give the same bytes and the same times."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path


def data(path: Path, content: bytes, day: dt.date) -> None:
    """Write a file and date it to noon (UTC) of a day; a name that ends in ``.gz`` is compressed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, 6, mtime=0) if path.suffix == ".gz" else content)
    stamp(path, day)


def stamp(path: Path, day: dt.date) -> None:
    """Date a file to noon (UTC) of a day."""
    noon = dt.datetime.combine(day, dt.time(12), dt.UTC).timestamp()
    os.utime(path, (noon, noon))


def lines(path: Path, content: Iterable[str], day: dt.date) -> None:
    """Write lines of text."""
    data(path, "".join(f"{line}\n" for line in content).encode(), day)


def table(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]], day: dt.date) -> None:
    """Write a CSV file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    data(path, out.getvalue().encode(), day)


def rotated(path: Path, content: Sequence[str], day: dt.date) -> None:
    """Write a log as ``logrotate`` leaves it after three weeks: the newest plain, then ``.1``, then ``.2.gz``."""
    third = len(content) // 3
    lines(path, content[2 * third :], day)
    lines(path.with_name(f"{path.name}.1"), content[third : 2 * third], day - dt.timedelta(days=7))
    lines(path.with_name(f"{path.name}.2.gz"), content[:third], day - dt.timedelta(days=14))
