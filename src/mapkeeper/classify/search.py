"""Say from which places on every expression is to be run: where its matches can begin, and nowhere else.

Compiled by numba; one call goes over all tokens, regions or literals that the kernel told (see `kernel`), whatever the
number of expressions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mapkeeper.classify.compiling import compiled
from mapkeeper.classify.gathering import Ints, Small
from mapkeeper.classify.jobs import Jobs, Texts
from mapkeeper.classify.kernel import BEYOND, Places, Stretches
from mapkeeper.classify.patterns import MANY

Flags = npt.NDArray[np.bool_]


class Lists(NamedTuple):
    """Small numbers in rows of any length."""

    starts: Ints
    members: Small


class Wanted(NamedTuple):
    """Which expressions are to run, and on which texts."""

    asked: Flags  # [expression]
    row: Small  # [expression] -> row of ``texts``; -1: all texts
    texts: Flags  # [row, text]


class Gates(NamedTuple):
    """What is known of each expression."""

    digits: Small  # of each match, in one token or region
    lone: Flags  # whether it goes by tokens that are in no region
    reach: Small  # characters before a token at which a match can begin; -1: no limit
    spans: Flags  # whether a match can lie on both sides of white space


class Told(NamedTuple):
    """By output of the automaton the expressions that it leads to."""

    starts: Ints
    expression: Small
    near: Small  # bytes before its end at which a match begins at least; fewer than 0: behind it
    far: Small  # characters before its end at which a match begins at most; `MANY`: no limit


def jobs(size: int, search: Callable[..., int], *told: Any) -> Jobs:
    """Call one of the searches with room for so many jobs, or with more and more."""
    size += 64
    while True:
        room = Jobs.empty(size)
        count = search(*told, room)
        if count >= 0:
            return room.at(slice(count))
        size *= 2


@compiled
def in_stretches(
    texts: Texts, stretches: Stretches, lone: Flags, sets: Lists, able: Small, gates: Gates, wanted: Wanted, into: Jobs
) -> int:
    """Jobs in tokens or regions; ``able``: the expressions for those that shapes say nothing of."""
    program, text_of, low, high = into
    asked, row_of, held = wanted
    digits_of, lone_of, reach_of, _ = gates
    data, offsets, plain, loose = texts
    count = 0
    for at in range(len(stretches.text)):
        number = stretches.sets[at]
        first, last = (0, len(able)) if number == BEYOND else (sets.starts[number], sets.starts[number + 1])
        text, start, stop = stretches.text[at], stretches.start[at], stretches.stop[at]
        digits = -1
        if number == BEYOND and not loose[text]:
            digits = 0
            for i in range(start, stop):
                digits += 48 <= data[i] <= 57
        for member in range(first, last):
            expression = able[member] if number == BEYOND else sets.members[member]
            if not asked[expression] or (lone_of[expression] and not lone[at]) or digits_of[expression] > digits >= 0:
                continue
            row = row_of[expression]
            if row >= 0 and not held[row, text]:
                continue
            if count >= len(low):
                return -1
            program[count] = expression
            text_of[count] = text
            reach = np.int64(reach_of[expression])
            if reach < 0:
                low[count] = offsets[text]
            else:
                low[count] = max(offsets[text], start - (reach if plain[text] else 4 * reach))
            high[count] = stop - 1
            count += 1
    return count


@compiled
def at_literals(texts: Texts, places: Places, told: Told, gates: Gates, wanted: Wanted, into: Jobs) -> int:
    """Jobs round literals."""
    program, text_of, lows, highs = into
    asked, row_of, held = wanted
    starts, members, nears, fars = told
    spans_of = gates.spans
    data, offsets, plain, loose = texts
    word = before = np.int64(-1)  # the last word, and the last place in it
    count = 0
    for at in range(len(places.text)):
        output, text, place = places.output[at], places.text[at], places.at[at]
        if loose[text]:
            continue
        first = place  # where the word begins that holds the place
        while first > offsets[text] and not _is_space(int(data[first - 1])):
            if first - 1 == before:
                first = word
                break
            first -= 1
        word, before = first, place
        for member in range(starts[output], starts[output + 1]):
            expression = members[member]
            row = row_of[expression]
            if not asked[expression] or (row >= 0 and not held[row, text]):
                continue
            low, end = offsets[text], offsets[text + 1]
            near, far = np.int64(nears[member]), np.int64(fars[member])
            high = place + 1 - near if near > 0 else end - 1
            if far < MANY:
                low = max(low, place + 1 - (far if plain[text] or far < 0 else 4 * far))
            if not spans_of[expression]:
                low = max(low, word)
                if near <= 0:
                    high = place
                    while high + 1 < end and not _is_space(int(data[high + 1])):
                        high += 1
            if high < low:
                continue
            if count >= len(lows):
                return -1
            program[count] = expression
            text_of[count] = text
            lows[count] = low
            highs[count] = high
            count += 1
    return count


@compiled
def _is_space(byte: int) -> bool:
    return byte == 32 or 9 <= byte <= 13


@compiled
def anywhere(texts: Texts, expressions: Small, which: Ints, wanted: Wanted, into: Jobs) -> int:
    """Jobs for expressions that nothing leads to, in some texts."""
    program, text_of, low, high = into
    asked, row_of, held = wanted
    count = 0
    for expression in expressions:
        row = row_of[expression]
        if not asked[expression]:
            continue
        for text in which:
            if row >= 0 and not held[row, text]:
                continue
            if count >= len(low):
                return -1
            program[count] = expression
            text_of[count] = text
            low[count] = texts.offsets[text]
            high[count] = texts.offsets[text + 1] - 1
            count += 1
    return count
