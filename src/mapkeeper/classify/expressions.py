"""Run regular expressions over distinct texts: many at once to see which texts can match, then one by one."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import polars as pl
import regex

from mapkeeper.classify.patterns import Study
from mapkeeper.classify.reading import study
from mapkeeper.classify.segments import Segments

PATIENCE = 0.2
"""Seconds that one expression may spend on one text in Python."""

LONGEST = 64 * 1024
"""Characters of a text that Python's engine is let loose on; Rust's needs no limit."""

TOGETHER = 12
"""Expressions of one gate: more make Rust's automaton too large to be quick."""

MANY_DIGITS = 5
"""Expressions that need so many have gates of their own: few texts have them, so few are left to look at."""

Found = pl.DataFrame
"""Columns ``id`` (of the text), ``value``, ``whole`` (the value is all of the text)."""

_SCHEMA = {"id": pl.UInt32, "value": pl.String, "whole": pl.Boolean}


class Gate:
    """Several expressions in one, to find the few texts that any of them can match."""

    def __init__(self, members: Sequence[Expression]) -> None:
        self._needs = members[0].study.needs
        for member in members[1:]:
            self._needs = self._needs.either(member.study.needs)
        self._rust = "|".join(f"(?:{member.study.rust})" for member in members)
        self._ascii = "|".join(f"(?:{member.study.ascii})" for member in members)

    def survivors(self, segments: Segments) -> pl.DataFrame:
        """The (id, text, …) of the texts that may match; worked out once for all members."""
        known = segments.survivors.get(id(self))
        if known is None:
            known = segments.that_can(self._needs)
            if len(known):
                spelled = self._ascii if segments.ascii else self._rust
                # Together they may be too large for Rust; then each has to see for itself.
                with contextlib.suppress(pl.exceptions.ComputeError):
                    known = known.filter(pl.col("text").str.contains(spelled))
            segments.survivors[id(self)] = known
        return known


class Expression:
    """A regular expression, compiled for Python and, as far as that goes, for Rust."""

    def __init__(self, text: str, score: float = 1.0) -> None:
        self.text = text
        self.score = score
        self.gate: Gate | None = None

    @cached_property
    def study(self) -> Study:
        """What was learned by reading it."""
        return study(self.text)

    @cached_property
    def compiled(self) -> regex.Pattern[str]:
        """What decides."""
        return regex.compile(self.text)

    @cached_property
    def named(self) -> bool:
        """Whether a group is the value, instead of the whole match."""
        return "value" in self.compiled.groupindex

    def search(self, segments: Segments) -> Found | None:
        """Every match anywhere in the texts; ``None`` where there is none."""
        needs = self.study.needs
        spelled = self.study.ascii if segments.ascii else self.study.rust
        if not segments.can(needs):
            return None
        if segments.are_few or spelled is None:
            return self._python(segments.few_that_can(needs)) if self._in(segments) else None
        if self.gate is None:
            frame = segments.that_can(needs)
        else:
            frame = self.gate.survivors(segments)
            if len(frame):
                frame = frame.filter((pl.col("length") >= needs.length) & (pl.col("digits") >= needs.digits))
        if len(frame):
            frame = frame.filter(pl.col("text").str.contains(spelled))
        if not len(frame):
            return None
        if self.named or not self.study.exact:
            return self._python(frame.select("id", "text").iter_rows())
        found = frame.select("id", "text", pl.col("text").str.extract_all(spelled).alias("value"))
        found = found.explode("value", empty_as_null=False, keep_nulls=False).filter(pl.col("value") != "")
        return found.select("id", "value", (pl.col("text") == pl.col("value")).alias("whole"))

    def full(self, segments: Segments) -> Found | None:
        """The texts that match from end to end; ``None`` where there is none."""
        spelled = self.study.ascii if segments.ascii else self.study.rust
        rows: Iterable[tuple[int, str]]
        if segments.are_few or spelled is None:
            rows = segments.few_that_can(self.study.needs)
        else:
            frame = segments.that_can(self.study.needs)
            if len(frame):
                frame = frame.filter(pl.col("text").str.contains(rf"\A(?:{spelled})\z"))
            if self.study.exact:
                return frame.select("id", value="text", whole=True) if len(frame) else None
            rows = frame.select("id", "text").iter_rows()
        return found([(id, text, True) for id, text in rows if self._fullmatch(text)])

    def _in(self, segments: Segments) -> bool:
        """Whether a few texts can hold a match: asked of all at once, where what lies between texts cannot matter."""
        if (self.study.spans and not self.study.exact) or not segments.are_few:
            return True
        try:
            return self.compiled.search(segments.joined, timeout=PATIENCE) is not None
        except TimeoutError:
            return True

    def _python(self, rows: Iterable[tuple[int, str]]) -> Found | None:
        matches = ((id, text, value) for id, text in rows for value in self._finditer(text))
        return found([(id, value, len(value) == len(text)) for id, text, value in matches])

    def _finditer(self, text: str) -> Iterator[str]:
        if len(text) > LONGEST:
            return
        try:
            for match in self.compiled.finditer(text, timeout=PATIENCE):
                value = match["value"] if self.named else match.group()
                if value:
                    yield value
        except TimeoutError:
            return

    def _fullmatch(self, text: str) -> bool:
        if len(text) > LONGEST:
            return False
        try:
            return self.compiled.fullmatch(text, timeout=PATIENCE) is not None
        except TimeoutError:
            return False


def gated(expressions: Iterable[Expression]) -> None:
    """Put expressions that are alike behind common gates."""

    def likeness(expression: Expression) -> tuple[bool, int, list[str]]:
        needs = expression.study.needs
        return expression.study.spans, min(needs.digits, 12), sorted(needs.marks)

    def kind(expression: Expression) -> tuple[bool, bool]:
        spans, digits, _ = likeness(expression)
        return spans, digits >= MANY_DIGITS

    known = sorted((expression for expression in expressions if expression.study.rust is not None), key=likeness)
    for _, alike in itertools.groupby(known, key=kind):
        of_kind = list(alike)
        for start in range(0, len(of_kind), TOGETHER):
            members = of_kind[start : start + TOGETHER]
            gate = Gate(members)
            for member in members:
                member.gate = gate


def found(rows: Sequence[tuple[int, str, bool]]) -> Found | None:
    """Matches as a table; ``None`` where there is none."""
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row") if rows else None


def joined(parts: Sequence[pl.DataFrame | None]) -> pl.DataFrame | None:
    """Several tables as one; ``None`` where there is none."""
    held = [part for part in parts if part is not None]
    return None if not held else held[0] if len(held) == 1 else pl.concat(held)
