"""Run one rule over distinct texts: every match, its value, and whether the rule's check holds for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import polars as pl
import regex

from mapkeeper.classify.expressions import Expression
from mapkeeper.classify.hits import TRUE, UNTRIED, Flags, Hits, Texts, listed, together
from mapkeeper.classify.sieve import Found, Sifted
from mapkeeper.rules import Rule

REMEMBERED = 20_000
"""Verdicts of a check that are kept, a rule."""

ENOUGH = 2_000
"""Distinct values of one batch on which a check that chance passes is tried; the rest are taken to be like them."""

SURE = 10_000
"""Distinct values after which …"""

THEN = 250
"""… so many a batch are enough."""

_FEW = 500
"""Texts up to which asking Python for each is quicker than narrowing them down."""

CHANCY = 0.01
"""Share of random values that a check lets pass, from which it is such a one."""

Memo = dict[str, bool]
"""What a check said of a value."""


class Matcher:
    """A rule, compiled. Keeps no value: what its check said is remembered in a ``memo`` of the caller's."""

    def __init__(self, rule: Rule, first: int = 0, form: int = 0) -> None:
        """``first``: the number of its first expression in the sieve; ``form``: that of what its values look like."""
        self.rule = rule
        self.expressions = tuple(
            Expression(pattern.regex, pattern.score, number) for number, pattern in enumerate(rule.find, first)
        )
        self.fit = Expression(f"(?:{rule.fit})", number=form) if rule.fit else None

    @cached_property
    def _phrases(self) -> Sequence[Sequence[str]]:
        """What speaks for the rule, word by word."""
        return [phrase.split() for phrase in dict.fromkeys((*self.rule.context, *self.rule.names)) if phrase.strip()]

    @cached_property
    def hints(self) -> frozenset[str]:
        """One word of every phrase that speaks for the rule, in small letters: a text without any has none of them."""
        return frozenset(max(words, key=len).lower() for words in self._phrases)

    @cached_property
    def context(self) -> str | None:
        """For Rust: finds any phrase that speaks for the rule."""
        if not self._phrases:
            return None
        spelled = (r"[\s_.-]{0,2}".join(map(regex.escape, words)) for words in self._phrases)
        return rf"(?i)(?:\b|_)(?:{'|'.join(spelled)})(?:\b|_)"

    def in_context(self, places: Texts, texts: pl.Series, hinted: Texts) -> Flags:
        """For each place, whether its text also holds a phrase that speaks for the rule; ``hinted`` ones may."""
        if self.context is None or not len(hinted):
            return np.zeros(len(places), bool)
        speak = np.zeros(len(texts), bool)
        speak[places] = True
        speak[np.setdiff1d(np.flatnonzero(speak), hinted, assume_unique=True)] = False
        asked = np.flatnonzero(speak)
        speak[asked] = texts.gather(asked).str.contains(self.context).to_numpy()
        return speak[places]

    def find(self, found: Found) -> Hits | None:
        """Every match of ``find``; ``None`` where there is no match."""
        return together([expression.find(found) for expression in self.expressions])

    def fits(self, sifted: Sifted) -> Hits | None:
        """The texts that ``fit`` describes from end to end."""
        return self.fit.full(sifted) if self.fit else None

    def judged(self, hits: Hits, memo: Memo, thorough: bool) -> Hits:
        """The matches with what the check says; of very many values only a sample is tried, unless ``thorough``."""
        check = self.rule.check
        if check is None:
            return replace(hits, verdict=np.full(len(hits.values), TRUE, np.int8))
        many = getattr(check, "many", None)
        if many is not None:
            return replace(hits, verdict=np.asarray(many(hits.values), np.int8))
        verdict = np.full(len(hits.values), UNTRIED, np.int8)
        enough = ENOUGH if len(memo) < SURE else THEN
        if len(hits.values) > enough and not thorough and (self.rule.chance or 0.0) >= CHANCY:
            tried = hits.values.hash().arg_sort().head(enough).to_numpy()
        else:
            tried = np.arange(len(hits.values))
        verdict[tried] = [self._holds(value, memo) for value in hits.values.gather(tried)]
        return replace(hits, verdict=verdict)

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


class Lists:
    """The closed lists of all rules, looked up at once."""

    def __init__(self, lists: Mapping[int, frozenset[str]]) -> None:
        """``lists``: the casefolded values by a rule's number."""
        self._rules: dict[str, list[int]] = {}
        for rule, values in lists.items():
            for value in values:
                self._rules.setdefault(value, []).append(rule)
        self._all = pl.Series(list(self._rules), dtype=pl.String).implode()
        self._longest = 2 * max(map(len, self._rules), default=0)  # folding can shorten a text, never to half

    def find(self, texts: pl.Series) -> dict[int, Hits]:
        """The texts that are among the values of each rule."""
        rows: dict[int, list[tuple[int, str]]] = {}
        for id, text in self._candidates(texts):
            for rule in self._rules.get(text.casefold(), ()):
                rows.setdefault(rule, []).append((id, text))
        return {
            rule: listed(pl.Series("value", [text for _, text in found]), np.array([id for id, _ in found]))
            for rule, found in rows.items()
        }

    def _candidates(self, texts: pl.Series) -> Iterable[tuple[int, str]]:
        frame = pl.DataFrame({"text": texts}).with_row_index("id")
        short = frame.filter(pl.col("text").str.len_chars() <= self._longest)
        if len(short) < _FEW:
            return short.iter_rows()
        lower = pl.col("text").str.to_lowercase()
        # Case folding is Python's, and differs from lower case only beyond ASCII.
        beyond = lower.str.len_bytes() != lower.str.len_chars()
        return short.filter(lower.is_in(self._all) | beyond).iter_rows()
