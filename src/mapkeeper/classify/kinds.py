"""Classes of characters, as programs refer to them (see `program`)."""

from __future__ import annotations

from dataclasses import dataclass

import regex

from mapkeeper.classify.nodes import Chars

SPELLINGS = {
    letter: frozenset(char for char in "\u017f\u212a\u0130\u0131" if regex.match(f"(?i){letter}", char))
    for letter in "iskISK"
}
"""Letters of ASCII with the letters beyond it that are the same where case makes no difference."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A class of characters, as programs refer to it."""

    ascii: frozenset[str]
    beyond: bool
    negated: bool = False
    kinds: frozenset[str] = frozenset()
    ranges: tuple[tuple[int, int], ...] = ()


class Impossible(Exception):
    """The machine has no word for it."""


def kind_of(node: Chars, fold: bool, dots: bool) -> Kind:
    """The class of a part.

    ``fold``: small letters and capitals are the same; ``dots``: a dot is also the end of a line.

    Raises:
        Impossible: it has very many letters that have another case.
    """
    if "." in node.kinds and dots:
        return Kind(frozenset(map(chr, range(128))), True, True)
    chars = node.ascii(fold)
    other = frozenset().union(*(SPELLINGS[char] for char in node.members & SPELLINGS.keys())) if fold else frozenset()
    if not (node.beyond or other):
        return Kind(chars, False)
    kinds = node.kinds - {"."}
    if fold and kinds & {"pLu", "pLl", "pLt"}:
        kinds |= {"pLu", "pLl", "pLt"}
    ranges = node.ranges + tuple((ord(char), ord(char)) for char in other)
    if fold:
        ranges += tuple((ord(other), ord(other)) for low, high in node.ranges for other in _other_cases(low, high))
    return Kind(chars, True, node.negated, kinds, tuple(sorted(set(ranges))))


def _other_cases(low: int, high: int) -> set[str]:
    if high - low > 1000:
        raise Impossible
    cases = {each for code in range(low, high + 1) for each in (chr(code).lower(), chr(code).upper())}
    return {each for each in cases if len(each) == 1 and not each.isascii()}
