"""A regular expression as a tree."""

from __future__ import annotations

from dataclasses import dataclass

ASCII = frozenset(map(chr, range(128)))
SPACES = frozenset("\t\n\x0b\f\r \x1c\x1d\x1e\x1f")
"""White space in ASCII, as Python counts it."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of a class."""

    members: frozenset[str]  # those of ASCII
    negated: bool
    beyond: bool  # whether one beyond ASCII can be it
    space: bool  # whether white space of any script can be it
    digit: bool  # whether it is a digit, of any script
    kinds: frozenset[str] = frozenset()  # "d", "S", "pLu", ".": classes inside, by which those beyond ASCII go
    ranges: tuple[tuple[int, int], ...] = ()  # codes beyond ASCII

    @property
    def wide(self) -> frozenset[str] | None:
        """Those beyond ASCII; ``None``: too many to name."""
        if self.kinds or self.negated or any(low < high for low, high in self.ranges):
            return None
        return frozenset(chr(low) for low, _ in self.ranges)

    def ascii(self, fold: bool) -> frozenset[str]:
        """The ASCII characters that it can be; ``fold``: small letters and capitals are the same."""
        members = self.members
        if fold:
            members = members | {char.swapcase() for char in members}
        return ASCII - members if self.negated else members


@dataclass(frozen=True, slots=True)
class Edge:
    r"""A place between characters: ``\b``, ``\B``, ``^``, ``$``, ``\A``, ``\Z``."""

    kind: str


@dataclass(frozen=True, slots=True)
class Look:
    """A look-around."""

    behind: bool
    negative: bool
    body: Node


@dataclass(frozen=True, slots=True)
class Back:
    """A back-reference: the same as a group matched, so something that the group could match."""

    body: Node
    number: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """So many times the same; ``most`` of ``None`` is no limit."""

    body: Node
    least: int
    most: int | None
    manner: str  # "", "?" lazy, "+" possessive


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Parentheses: ``(``, ``(?:``, ``(?>``."""

    body: Node
    number: int = 0  # of those that capture, from 1
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class Fold:
    """``(?i:…)`` or ``(?s:…)``."""

    body: Node
    flags: str


Node = Chars | Edge | Look | Back | Repeat | Sequence | Choice | Group | Fold


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole expression, and the flags that stand for all of it."""

    root: Node
    flags: str = ""
    value: int = 0  # the number of the group of that name; 0: there is none, and the value is all of a match
