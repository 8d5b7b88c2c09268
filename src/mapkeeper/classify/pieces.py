"""Pieces of a long text, cut where a line, a sentence or at least a word ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

_END = re.compile(r"\n|[.!?;]\s")


def pieces(text: str, most: int) -> Iterator[tuple[int, int]]:
    """Start and end of each piece of at most so many characters; together they are the text."""
    start = 0
    while start < len(text):
        end = start + most
        if end < len(text):
            least = start + most // 2
            ends = [one.end() for one in _END.finditer(text, least, end)]
            end = ends[-1] if ends else text.rfind(" ", least, end) + 1 or end
        yield start, min(end, len(text))
        start = end
