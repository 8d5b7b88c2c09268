"""The budget of a source: how much of it one scan may read."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from mapkeeper.model import Gap, Reason

USED_UP = Gap(Reason.BUDGET, says="the source's limit for one scan was reached; the next scan goes on")


@dataclass
class Budget:
    """Rows, bytes and seconds that are left; it begins to run when it is made."""

    rows: float = math.inf
    bytes: float = math.inf
    seconds: float = math.inf
    taken: int = 0  # bytes that were read
    _begun: float = field(default_factory=time.monotonic)

    def spend(self, rows: int, bytes: int) -> None:
        """Take off what was read."""
        self.taken += bytes
        self.rows -= rows
        self.bytes -= bytes

    def share(self, among: int) -> tuple[float, float]:
        """The rows and bytes that each of so many may read."""
        return self.rows / among, self.bytes / among

    def spent(self) -> bool:
        """Whether nothing more may be read."""
        return self.rows <= 0 or self.bytes <= 0 or time.monotonic() - self._begun >= self.seconds
