"""A member: one object of an asset that can be opened as a stream of bytes, and nothing more about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Member:
    """One object of an asset: a file, an object in a bucket.

    ``open`` gives a fresh stream each time; it may raise `OSError` or `SourceError`, which costs a gap and not
    the asset. What it gives must have ``read(n)`` and ``close()``, and ``seek(offset)`` where ``seekable``.
    """

    name: str
    size: int | None  # bytes; None where the store does not tell
    open: Callable[[], BinaryIO]
    seekable: bool = True
