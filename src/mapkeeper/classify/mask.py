"""Masked samples: enough to see what kind of value it was, not which."""

from __future__ import annotations

SHORTEST = 6
"""A value of fewer characters has no sample."""

_LONGEST = 60
"""Characters of a value that its mask stands for; what comes behind them adds nothing."""


_SHOWN = frozenset(" +-./:,;()@_#'")
"""Punctuation that says of what kind a value is. Any other sign may be part of what it says: a vowel sign is."""


def masked(value: str) -> str | None:
    """A value's first letter and its punctuation, everything else as ``***``: ``j***@g***.com``.

    ``None`` for a value that is too short to hide in its own mask.
    """
    value = " ".join(value.split())[:_LONGEST]
    if len(value) < SHORTEST:
        return None
    if value.count("@") == 1:
        local, domain = value.split("@")
        host, dot, top = domain.rpartition(".")
        if local and (host or top):
            shown = top if top.isalpha() and len(top) <= 4 else "***"
            return f"{_first(local)}***@{_first(host)}***{dot}{shown}" if host else f"{_first(local)}***@***"
    parts = [f"{_first(value)}***"] if value[0] not in _SHOWN else []
    for char in value:
        if char in _SHOWN:
            parts.append(char)
        elif not parts or not parts[-1].endswith("***"):
            parts.append("***")
    return "".join(parts)


def _first(text: str) -> str:
    """The first letter of a text; of a script without capitals it could be a whole word, and is not shown."""
    return text[0] if text[0].isalpha() and text[0].swapcase() != text[0] else ""
