"""What the machine is told, and what it tells (see `machine`)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mapkeeper.classify.gathering import Bytes, Ints, Small

PLANES = 0x20000
"""Codes of characters that are told apart."""

Flags = npt.NDArray[np.bool_]


class Code(NamedTuple):
    """Programs, one behind the other, and what they refer to."""

    code: Small  # four numbers an instruction
    entry: Small  # [program] -> its first number in ``code``
    slots: Small  # [program] -> numbers it keeps on its way
    first: Flags  # [program, byte] -> whether a match can begin with it
    second: Flags  # [program, byte] -> whether it can go on with it; 256: whether nothing has to follow
    least: Small  # [program] -> characters of a match
    value: Flags  # [program] -> whether the first two slots are the value
    edged: Flags  # [program] -> whether a match begins at the edge of a word
    anchored: Flags  # [program] -> whether a match begins where its text begins
    members: Flags  # [class, ASCII]
    beyond: Small  # [class] -> row of ``wide``; row 0 is empty
    wide: Bytes  # [row, code // 8]: bits for codes below `PLANES`, least first
    tables: Small  # [table, byte or 256 for the end] -> instruction or -1
    word: int  # the class of letters, digits and "_"


class Jobs(NamedTuple):
    """Where to look for what: matches of a program that begin from one byte to another, in order of the bytes."""

    program: Small
    text: Small
    low: Ints
    high: Ints

    @classmethod
    def empty(cls, size: int) -> Jobs:
        """Room for so many."""
        return cls(
            np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int64), np.empty(size, np.int64)
        )

    def at(self, which: slice | Flags | Ints) -> Jobs:
        """Some of them."""
        return Jobs(self.program[which], self.text[which], self.low[which], self.high[which])


class Texts(NamedTuple):
    """The bytes of texts; flags for each text."""

    data: Bytes
    offsets: Ints
    plain: Flags  # ASCII alone
    loose: Flags  # texts of which neither shapes nor literals tell where something can match


class Matches(NamedTuple):
    """What was found. A program below zero is one that gave up on a text: ``-1 - program``."""

    program: Small
    text: Small
    start: Ints
    stop: Ints

    @classmethod
    def empty(cls, size: int) -> Matches:
        """Room for so many."""
        return cls(
            np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int64), np.empty(size, np.int64)
        )

    def head(self, count: int) -> Matches:
        """The first few."""
        return Matches(self.program[:count], self.text[:count], self.start[:count], self.stop[:count])
