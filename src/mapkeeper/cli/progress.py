"""Progress on stderr: only on a terminal, and only for what takes longer than a moment."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mapkeeper.cli.output import printable, size

if TYPE_CHECKING:
    from rich.status import Status

PATIENCE = 2.0
"""Seconds before anything is shown."""


class Watch:
    """Shows which source is read, how much of it, and how fast; silent where nobody looks."""

    def __init__(self, *, visible: bool) -> None:
        self._visible = visible
        self._begun = time.monotonic()
        self._shown_at = 0.0
        self._status: Status | None = None
        self._bytes = self._done = self._todo = self._findings = 0

    def surveyed(self, source: str, assets: int, bytes: int | None) -> None:
        """A source was surveyed."""
        self._done, self._todo = 0, assets
        self._show(source, "")

    def read(self, source: str, asset: str, bytes: int) -> None:
        """Some of an asset was read."""
        self._bytes += bytes
        self._show(source, asset)

    def recorded(self, source: str, asset: str, findings: int, gaps: int) -> None:
        """An asset is done."""
        self._done += 1
        self._findings += findings
        self._show(source, asset)

    def close(self) -> None:
        """Take the line away again."""
        if self._status is not None:
            self._status.stop()

    def _show(self, source: str, asset: str) -> None:
        now = time.monotonic()
        if not self._visible or now - self._begun < PATIENCE or now - self._shown_at < 0.2:
            return
        self._shown_at = now
        rate = size(int(self._bytes / (now - self._begun)))
        of = f"asset {self._done + 1} of {self._todo}, " if self._todo else ""
        text = f"{source}: {of}{printable(asset)[-60:]}  {size(self._bytes)} read, {rate}/s, {self._findings} findings"
        if self._status is None:
            from rich.console import Console

            self._status = Console(stderr=True).status("")
            self._status.start()
        from rich.markup import escape

        self._status.update(escape(text))


@contextmanager
def watching() -> Iterator[Watch]:
    """Progress for as long as the block runs."""
    watch = Watch(visible=sys.stderr.isatty())
    try:
        yield watch
    finally:
        watch.close()
