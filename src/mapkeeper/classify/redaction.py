"""Names are values too: an object key, path, sheet or column name can hold an address or a number of somebody."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

import regex

from mapkeeper.classify.expressions import LONGEST, PATIENCE, Expression
from mapkeeper.classify.matching import holds
from mapkeeper.rules import Rule

Token = Callable[[str, str], str]

_PART = regex.compile(r"[^/\\?&=,;|{}<>\"]+")
"""A name is looked at part by part: what is between separators of paths and queries."""

_CLOCK = regex.compile(
    r"(?:19|20)\d{2}[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])(?:[-_.T ]?\d{2,9}Z?)?|1\d{9}|1\d{12}"
)
"""Days, and seconds or milliseconds since 1970: they make names of files, not of people."""

_BELIEVED = 0.5
"""Least score of a pattern that may redact without a check …"""

_CHANCE = 0.07
"""… or share of random digits up to which a check may be passed."""


class Redaction:
    """What replaces the parts of a name that identify somebody."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = [
            (rule, [Expression(pattern.regex) for pattern in rule.find if _trusted(rule, pattern.score)])
            for rule in rules
            if rule.identifying
        ]

    def redacted(self, name: str, token: Token) -> str:
        """The name with each part that an identifying rule recognizes replaced by ``token(kind, value)``."""
        if len(name) > LONGEST:
            return token("name", name)
        return _PART.sub(lambda part: self._part(part.group(), token), name)

    def _part(self, part: str, token: Token) -> str:
        if not any(char.isdigit() or char == "@" for char in part):
            return part
        out: list[str] = []
        at = 0
        for start, end, kind in sorted(self._found(part), key=lambda span: (span[0], -span[1])):
            if start >= at:
                out += [part[at:start], token(kind, part[start:end])]
                at = end
        return "".join([*out, part[at:]])

    def _found(self, part: str) -> Iterator[tuple[int, int, str]]:
        spellings = {part, part.replace("_", " ")}  # to an expression "_" is a letter, in a name mostly a space
        for rule, expressions in self._rules:
            for expression, spelled in itertools.product(expressions, spellings):
                group: int | str = "value" if expression.named else 0
                try:
                    spans = [match.span(group) for match in expression.compiled.finditer(spelled, timeout=PATIENCE)]
                except TimeoutError:
                    yield 0, len(part), "name"  # made to stall: better hidden whole
                    continue
                for start, end in spans:
                    if held := _held(rule, expression, part[start:end]):
                        yield start, start + held, rule.category.rpartition(".")[2]


def _trusted(rule: Rule, score: float) -> bool:
    return (
        score >= _BELIEVED
        if rule.check is None
        else rule.chance is None or rule.chance <= _CHANCE or score >= _BELIEVED
    )


def _held(rule: Rule, expression: Expression, value: str) -> int:
    """How much of a value identifies somebody: ".json" or ".log.1" behind an address is not its last label."""
    while value:
        if _identifies(rule, value):
            return len(value)
        value = value.rpartition(".")[0]
        if not expression.compiled.fullmatch(value, timeout=PATIENCE):
            break
    return 0


def _identifies(rule: Rule, value: str) -> bool:
    if _CLOCK.fullmatch(value):
        return False
    if value.isdigit() and (rule.check is None or rule.chance is None or rule.chance > _CHANCE):
        return False
    return holds(rule, value)
