"""One pass over the bytes of many texts: tokens, regions and literals, whatever the number of rules.

Compiled by numba. A *token* is a run of letters, digits and marks; its *shape* keeps where digits, letters and marks
stand, and becomes a hash on the way, with which is looked up what can match there. A *region* is a row of tokens with
little between them. *Literals* are found by an automaton (Aho and Corasick, "Efficient String Matching", CACM 1975).
Nothing here knows a rule, and no text leaves it: only numbers do.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit, uint64

from mapkeeper.classify.nodes import SPACES
from mapkeeper.classify.roads import DIGITS, GAPS, LETTERS, MARKS

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]

NOTHING = 0
"""The set of shapes in which nothing can match."""

UNKNOWN = -1
"""A shape that has not been seen yet."""

BEYOND = -2
"""A stretch that holds something else than ASCII, or is very long: shapes say nothing of it."""

_OUTSIDE, _GAP, _DIGIT, _LETTER, _MARK, _BEYOND = 0, 1, 2, 3, 4, 5

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
    moves: Small  # [state, symbol] -> state
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
        return Stretches(*(column[:count] for column in self))


class Places(NamedTuple):
    """Where literals were found: by text the output of the automaton, and the byte on which it ends."""

    text: Small
    output: Small
    at: Ints

    def head(self, count: int) -> Places:
        """The first few."""
        return Places(*(column[:count] for column in self))


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
    return Stretches(
        _small(size), *(np.empty(size, np.int64) for _ in range(2)), _small(size), np.empty(size, np.uint64)
    )


def gathered(data: Bytes, start: Ints, stop: Ints) -> tuple[Bytes, Ints]:
    """Stretches of some bytes, one behind the other, and where each begins."""
    offsets = np.zeros(len(start) + 1, np.int64)
    np.cumsum(stop - start, out=offsets[1:])
    out = np.empty(max(1, int(offsets[-1])), np.uint8)
    _gather(data, start, stop, offsets, out)
    return out, offsets


def distinct(data: Bytes, start: Ints, stop: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Number the different stretches of some bytes, in order of their first place.

    Returns the number of each place, the first place of each number, the places in order of their numbers, and where
    among these each number begins.
    """
    size = 1 << max(4, int(2 * len(start)).bit_length())
    code, first, order = np.empty(len(start), np.int64), np.empty(len(start), np.int64), np.empty(len(start), np.int64)
    count = _number(data, start, stop, np.zeros(size, np.uint64), np.empty(size, np.int64), code, first)
    begins = np.zeros(count + 1, np.int64)
    _sort(code, begins, order)
    return code, first[:count], order, begins


def grouped(numbers: Small, count: int) -> tuple[Ints, Ints]:
    """Places in order of their small numbers, from 0 to below ``count``, and where among these each number begins."""
    begins, order = np.zeros(count + 1, np.int64), np.empty(len(numbers), np.int64)
    _sort(numbers, begins, order)
    return order, begins


@njit(cache=True, inline="always")
def _mix(shape, value):
    shape = (shape ^ uint64(value)) * uint64(0x9E3779B97F4A7C15)
    return shape ^ (shape >> uint64(29))


@njit(cache=True)
def _gather(data, start, stop, offsets, out):
    for at in range(len(start)):
        to = offsets[at]
        for i in range(start[at], stop[at]):
            out[to] = data[i]
            to += 1


@njit(cache=True)
def _number(data, start, stop, keys, held, code, first):
    mask = uint64(len(keys) - 1)
    count = 0
    for at in range(len(start)):
        begin, end = start[at], stop[at]
        key = uint64(end - begin + 1)
        for i in range(begin, end):
            key = (key ^ uint64(data[i])) * uint64(0x100000001B3)
        key = _mix(key, 0) | uint64(1)
        slot = (key >> uint64(20)) & mask
        while True:
            if keys[slot] == 0:
                keys[slot] = key
                held[slot] = count
                first[count] = at
                code[at] = count
                count += 1
                break
            if keys[slot] == key:
                other = first[held[slot]]
                same = stop[other] - start[other] == end - begin
                if same:
                    for i in range(end - begin):
                        if data[begin + i] != data[start[other] + i]:
                            same = False
                            break
                if same:
                    code[at] = held[slot]
                    break
            slot = (slot + uint64(1)) & mask
    return count


@njit(cache=True)
def _sort(code, begins, order):
    for number in code:
        begins[number + 1] += 1
    for number in range(len(begins) - 1):
        begins[number + 1] += begins[number]
    at = begins.copy()
    for place in range(len(code)):
        order[at[code[place]]] = place
        at[code[place]] += 1


