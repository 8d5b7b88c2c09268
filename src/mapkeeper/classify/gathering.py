"""Stretches of bytes: laid one behind the other, numbered by what they hold, grouped by small numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mapkeeper.classify.compiling import compiled

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]


def gathered(data: Bytes, start: Ints, stop: Ints) -> tuple[Bytes, Ints]:
    """Stretches of some bytes, one behind the other, and where each begins."""
    offsets = np.zeros(len(start) + 1, np.int64)
    np.cumsum(stop - start, out=offsets[1:])
    out = np.empty(max(1, int(offsets[-1])), np.uint8)
    _gather(data, start, stop, offsets, out)
    return out, offsets


def distinct(data: Bytes, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """The number of each stretch of some bytes among the different ones, and the first place of each of these."""
    size = 1 << max(4, int(2 * len(start)).bit_length())
    code, first = np.empty(len(start), np.int64), np.empty(len(start), np.int64)
    count = _number(data, start, stop, np.zeros(size, np.uint64), np.empty(size, np.int64), code, first)
    return code, first[:count]


def grouped(numbers: Small, count: int) -> tuple[Ints, Ints]:
    """Places in order of their small numbers, from 0 to below ``count``, and where among these each number begins."""
    begins, order = np.zeros(count + 1, np.int64), np.empty(len(numbers), np.int64)
    _sort(numbers, begins, order)
    return order, begins


@compiled
def mix(shape: np.uint64, value: int | np.uint64) -> np.uint64:
    """A hash with one more number in it."""
    shape = (shape ^ np.uint64(value)) * np.uint64(0x9E3779B97F4A7C15)
    return shape ^ (shape >> np.uint64(29))


@compiled
def _gather(data: Bytes, start: Ints, stop: Ints, offsets: Ints, out: Bytes) -> None:
    for at in range(len(start)):
        to = offsets[at]
        for i in range(start[at], stop[at]):
            out[to] = data[i]
            to += 1


@compiled
def _number(data: Bytes, start: Ints, stop: Ints, keys: Hashes, held: Ints, code: Ints, first: Ints) -> int:
    mask = np.uint64(len(keys) - 1)
    count = 0
    for at in range(len(start)):
        begin, end = start[at], stop[at]
        key = np.uint64(end - begin + 1)
        for i in range(begin, end):
            key = (key ^ np.uint64(data[i])) * np.uint64(0x100000001B3)
        key = mix(key, 0) | np.uint64(1)
        slot = (key >> np.uint64(20)) & mask
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
            slot = (slot + np.uint64(1)) & mask
    return count


@compiled
def _sort(code: Ints | Small, begins: Ints, order: Ints) -> None:
    for number in code:
        begins[number + 1] += 1
    for number in range(len(begins) - 1):
        begins[number + 1] += begins[number]
    at = begins.copy()
    for place in range(len(code)):
        order[at[code[place]]] = place
        at[code[place]] += 1
