"""One pass over the bytes of many texts: tokens, regions and literals, whatever the number of rules.

Compiled by numba. A *token* is a run of letters, digits and marks; its *shape* keeps where digits, letters and marks
stand, and becomes a hash on the way, with which is looked up what can match there. A *region* is a row of tokens with
little between them. *Literals* are found by an automaton (Aho and Corasick, "Efficient String Matching", CACM 1975).
Nothing here knows a rule, and no text leaves it: only numbers do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mapkeeper.classify.compiling import compiled
from mapkeeper.classify.gathering import Bytes, Hashes, Ints, Small, mix
from mapkeeper.classify.nodes import SPACES
from mapkeeper.classify.roads import DIGITS, GAPS, LETTERS, MARKS, SHORT, WIDEST_GAP

NOTHING = 0
"""The set of shapes in which nothing can match."""

UNKNOWN = -1
"""A shape that has not been seen yet."""

BEYOND = -2
"""A stretch that holds something else than ASCII, or is very long: shapes say nothing of it."""

_OUTSIDE, _GAP, _DIGIT, _LETTER, _MARK, _BEYOND = 0, 1, 2, 3, 4, 5
_OPENING, _CLOSING = ord("("), ord(")")
_LONGEST = 256  # bytes of a stretch that has a shape
_CHANGES = 3  # between letters and digits in a row; with more it is a row of anything
_ANYTHING = 7
_FAR = 99

_CLASSES = np.zeros(256, np.uint8)
for _chars, _class in ((GAPS, _GAP), (DIGITS, _DIGIT), (LETTERS, _LETTER), (MARKS, _MARK)):
    for _char in _chars:
        _CLASSES[ord(_char)] = _class
_CLASSES[128:] = _BEYOND

_GAP_SHAPES = np.arange(256, dtype=np.uint8)
for _char in SPACES:
    _GAP_SHAPES[ord(_char)] = 32


class Table(NamedTuple):
    """An open hash table from shapes to sets: as many keys as sets, a power of two; 0 is no key."""

    keys: Hashes
    sets: Small


class Automaton(NamedTuple):
    """Literals, made ready."""

    symbols: Bytes  # by byte
    moves: npt.NDArray[np.integer[Any]]  # [state, symbol] -> state
    output: Small  # [state] -> what ends there, -1: nothing
    everywhere: npt.NDArray[np.bool_]  # [output] whether each place counts, or each text


class Stretches(NamedTuple):
    """Tokens or regions, row by row."""

    text: Small
    start: Ints
    stop: Ints
    sets: Small
    shape: Hashes

    def head(self, count: int) -> Stretches:
        """The first few."""
        text, start, stop, sets, shape = self
        return Stretches(text[:count], start[:count], stop[:count], sets[:count], shape[:count])

    def outside(self, regions: Stretches) -> npt.NDArray[np.bool_]:
        """Flags for those that lie in none of some regions; both are in order of the bytes."""
        before = np.searchsorted(regions.start, self.start, side="right") - 1
        inside = before >= 0
        inside[inside] = self.start[inside] < regions.stop[before[inside]]
        return ~inside


class Places(NamedTuple):
    """Where literals were found: by text the output of the automaton, and the byte on which it ends."""

    text: Small
    output: Small
    at: Ints

    def head(self, count: int) -> Places:
        """The first few."""
        return Places(self.text[:count], self.output[:count], self.at[:count])


def sift(
    data: Bytes, offsets: Ints, automaton: Automaton, tokens: Table, regions: Table, digits: int
) -> tuple[Stretches, Stretches, Places]:
    """Pass over all texts; ``digits`` is the least number of digits of a region that matters."""
    size = int(offsets[-1] - offsets[0]) // 2 + len(offsets) + 1
    while True:
        found = (_stretches(size), _stretches(size // 2), Places(_small(size), _small(size), np.empty(size, np.int64)))
        seen = np.full(len(automaton.everywhere) + 1, -1, np.int32)
        counts = np.zeros(3, np.int64)
        if _pass(data, offsets, _CLASSES, _GAP_SHAPES, automaton, seen, tokens, regions, digits, *found, counts):
            return found[0].head(counts[0]), found[1].head(counts[1]), found[2].head(counts[2])
        size *= 2


def _small(size: int) -> Small:
    return np.empty(size, np.int32)


def _stretches(size: int) -> Stretches:
    start, stop = np.empty((2, size), np.int64)
    return Stretches(_small(size), start, stop, _small(size), np.empty(size, np.uint64))


@compiled
def _look_up(keys: Hashes, sets: Small, shape: np.uint64) -> int:
    mask = np.uint64(len(keys) - 1)
    at = shape & mask
    while True:
        key = keys[at]
        if key == shape:
            return int(sets[at])
        if key == np.uint64(0):
            return -1
        at = (at + np.uint64(1)) & mask


@compiled
def _close(
    data: Bytes,
    limit: int,
    text: int,
    at: int,
    start: int,
    stop: int,
    shape: np.uint64,
    digits: int,
    tokens: int,
    beyond: bool,
    wanted: int,
    table: Table,
    region: Stretches,
) -> int:
    """Write a region down, if it can matter; returns how many were written."""
    if digits < wanted and not beyond:
        return 0
    if stop < limit and data[stop] == _CLOSING:
        shape = mix(shape, _CLOSING)
        stop += 1
        tokens += 1
    if tokens < 2:
        return 0
    found = BEYOND if beyond or stop - start > _LONGEST else _look_up(table.keys, table.sets, shape)
    if found == 0:
        return 0
    region.text[at] = text
    region.start[at] = start
    region.stop[at] = stop
    region.sets[at] = found
    region.shape[at] = shape
    return 1


@compiled
def _pass(
    data: Bytes,
    offsets: Ints,
    classes: Bytes,
    gap_shapes: Bytes,
    automaton: Automaton,
    seen: Small,
    tokens: Table,
    regions: Table,
    digits_wanted: int,
    token: Stretches,
    region: Stretches,
    place: Places,
    counts: Ints,
) -> bool:
    """One state machine: it writes what it finds into the last four, and returns whether there was room enough."""
    symbols, moves, output, everywhere = automaton
    n = 0
    r = 0
    k = 0
    room = len(token.text) - 2
    region_room = len(region.text) - 2
    place_room = len(place.text) - 2
    for text in range(len(offsets) - 1):
        stop = offsets[text + 1]
        state = 0
        in_token = False
        shape = np.uint64(1)
        before = np.uint64(1)  # the shape before the present row of letters and digits
        row = 0  # its characters
        run = 0  # characters of one kind
        kind = 0
        changes = 0
        start = 0
        digits = 0
        beyond = False
        first_run = -1  # letters of the first and the last run of a token
        last_run = 0
        # A region while it grows.
        open_ = False
        r_start = 0
        r_stop = 0
        r_shape = np.uint64(1)
        r_digits = 0
        r_tokens = 0
        r_beyond = False
        gap = _FAR
        gap_shape = np.uint64(7)
        lead = -1
        lead_shape = np.uint64(7)
        for i in range(offsets[text], stop + 1):
            byte = data[i] if i < stop else 0
            cls = classes[byte] if i < stop else 0
            if i < stop:
                state = moves[state, symbols[byte]]
                out = output[state]
                if out >= 0 and (everywhere[out] or seen[out] != text):
                    seen[out] = text
                    if k > place_room:
                        return False
                    place.text[k] = text
                    place.output[k] = out
                    place.at[k] = i
                    k += 1
            if cls >= _DIGIT:
                if not in_token:
                    in_token = True
                    start = i
                    shape = np.uint64(1)
                    row = 0
                    run = 0
                    kind = 0
                    changes = 0
                    digits = 0
                    beyond = False
                    first_run = -1
                    last_run = 0
                if cls <= _LETTER:
                    if row == 0:
                        before = shape
                        kind = cls
                        run = 0
                        changes = 0
                    elif cls != kind:
                        if changes < _CHANGES:
                            shape = mix(shape, run * 8 + kind)
                        changes += 1
                        if kind == _LETTER:
                            if first_run < 0:
                                first_run = run
                            last_run = run
                        kind = cls
                        run = 0
                    row += 1
                    run += 1
                    if cls == _DIGIT:
                        digits += 1
                else:
                    if row > 0:
                        shape = mix(before, row * 8 + _ANYTHING) if changes > _CHANGES else mix(shape, run * 8 + kind)
                        if kind == _LETTER:
                            if first_run < 0:
                                first_run = run
                            last_run = run
                        row = 0
                    shape = mix(shape, byte * 8 + 1)
                    last_run = 0
                    if cls == _BEYOND:
                        beyond = True
                continue
            if in_token:
                in_token = False
                if row > 0:
                    shape = mix(before, row * 8 + _ANYTHING) if changes > _CHANGES else mix(shape, run * 8 + kind)
                    if kind == _LETTER:
                        if first_run < 0:
                            first_run = run
                        last_run = run
                if i - start > _LONGEST:
                    beyond = True
                found = BEYOND if beyond else _look_up(tokens.keys, tokens.sets, shape)
                if found != 0:
                    if n > room:
                        return False
                    token.text[n] = text
                    token.start[n] = start
                    token.stop[n] = i
                    token.sets[n] = found
                    token.shape[n] = shape
                    n += 1
                belongs = digits > 0 or beyond or first_run <= SHORT or last_run <= SHORT
                if open_ and (not belongs or gap > WIDEST_GAP):
                    r += _close(
                        data,
                        stop,
                        text,
                        r,
                        r_start,
                        r_stop,
                        r_shape,
                        r_digits,
                        r_tokens,
                        r_beyond,
                        digits_wanted,
                        regions,
                        region,
                    )
                    if r > region_room:
                        return False
                    open_ = False
                if belongs:
                    if not open_:
                        open_ = True
                        led = (
                            lead >= 0 and start - lead <= WIDEST_GAP
                        )  # a match can begin with a parenthesis, not with a space
                        r_start = lead if led else start
                        r_shape = lead_shape if led else np.uint64(7)
                        r_digits = 0
                        r_tokens = 1 if led else 0
                        r_beyond = False
                    else:
                        r_shape = mix(r_shape, gap_shape)
                    r_shape = mix(r_shape, shape)
                    r_digits += digits
                    r_tokens += 1
                    r_beyond = r_beyond or beyond
                    r_stop = i
                gap = 0
                gap_shape = np.uint64(7)
                lead = -1
            if cls == _GAP:
                gap += 1
                if gap <= WIDEST_GAP:
                    gap_shape = mix(gap_shape, gap_shapes[byte])
                if byte == _OPENING and (lead < 0 or i - lead >= WIDEST_GAP):
                    lead = i
                    lead_shape = np.uint64(7)
                if lead >= 0:
                    lead_shape = mix(lead_shape, gap_shapes[byte])
            else:
                gap = _FAR
                lead = -1
            if open_ and gap > WIDEST_GAP:
                r += _close(
                    data,
                    stop,
                    text,
                    r,
                    r_start,
                    r_stop,
                    r_shape,
                    r_digits,
                    r_tokens,
                    r_beyond,
                    digits_wanted,
                    regions,
                    region,
                )
                if r > region_room:
                    return False
                open_ = False
    counts[0] = n
    counts[1] = r
    counts[2] = k
    return True
