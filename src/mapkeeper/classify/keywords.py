"""Strings of which every match of an expression holds one, and how far from where the match begins."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from mapkeeper.classify.nodes import Back, Chars, Choice, Edge, Fold, Group, Look, Node, Repeat, Sequence
from mapkeeper.classify.patterns import MANY, widths

_SIGNS = "\t@$\\*{}<>[]|#&?~^"  # rare enough to look for alone
_VARIANTS = 256  # strings that an alternative is spelled out to
_LONG = 24  # characters of one such string

Reach = tuple[int, int | None]
"""Characters of a match before a literal: the fewest, and the most; ``None``: no limit.

Fewer than none where the literal stands before the match."""


def keywords(node: Node) -> Mapping[str, Reach]:
    """The strings, in small letters: of two spellings of a word the kernel knows one. Empty: there are none."""
    return _literals(node).best


@dataclass(frozen=True)
class _Spelled:
    """What a part can be, if that is a few strings; and strings of which every match holds one."""

    exact: frozenset[str] | None
    best: Mapping[str, Reach] = field(default_factory=dict)

    @cached_property
    def worth(self) -> tuple[int, int]:
        """How few texts hold those strings: the longer the better, and the fewer."""
        return _worth(self.best)

    def moved(self, least: int, most: int | None) -> _Spelled:
        """The same behind so many characters."""
        if not self.best:
            return self
        return _Spelled(
            self.exact, {each: (max(low + least, -MANY), plus(high, most)) for each, (low, high) in self.best.items()}
        )


def _literals(node: Node) -> _Spelled:
    """In small letters: of two spellings of a word the kernel knows one."""
    match node:
        case Chars():
            few = not node.negated and node.wide is not None and len(node.members | node.wide) <= 8
            return _spelled(frozenset(map(str.lower, node.members | (node.wide or frozenset()))) if few else None)
        case Edge():
            return _Spelled(frozenset({""}))
        case Look():
            best = {} if node.negative else _literals(node.body).best
            if node.behind:
                return _Spelled(frozenset({""}), {literal: (-MANY, -len(literal)) for literal in best})
            return _Spelled(frozenset({""}), best)
        case Repeat():
            return _repeated(node)
        case Group() | Fold() | Back():
            return _literals(node.body)
        case Sequence():
            return _in_a_row([(_literals(part), *_widths(part)) for part in node.parts])
        case Choice():
            options = [_literals(option) for option in node.options]
            exact = frozenset().union(*(option.exact for option in options if option.exact is not None))
            if all(option.exact is not None for option in options) and len(exact) <= _VARIANTS:
                return _spelled(exact)
            if not all(option.best for option in options):
                return _Spelled(None)
            return _Spelled(None, united(option.best for option in options))


def united(reaches: Iterable[Mapping[str, Reach]]) -> dict[str, Reach]:
    """Several as one: what holds for a string wherever it comes from."""
    united: dict[str, Reach] = {}
    for each in reaches:
        for literal, (low, high) in each.items():
            other_low, other_high = united.get(literal, (low, high))
            most = None if high is None or other_high is None else max(high, other_high)
            united[literal] = min(low, other_low), most
    return united


def _widths(node: Node) -> tuple[int, int | None]:
    least, most = widths(node)
    return least, most if most < MANY else None


def most(node: Node) -> int | None:
    """The most characters of a part; ``None``: no limit."""
    return _widths(node)[1]


def _repeated(node: Repeat) -> _Spelled:
    body = _literals(node.body)
    if node.least == 0:
        once = node.most == 1 and body.exact is not None
        return _Spelled(body.exact | {""} if once and body.exact is not None else None)
    if node.least == node.most and body.exact is not None and len(body.exact) ** node.least <= _VARIANTS:
        return _in_a_row([(body, *_widths(node.body))] * node.least)
    return _Spelled(None, body.best)


def _in_a_row(parts: list[tuple[_Spelled, int, int | None]]) -> _Spelled:
    running: frozenset[str] = frozenset({""})
    best = _Spelled(None)
    whole = True
    passed: tuple[int, int | None] = 0, 0  # characters before what is running

    def ended(strings: frozenset[str]) -> tuple[int, int | None]:
        return passed[0] + min(map(len, strings)), plus(passed[1], max(map(len, strings)))

    for part, least, most in parts:
        best = _better(best, part.moved(*ended(running)))
        if part.exact is not None and len(running) * len(part.exact) <= _VARIANTS:
            longer = frozenset(left + right for left in running for right in part.exact)
            if max(map(len, longer)) <= _LONG:
                running = longer
                continue
            best, whole = _better(best, _spelled(longer).moved(*passed)), False
            passed, running = ended(longer), frozenset({""})
            continue
        best, whole = _better(best, _spelled(running).moved(*passed)), False
        passed, running = ended(running), frozenset({""})
        if part.exact is not None:
            running = part.exact
        else:
            passed = passed[0] + least, plus(passed[1], most)
    best = _better(best, _spelled(running).moved(*passed))
    return _Spelled(running if whole else None, best.best)


def plus(left: int | None, right: int | None) -> int | None:
    """The sum of two numbers of which ``None`` is without limit."""
    return None if left is None or right is None else left + right


def _spelled(exact: frozenset[str] | None) -> _Spelled:
    if exact is None:
        return _Spelled(None)
    worth = _worth(exact)[0] >= _least(exact)
    return _Spelled(exact, dict.fromkeys(exact, (0, 0)) if worth else {})


def _better(left: _Spelled, right: _Spelled) -> _Spelled:
    """Of two sets of strings the one that fewer texts hold: longer ones, or fewer."""
    candidates = [each for each in (left, right) if each.best and each.worth[0] >= _least(each.best)]
    return (
        max(candidates, key=lambda each: each.worth, default=_Spelled(None)) if len(candidates) != 1 else candidates[0]
    )


def _worth(strings: Collection[str]) -> tuple[int, int]:
    length = min((len(string.strip(" ")) for string in strings), default=0)
    return min(length, 6), -len(strings)


def _least(strings: Collection[str]) -> int:
    """Fewest characters of a literal that is worth looking for; one sign is enough, but not one letter."""
    return 1 if all(len(string) == 1 and (string in _SIGNS or not string.isascii()) for string in strings) else 2
