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
from mapkeeper.classify.kernel import BEYOND, Places, Stretches
from mapkeeper.classify.machine import Jobs, Texts

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
    whole: Flags  # whether a token says something only of the text
    reach: Small  # characters before the end of a literal at which a match can begin; -1: no limit
    spans: Flags  # whether a match can lie on both sides of white space


def jobs(size: int, search: Callable[..., int], *told: Any) -> Jobs:
    """Call one of the searches with room for so many jobs, or with more and more."""
    size += 64
    while True:
        room = Jobs(*np.empty((2, size), np.int32), *np.empty((2, size), np.int64))
        count = search(*told, room)
        if count >= 0:
            return Jobs(*(each[:count] for each in room))
        size *= 2


@compiled
def in_stretches(
    texts: Texts, stretches: Stretches, lone: Flags, sets: Lists, able: Small, gates: Gates, wanted: Wanted, into: Jobs
) -> int:
    """Jobs in tokens or regions; ``able``: the expressions for those that shapes say nothing of."""
    program, text_of, low, high = into
    asked, row_of, held = wanted
    digits_of, lone_of, whole_of, _, _ = gates
    data, offsets, _, loose = texts
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
            low[count] = offsets[text] if whole_of[expression] else start
            high[count] = stop - 1
            count += 1
    return count


@compiled
def at_literals(texts: Texts, places: Places, told: Lists, gates: Gates, wanted: Wanted, into: Jobs) -> int:
    """Jobs round literals."""
    program, text_of, lows, highs = into
    asked, row_of, held = wanted
    _, _, _, reach_of, spans_of = gates
    data, offsets, plain, loose = texts
    count = 0
    for at in range(len(places.text)):
        output, text, place = places.output[at], places.text[at], places.at[at]
        if loose[text]:
            continue
        for member in range(told.starts[output], told.starts[output + 1]):
            expression = told.members[member]
            row = row_of[expression]
            if not asked[expression] or (row >= 0 and not held[row, text]):
                continue
            low, high, end = offsets[text], place, offsets[text + 1]
            reach, spans = np.int64(reach_of[expression]), spans_of[expression]
            if reach >= 0:
                low = max(low, place + 1 - (reach if plain[text] else 4 * reach))
            elif spans:
                high = end - 1
            else:
                while high + 1 < end and not _is_space(data[high + 1]):
                    high += 1
            if not spans:
                first = place
                while first > low and not _is_space(data[first - 1]):
                    first -= 1
                low = first
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
