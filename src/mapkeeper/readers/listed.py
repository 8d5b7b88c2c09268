"""What a listing tells: of one object, and of a family of them in bounded memory, however many they are."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

_BITS = 128


class Listed(NamedTuple):
    """An object as a listing shows it."""

    name: str
    size: int  # bytes
    modified: int  # seconds since 1970, UTC
    version: str  # what changes with the contents, e.g. an ETag; may be empty
    kind: str = ""  # the store's own word for how it is kept, e.g. a storage class
    closed: bool = False  # listed, but not to be read as it is kept: archived


class Family:
    """Objects that are one asset: counts, times, a digest, and some of them.

    Those that are kept are the ones whose digests are lowest: a sample in which each object has the same chance,
    which comes out the same whatever the order they were added or put together in. All are kept while they are few.
    """

    __slots__ = ("_digest", "_heap", "bytes", "closed", "count", "first", "kinds", "newest", "oldest")

    def __init__(self) -> None:
        self.count = 0
        self.bytes = 0
        self.closed = 0  # of the objects, those not to be read
        self.oldest: int | None = None  # seconds since 1970
        self.newest: int | None = None
        self.kinds: Counter[str] = Counter()
        self.first = ""  # the name that was added first
        self._digest = 0
        self._heap: list[tuple[int, Listed]] = []  # by the negative of the digest: the highest is on top

    @property
    def digest(self) -> str:
        """Changes with the name, size, time and version of any object, and with their number."""
        return f"{self.count}-{self._digest:032x}"

    @property
    def kept(self) -> list[Listed]:
        """The objects that were kept, in order of name; none that is closed."""
        return sorted(one for _, one in self._heap)

    @property
    def complete(self) -> bool:
        """Whether every object that may be read was kept."""
        return len(self._heap) == self.count - self.closed

    def add(self, one: Listed, most: int) -> int:
        """Count an object in; ``most`` are kept. Returns by how many those that are kept became more."""
        told = f"{one.name}\0{one.size}\0{one.modified}\0{one.version}".encode("utf-8", "surrogatepass")
        number = int.from_bytes(hashlib.blake2b(told, digest_size=_BITS // 8).digest(), "big")
        if not self.count:
            self.first = one.name
            self.oldest = self.newest = one.modified
        elif one.modified < (self.oldest or 0):
            self.oldest = one.modified
        elif one.modified > (self.newest or 0):
            self.newest = one.modified
        self.count += 1
        self.bytes += one.size
        self.kinds[one.kind] += 1
        self._digest = (self._digest + number) % (1 << _BITS)
        if one.closed:
            self.closed += 1
            return 0
        if not one.size:
            number += 1 << _BITS  # nothing to read in it: kept where there is room
        return self._keep((-number, one), most)

    def merge(self, other: Family, most: int) -> int:
        """Count another family's objects in. Returns by how many those that are kept became more, both together."""
        if not self.count:
            self.first, self.oldest, self.newest = other.first, other.oldest, other.newest
        elif other.oldest is not None and other.newest is not None:
            self.oldest = min(self.oldest or 0, other.oldest)
            self.newest = max(self.newest or 0, other.newest)
        self.count += other.count
        self.bytes += other.bytes
        self.closed += other.closed
        self.kinds.update(other.kinds)
        self._digest = (self._digest + other._digest) % (1 << _BITS)
        return sum(self._keep(entry, most) for entry in other._heap) - len(other._heap)

    def trim(self, most: int) -> int:
        """Keep no more than so many. Returns by how many those that are kept became more: never a positive number."""
        before = len(self._heap)
        while len(self._heap) > most:
            heapq.heappop(self._heap)
        return len(self._heap) - before

    def _keep(self, entry: tuple[int, Listed], most: int) -> int:
        if len(self._heap) < most:
            heapq.heappush(self._heap, entry)
            return 1
        if entry > self._heap[0]:
            heapq.heapreplace(self._heap, entry)
        return 0


def drawn(members: Sequence[Listed], number: int, seed: int) -> list[Listed]:
    """So many of some objects, one drawn from each of as many equal stretches of time, in order of name."""
    if len(members) <= number:
        return sorted(members)
    generator = random.Random(seed)  # noqa: S311 - a sample, no secret
    by_time = sorted(members, key=lambda one: (one.modified, one.name))
    cuts = [len(by_time) * place // number for place in range(number + 1)]
    return sorted(by_time[generator.randrange(low, high)] for low, high in pairwise(cuts))
