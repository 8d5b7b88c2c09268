"""What is known of a regular expression without running it: what every match needs, and what it can touch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from mapkeeper.classify.nodes import Back, Chars, Choice, Edge, Fold, Group, Look, Node, Repeat, Sequence, Tree
from mapkeeper.classify.reading import read

MANY = 1 << 30
"""More characters than any text has."""

_FAR = 10_000


@dataclass(frozen=True, slots=True)
class Needs:
    """What every match holds at least."""

    length: int = 0  # characters
    digits: int = 0
    marks: frozenset[str] = frozenset()  # ASCII punctuation

    def both(self, other: Needs) -> Needs:
        """One after the other."""
        return Needs(self.length + other.length, self.digits + other.digits, self.marks | other.marks)

    def either(self, other: Needs) -> Needs:
        """One or the other."""
        return Needs(min(self.length, other.length), min(self.digits, other.digits), self.marks & other.marks)

    def times(self, least: int) -> Needs:
        """Repeated at least so often."""
        least = min(least, _FAR)
        return Needs(self.length * least, self.digits * least, self.marks if least else frozenset())


@dataclass(frozen=True, slots=True)
class Study:
    """What was learned of an expression."""

    needs: Needs = Needs()
    spans: bool = True  # whether a match, or what decides it, can lie on both sides of white space
    tree: Tree | None = None


@cache
def study(expression: str) -> Study:
    """Learn what there is; one that is not understood comes back as `Study()`."""
    tree = read(expression)
    if tree is None:
        return Study()
    return Study(needs_of(tree.root), _spans(tree.root), tree)


def needs_of(node: Node) -> Needs:
    """What every match of a part holds."""
    match node:
        case Chars():
            lone = next(iter(node.members)) if len(node.members) == 1 and not (node.negated or node.beyond) else ""
            mark = frozenset({lone}) if lone and not lone.isalnum() and lone.isprintable() else frozenset[str]()
            return Needs(1, int(node.digit), mark)
        case Repeat():
            return needs_of(node.body).times(node.least)
        case Sequence():
            needs = Needs()
            for part in node.parts:
                needs = needs.both(needs_of(part))
            return needs
        case Choice():
            needs, *others = map(needs_of, node.options)
            for other in others:
                needs = needs.either(other)
            return needs
        case Group() | Fold():
            return needs_of(node.body)
        case Edge() | Look() | Back():
            return Needs()


def _spans(node: Node) -> bool:
    match node:
        case Chars():
            return node.space
        case Edge():
            return node.kind not in "bB"
        case Repeat() | Group() | Fold() | Look() | Back():
            return _spans(node.body)
        case Sequence():
            return any(map(_spans, node.parts))
        case Choice():
            return any(map(_spans, node.options))


def quantifier(node: Repeat) -> str:
    """How often, as every dialect spells it."""
    known = {(0, None): "*", (1, None): "+", (0, 1): "?"}
    if (node.least, node.most) in known:
        return known[node.least, node.most]
    if node.least == node.most:
        return f"{{{node.least}}}"
    return f"{{{node.least},{'' if node.most is None else node.most}}}"


def widths(node: Node) -> tuple[int, int]:
    """The fewest and the most characters of a part."""
    match node:
        case Chars():
            return 1, 1
        case Edge() | Look():
            return 0, 0
        case Back():
            return 0, MANY
        case Repeat():
            low, high = widths(node.body)
            return low * node.least, min(MANY, high * (MANY if node.most is None else node.most))
        case Group() | Fold():
            return widths(node.body)
        case Sequence():
            found = [widths(part) for part in node.parts]
            return sum(low for low, _ in found), min(MANY, sum(high for _, high in found))
        case Choice():
            found = [widths(option) for option in node.options]
            return min(low for low, _ in found), max(high for _, high in found)
