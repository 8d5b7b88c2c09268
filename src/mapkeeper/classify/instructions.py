"""What programs are made of (see `program`): instructions, and classes of characters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mapkeeper.classify.kinds import Kind

Bytes = frozenset[int]

ALL = frozenset(range(256))

END = 256
"""Stands for the end of a text among bytes."""

# What an instruction does; each has three operands.
(
    MATCH,
    BYTE,  # a: the byte
    CLASS,  # a: class
    GREEDY,  # a: class, b: least, c: most
    POSSESSIVE,
    LAZY,
    SPLIT,  # a: first, b: then, c: class of what the first can begin with, or -1
    JUMP,  # a: where to
    WORD_EDGE,  # a: 1 for none
    BESIDE,  # a: class of one character, b: 1 before and 0 behind, c: 1 for none such
    TABLE,  # a: table of where to go by the next byte, or with b of 1 the one after it; nowhere is failure
    SAVE,  # a: slot
    TEXT_EDGE,  # a: 0 start, 1 end, 2 start of a line, 3 end of a line, 4 end or before a last line feed
    AGAIN,  # a: slot of a group, c: 1 where case makes no difference
    LOOK,  # a: where to go on, b: slot for the height of the stack, c: 1 negative
    LOOKED,  # b, c: as in LOOK
    BYTE_BACK,  # as without, but of what stands before
    CLASS_BACK,
    GREEDY_BACK,
    ATOMIC,  # b: slot for the height of the stack
    ATOMIC_END,  # b: slot
) = range(21)


@dataclass(slots=True)
class Program:
    """Instructions, four numbers each; the places in them count instructions from 0."""

    code: list[tuple[int, int, int, int]] = field(default_factory=list)
    classes: list[Kind] = field(default_factory=list)
    tables: list[dict[int, int]] = field(default_factory=list)  # byte or `END` -> instruction
    first: Bytes = ALL  # what a match can begin with
    second: Bytes = ALL  # what it can go on with; `END` where nothing has to follow
    least: int = 0  # characters of a match
    slots: int = 2  # numbers kept on the way: two for the value, more for groups and looks
    value: bool = False  # whether the value is a group
    edged: bool = False  # whether a match begins at the edge of a word
    anchored: bool = False  # whether a match begins where its text begins

    def placed(self, classes: list[int], tables: int) -> Iterator[tuple[int, int, int, int]]:
        """The instructions with the classes by other numbers, and the first table by the number ``tables``."""
        for op, a, b, c in self.code:
            if op in (CLASS, GREEDY, POSSESSIVE, LAZY, BESIDE, CLASS_BACK, GREEDY_BACK):
                yield op, classes[a], b, c
            elif op == SPLIT and c >= 0:
                yield op, a, b, classes[c]
            elif op == TABLE:
                yield op, a + tables, b, c
            else:
                yield op, a, b, c
