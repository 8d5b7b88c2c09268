"""Run one rule over distinct texts: every match, its value, and whether the rule's check holds for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import polars as pl
import regex

from mapkeeper.classify.expressions import Expression, found, joined
from mapkeeper.classify.patterns import Needs
from mapkeeper.classify.segments import Segments, WordSegments
from mapkeeper.rules import Rule

REMEMBERED = 50_000
"""Verdicts of a check that are kept, a rule."""

ENOUGH = 2_000
"""Distinct values of one batch on which a check that chance passes is tried; the rest are taken to be like them."""

SURE = 10_000
"""Distinct values after which …"""

THEN = 250
"""… so many a batch are enough."""

CHANCY = 0.01
"""Share of random values that a check lets pass, from which it is such a one."""

Memo = dict[str, bool]
"""What a check said of a value."""

Hits = pl.DataFrame
"""Columns ``id`` (of the text), ``value``, ``whole`` (the value is all of the text), ``score`` (of the pattern; null
where the name speaks), and once judged ``valid`` (null: not tried)."""


class Matcher:
    """A rule, compiled. Keeps no value: what its check said is remembered in a ``memo`` of the caller's."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.expressions = tuple(Expression(pattern.regex, pattern.score) for pattern in rule.find)
        self._fit = Expression(f"(?:{rule.fit})") if rule.fit else None

    @cached_property
    def context(self) -> str | None:
        """For Rust: finds any word that speaks for the rule."""
        phrases = dict.fromkeys((*self.rule.context, *self.rule.names))
        if not phrases:
            return None
        spelled = (r"[\s_.-]{0,2}".join(map(regex.escape, phrase.split())) for phrase in phrases)
        return rf"(?i)(?:\b|_)(?:{'|'.join(spelled)})(?:\b|_)"

    def mentioned(self, texts: Segments) -> bool:
        """Whether any text holds a word that speaks for the rule; not asked where finding out is no cheaper."""
        if all(expression.study.exact for expression in self.expressions):
            return True
        return self.context is not None and bool(texts.texts.str.contains(self.context).any())

    def in_context(self, hits: Hits, texts: Segments) -> pl.Series:
        """For each match, whether its text also holds a word that speaks for the rule."""
        if self.context is None:
            return pl.repeat(False, len(hits), dtype=pl.Boolean, eager=True)
        held = hits.select("id").unique()
        held = held.with_columns(beside=texts.texts.gather(held.get_column("id")).str.contains(self.context))
        return hits.join(held, on="id", how="left", maintain_order="left").get_column("beside")

    def find(self, texts: Segments, words: WordSegments | None) -> Hits | None:
        """Every match of ``find`` anywhere in the texts; ``words`` are theirs, or ``None`` if all are single words.

        ``None`` where there is no match.
        """
        parts = []
        for expression in self.expressions:
            if words is None or expression.study.spans:
                hits = expression.search(texts)
            elif (hits := expression.search(words)) is not None:
                held = words.holders(hits)
                whole = texts.texts.gather(held.get_column("id")) == held.get_column("value")
                hits = held.select("id", "value", whole.alias("whole"))
            if hits is not None:
                parts.append(hits.with_columns(score=expression.score))
        if len(parts) < 2:
            return joined(parts)
        # What several patterns match is believed as far as the best of them.
        return (
            pl.concat(parts)
            .sort("score", descending=True, maintain_order=True)
            .unique(["id", "value"], keep="first", maintain_order=True)
        )

    def fits(self, texts: Segments) -> Hits | None:
        """The texts that ``fit`` describes from end to end."""
        hits = self._fit.full(texts) if self._fit else None
        return None if hits is None else unscored(hits)

    def judged(self, hits: pl.DataFrame, memo: Memo, thorough: bool) -> Hits:
        """The matches with what the check says; of very many values only a sample is tried, unless ``thorough``."""
        if self.rule.check is None:
            return hits.with_columns(valid=True)
        values = hits.get_column("value").unique(maintain_order=True)
        enough = ENOUGH if len(memo) < SURE else THEN
        if len(values) > enough and not thorough and (self.rule.chance or 0.0) >= CHANCY:
            values = values.gather(values.hash().arg_sort().head(enough))
        verdicts = pl.DataFrame({"value": values, "valid": [self._holds(value, memo) for value in values]})
        return hits.join(verdicts, on="value", how="left", maintain_order="left")

    def _holds(self, value: str, memo: Memo) -> bool:
        known = memo.get(value)
        if known is None:
            known = holds(self.rule, value)
            if len(memo) < REMEMBERED:
                memo[value] = known
        return known


def holds(rule: Rule, value: str) -> bool:
    """Whether a rule's check, if it has one, holds for a value."""
    if rule.check is None:
        return True
    try:
        return bool(rule.check(value))
    except Exception:
        # A check of a plug-in that stumbles over a value has not said that it holds.
        return False


def unscored(hits: pl.DataFrame) -> Hits:
    """Matches that rest on a name, not on a pattern."""
    return hits.with_columns(score=pl.lit(None, dtype=pl.Float64))


class Lists:
    """The closed lists of all rules, looked up at once."""

    def __init__(self, lists: Mapping[int, frozenset[str]]) -> None:
        """``lists``: the casefolded values by a rule's number."""
        self._rules: dict[str, list[int]] = {}
        for rule, values in lists.items():
            for value in values:
                self._rules.setdefault(value, []).append(rule)
        self._longest = 2 * max(map(len, self._rules), default=0)  # folding can shorten a text, never to half

    def find(self, texts: Segments) -> dict[int, Hits]:
        """The texts that are among the values of each rule."""
        rows: dict[int, list[tuple[int, str, bool]]] = {}
        for id, text in self._candidates(texts):
            for rule in self._rules.get(text.casefold(), ()):
                rows.setdefault(rule, []).append((id, text, True))
        return {rule: unscored(hits) for rule, listed in rows.items() if (hits := found(listed)) is not None}

    def _candidates(self, texts: Segments) -> Sequence[tuple[int, str]]:
        if texts.are_few:
            return texts.few_that_can(Needs())
        short = texts.that_can(Needs()).filter(pl.col("length") <= self._longest)
        lower = pl.col("text").str.to_lowercase()
        # Case folding is Python's, and differs from lower case only beyond ASCII.
        beyond = lower.str.len_bytes() != lower.str.len_chars()
        return short.filter(lower.is_in(list(self._rules)) | beyond).select("id", "text").rows()
