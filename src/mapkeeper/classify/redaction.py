"""Names are values too: an object key, path, sheet or column name can hold an address or a number of somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import regex

from mapkeeper.classify.expressions import LONGEST, PATIENCE, Expression
from mapkeeper.classify.matching import holds
from mapkeeper.classify.spelling import Spelling
from mapkeeper.rules import Rule

Token = Callable[[str, str], str]


class Span(NamedTuple):
    """A stretch of a part, and what kind of thing stands there."""

    start: int
    end: int
    kind: str


_PART = regex.compile(r"[^/\\?&=,;|{}<>\"]+")
"""A name is looked at part by part: what is between separators of paths and queries."""

_LONGEST_PART = 1_000
"""Characters of a part that expressions are let loose on; a longer one is no name that people gave."""

_LABEL = regex.compile(r"[-._][^-._]*$")

_MOST_LABELS = 64
"""What stands between dots and dashes: so much of it is taken from the end of a match, until the rest identifies."""

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
        plain = Spelling.plain(part)
        if not any(char.isdigit() or char == "@" for char in plain.text):
            return part
        if len(part) > _LONGEST_PART:
            return token("name", part)
        out: list[str] = []
        at = 0
        for start, end, kind in _apart(self._found(part, plain)):
            out += [part[at:start], token(kind, Spelling.plain(part[start:end]).text)]
            at = end
        return "".join([*out, part[at:]])

    def _found(self, part: str, plain: Spelling) -> Iterator[Span]:
        """What identifies somebody in any spelling of a part."""
        # A star stands for what the names of a family differ in: the digits of a domain, say.
        starless = Spelling(plain.text.replace("*", "0"), plain.places)
        spellings = {each.text: each for each in (Spelling(part), plain, plain.apart(), starless)}
        upper = plain.upper()  # small letters are a spelling, too, where a check decides
        for rule, expressions in self._rules:
            for spelled in spellings.values():
                yield from _spans(rule, expressions, spelled)
            if rule.check is not None and upper is not None:
                yield from _spans(rule, expressions, upper)


def _spans(rule: Rule, expressions: Iterable[Expression], spelled: Spelling) -> Iterator[Span]:
    """Where a rule recognizes somebody, by the places of the part."""
    for expression in expressions:
        if not spelled.can(expression.study.needs):
            continue
        group = expression.group
        at = 0
        try:
            while (match := expression.compiled.search(spelled.text, at, timeout=PATIENCE)) is not None:
                start, end = match.span(group)
                # Where a match is too much, what is cut off may be another: paths of JSON put keys behind each other.
                if held := _held(rule, expression, spelled.text[start:end]):
                    yield Span(spelled.places[start], spelled.places[start + held], rule.category.rpartition(".")[2])
                    at = start + held
                else:
                    word = spelled.text[match.start() : match.start() + 1].isalnum()
                    at = max(match.end() if word else 0, match.start() + 1)
        except TimeoutError:
            yield Span(spelled.places[0], spelled.places[-1], "name")  # made to stall: better hidden whole


def _apart(spans: Iterable[Span]) -> Iterator[Span]:
    """The spans in order; those that overlap as one, called after the longest."""
    last: Span | None = None
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if last is None or span.start >= last.end:
            if last is not None:
                yield last
            last = span
        elif span.end > last.end:
            longer = max(last, span, key=lambda span: span.end - span.start)
            last = Span(last.start, span.end, longer.kind)
    if last is not None:
        yield last


def _trusted(rule: Rule, score: float) -> bool:
    return (
        score >= _BELIEVED
        if rule.check is None
        else rule.chance is None or rule.chance <= _CHANCE or score >= _BELIEVED
    )


def _held(rule: Rule, expression: Expression, value: str) -> int:
    """How much of a value identifies somebody: ".json", ".log.1" or "-2026-01-01.csv" belongs to no address."""
    whole = value
    for _ in range(_MOST_LABELS):
        if (value is whole or expression.compiled.fullmatch(value, timeout=PATIENCE)) and _identifies(rule, value):
            return len(value)
        value = _LABEL.sub("", value)
    return 0


def _identifies(rule: Rule, value: str) -> bool:
    if _CLOCK.fullmatch(value):
        return False
    if value.isdigit() and (rule.check is None or rule.chance is None or rule.chance > _CHANCE):
        return False
    return holds(rule, value)
