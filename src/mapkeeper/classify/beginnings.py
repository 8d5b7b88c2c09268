"""With which bytes a part of an expression can begin: what does not begin so need not be tried."""

from __future__ import annotations

from dataclasses import dataclass

from mapkeeper.classify.instructions import ALL, END, Bytes
from mapkeeper.classify.kinds import SPELLINGS
from mapkeeper.classify.nodes import Back, Chars, Choice, Edge, Fold, Group, Look, Node, Repeat, Sequence

BEYOND = frozenset(range(128, 256))
"""The bytes of characters beyond ASCII."""

_SPELLED = frozenset("".join(char for chars in SPELLINGS.values() for char in chars).encode()) & BEYOND


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a part can consume first, in bytes."""

    empty: bool = True  # whether it can consume nothing
    first: Bytes = frozenset()
    single: bool = False  # whether it can consume a single character
    second: Bytes = frozenset()  # what can come second, if it consumes more

    def then(self, other: Beginning) -> Beginning:
        """One after the other."""
        second = (
            self.second | (other.first if self.single else frozenset()) | (other.second if self.empty else frozenset())
        )
        return Beginning(
            self.empty and other.empty,
            self.first | other.first if self.empty else self.first,
            (self.single and other.empty) or (self.empty and other.single),
            second,
        )

    def beside(self, other: Beginning) -> Beginning:
        """One or the other."""
        return Beginning(
            self.empty or other.empty,
            self.first | other.first,
            self.single or other.single,
            self.second | other.second,
        )

    @property
    def seconds(self) -> Bytes:
        """What can come second; `END` for the end of the text."""
        # Of a character beyond ASCII the second byte is none that is told of here.
        return ALL | {END} if self.empty or self.single or self.first & BEYOND else self.second


_NOTHING = Beginning()


def beginning(node: Node, fold: bool) -> Beginning:
    """How a part begins; ``fold``: small letters and capitals are the same."""
    match node:
        case Chars():
            members = ALL - BEYOND if "." in node.kinds else frozenset(map(ord, node.ascii(fold)))
            beyond = BEYOND if node.beyond else _SPELLED if fold else frozenset()
            return Beginning(False, members | beyond, True)
        case Edge() | Look():
            return _NOTHING
        case Back():
            return Beginning(True, ALL, True, ALL)
        case Repeat():
            body = beginning(node.body, fold)
            most = 2 if node.most is None else min(node.most, 2)
            times = _NOTHING if node.least == 0 else body if node.least == 1 else body.then(body)
            if most > node.least:
                longer = times.then(body)
                times = times.beside(longer)
                if most > node.least + 1:
                    times = times.beside(longer.then(body))
            return times
        case Group() | Fold():
            return beginning(node.body, fold or (isinstance(node, Fold) and "i" in node.flags))
        case Sequence():
            begin = _NOTHING
            for part in node.parts:
                begin = begin.then(beginning(part, fold))
                if not (begin.empty or begin.single):
                    break
            return begin
        case Choice():
            begin, *others = (beginning(option, fold) for option in node.options)
            for other in others:
                begin = begin.beside(other)
            return begin
