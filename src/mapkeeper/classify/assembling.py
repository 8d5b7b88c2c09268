"""Lay programs one behind the other, with one table of the classes of characters that they name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import regex

from mapkeeper.classify.gathering import Bytes
from mapkeeper.classify.instructions import Program
from mapkeeper.classify.jobs import PLANES, Code
from mapkeeper.classify.kinds import Kind
from mapkeeper.classify.nodes import ASCII

_WORD = Kind(frozenset(char for char in ASCII if char.isalnum() or char == "_"), True, kinds=frozenset("w"))


def assembled(programs: Sequence[Program | None]) -> Code:
    """All programs by number; ``None`` is one that nothing can match."""
    kinds: dict[Kind, int] = {_WORD: 0}
    numbers: list[int] = []
    entries = []
    tables: list[dict[int, int]] = []
    for program in programs:
        entries.append(len(numbers))
        if program is None:
            continue
        places = [kinds.setdefault(kind, len(kinds)) for kind in program.classes]
        numbers.extend(number for each in program.placed(places, len(tables)) for number in each)
        tables.extend(program.tables)
    return Code(
        np.array(numbers, np.int32),
        np.array(entries, np.int32),
        np.array([program.slots if program else 0 for program in programs], np.int32),
        _flags([program.first if program else () for program in programs], 256),
        _flags([program.second if program else () for program in programs], 257),
        np.array([program.least if program else 0 for program in programs], np.int32),
        np.array([program is not None and program.value for program in programs], np.bool_),
        np.array([program is not None and program.edged for program in programs], np.bool_),
        np.array([program is not None and program.anchored for program in programs], np.bool_),
        _flags([map(ord, kind.ascii) for kind in kinds], 128),
        *_wide(list(kinds)),
        _tables(tables),
        0,
    )


def _flags(rows: Sequence[Iterable[int]], width: int) -> npt.NDArray[np.bool_]:
    flags = np.zeros((len(rows), width), np.bool_)
    for row, members in zip(flags, rows, strict=True):
        row[list(members)] = True
    return flags


def _tables(tables: Sequence[dict[int, int]]) -> npt.NDArray[np.int32]:
    rows = np.full((max(1, len(tables)), 257), -1, np.int32)
    for row, table in zip(rows, tables, strict=False):
        row[list(table)] = list(table.values())
    return rows


def _wide(kinds: Sequence[Kind]) -> tuple[npt.NDArray[np.int32], Bytes]:
    """For each class the row of bits that tell its characters beyond ASCII, and the different rows."""
    rows: dict[bytes, int] = {bytes(PLANES // 8): 0}
    known: dict[tuple[object, ...], int] = {}
    numbers = np.zeros(len(kinds), np.int32)
    for number, kind in enumerate(kinds):
        if kind.beyond:
            key = kind.negated, kind.kinds, kind.ranges
            if key not in known:
                known[key] = rows.setdefault(_row(kind).tobytes(), len(rows))
            numbers[number] = known[key]
    return numbers, np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), PLANES // 8)


def _row(kind: Kind) -> Bytes:
    bits = np.zeros(PLANES // 8, np.uint8)
    for name in kind.kinds:
        bits |= _of(name)
    for low, high in kind.ranges:
        for code in range(low, min(high, PLANES - 1) + 1):
            bits[code >> 3] |= 1 << (code & 7)
    return ~bits if kind.negated else bits


@cache
def _of(name: str) -> Bytes:
    """The characters of a class of Python's ``regex``, such as ``d`` or ``pLu``, as bits."""
    if name in ("D", "W", "S"):
        return ~_of(name.lower())
    expression = rf"\p{{{name[1:]}}}" if name[0] == "p" else rf"\{name}"
    bits = np.zeros(PLANES, np.bool_)
    bits[[ord(char) for char in regex.findall(expression, _every())]] = True
    return np.packbits(bits, bitorder="little")


@cache
def _every() -> str:
    return "".join(map(chr, range(PLANES)))
