"""Masked samples: enough to see what kind of value it was, not which."""

from __future__ import annotations

SHORTEST = 6
"""A value of fewer characters has no sample."""

_LONGEST = 60


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
            return f"{local[0]}***@{host[:1]}***{dot}{shown}" if host else f"{local[0]}***@***"
    parts: list[str] = []
    for at, char in enumerate(value):
        if not char.isalnum():
            parts.append(char)
        elif at == 0 and char.isalpha():
            parts.append(char)
            parts.append("***")
        elif not parts or parts[-1] != "***":
            parts.append("***")
    return "".join(parts)
