"""Addresses in running text: street, postal code and place, put together where they follow each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import regex

from mapkeeper.classify.span import Claim

STREET, CODE, PLACE = "contact.postal_address", "contact.postal_code", "location.coarse"

_BETWEEN = regex.compile(r"[\s,.;>?|()-]{0,8}")
_LINE = regex.compile(r"[ ,]{0,2}\n[\s>?,|]{0,6}\p{Lu}[\p{L}\p{M} .'\u2019()-]{1,40}[ ,]{0,2}\n[\s>?,|]{0,6}")
"""A line between two pieces, that starts with a capital and has no digit: a town that nobody knew."""

_NUMBER = regex.compile(r"(?<![\p{L}\p{N}.,])\d{1,6}[A-Za-z]?,? $")
"""What may stand before a street: its number, or the number of the town."""

_CODE = regex.compile(r"[ ,]{1,2}\d{4,6}(?![\p{L}\p{N}.,]\d)\b")
"""What may stand behind a town or a country."""


def joined(text: str, claims: Sequence[Claim], more: float) -> Iterator[Claim]:
    """The claims, with one in place of the pieces of an address; ``more`` nats for each other kind of piece.

    What a language model takes for a piece of an address is none where nothing of the kind stands beside it.
    """
    names = [claim for claim in claims if claim.category == "identity.name" and claim.nats > 0]
    pieces = []
    for claim in claims:
        if claim.category not in (STREET, CODE, PLACE):
            yield claim
        elif not (claim.labelled and _wordy(text, claim) and any(map(claim.meets, names))):
            pieces.append(claim)
    cluster: list[Claim] = []
    reach = 0
    for piece in sorted(pieces, key=lambda piece: piece.start):
        if cluster and (piece.labelled or not _follows(text, reach, piece, cluster)):
            yield from _together(text, cluster, more)
            cluster, reach = [], 0
        cluster.append(piece)
        reach = max(reach, piece.end)
    if cluster:
        yield from _together(text, cluster, more)


def _wordy(text: str, claim: Claim) -> bool:
    return not any(map(str.isdigit, text[claim.start : claim.end]))


def _follows(text: str, reach: int, piece: Claim, cluster: Sequence[Claim]) -> bool:
    start = min(reach, piece.start)
    if _BETWEEN.fullmatch(text, start, piece.start):
        return True
    streets = any(one.category == STREET for one in cluster)
    return streets and piece.category != STREET and _LINE.fullmatch(text, start, piece.start) is not None


def _together(text: str, cluster: Sequence[Claim], more: float) -> Iterator[Claim]:
    start, end = min(piece.start for piece in cluster), max(piece.end for piece in cluster)
    kinds = {piece.category for piece in cluster}
    streets = [piece for piece in cluster if piece.category == STREET]
    if streets:
        number = _NUMBER.search(text, max(0, start - 10), start)
        start = number.start() if number else start
        code = _CODE.match(text, end)
        end = code.end() if code and kinds != {STREET} else end
    stretch = text[start:end]
    if streets and any(map(str.isdigit, stretch)) and sum(map(str.isalpha, stretch)) > 2:
        best = max(streets, key=lambda piece: piece.nats)
        yield dataclasses.replace(best, start=start, end=end, nats=best.nats + more * (len(kinds) - 1))
        return
    for piece in cluster:
        lone = piece.modelled and (piece.category == STREET or (piece.category == CODE and PLACE not in kinds))
        if not lone:
            yield piece