@njit(cache=True)
def _look_up(keys, sets, shape):
    mask = uint64(len(keys) - 1)
    at = shape & mask
    while True:
        key = keys[at]
        if key == shape:
            return sets[at]
        if key == uint64(0):
            return -1
        at = (at + uint64(1)) & mask


@njit(cache=True)
def _close(data, stop, text, at, start, end, shape, digits, tokens, beyond, wanted, table, region):
    """Write a region down, if it can matter; returns how many were written."""
    if digits < wanted:
        return 0
    if end < stop and data[end] == 41:
        shape = _mix(shape, 41)
        end += 1
        tokens += 1
    if tokens < 2:
        return 0
    found = -2 if beyond or end - start > 256 else _look_up(table.keys, table.sets, shape)
    if found == 0:
        return 0
    region.text[at] = text
    region.start[at] = start
    region.stop[at] = end
    region.sets[at] = found
    region.shape[at] = shape
    return 1


@njit(cache=True)
def _pass(
    data, offsets, classes, gap_shapes, automaton, seen, tokens, regions, digits_wanted, token, region, place, counts
):
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
        shape = uint64(1)
        before = uint64(1)  # the shape before the present row of letters and digits
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
        r_shape = uint64(1)
        r_digits = 0
        r_tokens = 0
        r_beyond = False
        gap = 99
        gap_shape = uint64(7)
        lead = -1
        lead_shape = uint64(7)
        for i in range(offsets[text], stop + 1):
            byte = data[i] if i < stop else 0
            cls = classes[byte] if i < stop else 0
            if i < stop:
                state = moves[state, symbols[byte]]
                out = output[state]
                if out >= 0:
                    if everywhere[out] or seen[out] != text:
                        seen[out] = text
                        if k > place_room:
                            return False
                        place.text[k] = text
                        place.output[k] = out
                        place.at[k] = i
                        k += 1
            if cls >= 2:
                if not in_token:
                    in_token = True
                    start = i
                    shape = uint64(1)
                    row = 0
                    run = 0
                    kind = 0
                    changes = 0
                    digits = 0
                    beyond = False
                    first_run = -1
                    last_run = 0
                if cls <= 3:
                    if row == 0:
                        before = shape
                        kind = cls
                        run = 0
                        changes = 0
                    elif cls != kind:
                        if changes < 3:
                            shape = _mix(shape, run * 8 + kind)
                        changes += 1
                        if kind == 3:
                            if first_run < 0:
                                first_run = run
                            last_run = run
                        kind = cls
                        run = 0
                    row += 1
                    run += 1
                    if cls == 2:
                        digits += 1
                else:
                    if row > 0:
                        if changes > 3:
                            shape = _mix(before, row * 8 + 7)
                        else:
                            shape = _mix(shape, run * 8 + kind)
                        if kind == 3:
                            if first_run < 0:
                                first_run = run
                            last_run = run
                        row = 0
                    shape = _mix(shape, byte * 8 + 1)
                    last_run = 0
                    if cls == 5:
                        beyond = True
                continue
            if in_token:
                in_token = False
                if row > 0:
                    if changes > 3:
                        shape = _mix(before, row * 8 + 7)
                    else:
                        shape = _mix(shape, run * 8 + kind)
                    if kind == 3:
                        if first_run < 0:
                            first_run = run
                        last_run = run
                if i - start > 256:
                    beyond = True
                found = -2 if beyond else _look_up(tokens.keys, tokens.sets, shape)
                if found != 0:
                    if n > room:
                        return False
                    token.text[n] = text
                    token.start[n] = start
                    token.stop[n] = i
                    token.sets[n] = found
                    token.shape[n] = shape
                    n += 1
                belongs = digits > 0 or beyond or first_run <= 4 or last_run <= 4
                if open_ and (not belongs or gap > 3):
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
                        led = lead >= 0 and start - lead <= 3  # a match can begin with a parenthesis, not with a space
                        r_start = lead if led else start
                        r_shape = lead_shape if led else uint64(7)
                        r_digits = 0
                        r_tokens = 1 if led else 0
                        r_beyond = False
                    else:
                        r_shape = _mix(r_shape, gap_shape)
                    r_shape = _mix(r_shape, shape)
                    r_digits += digits
                    r_tokens += 1
                    r_beyond = r_beyond or beyond
                    r_stop = i
                gap = 0
                gap_shape = uint64(7)
                lead = -1
            if cls == 1:
                gap += 1
                if gap <= 3:
                    gap_shape = _mix(gap_shape, gap_shapes[byte])
                if byte == 40 and (lead < 0 or i - lead > 2):
                    lead = i
                    lead_shape = uint64(7)
                if lead >= 0:
                    lead_shape = _mix(lead_shape, gap_shapes[byte])
            else:
                gap = 99
                lead = -1
            if open_ and gap > 3:
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
