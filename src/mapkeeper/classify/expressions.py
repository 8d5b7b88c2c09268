"""Run one regular expression over distinct texts: where the sieve leads it, or over whole segments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl
import regex

from mapkeeper.classify.hits import Flags, Hits, Numbers, Texts, listed, together
from mapkeeper.classify.patterns import Study, study
from mapkeeper.classify.roads import Road
from mapkeeper.classify.segments import Segments
from mapkeeper.classify.sieve import Sifted

PATIENCE = 0.2
"""Seconds that one expression may spend on one text in Python."""

LONGEST = 64 * 1024
"""Characters of a text that Python's engine is let loose on; Rust's needs no limit."""

FEW = 8 * 1024
"""Characters up to which Python is quicker than having Rust compile the expression."""


_FOLDING = regex.compile(r"\(\?[ms]*i")
"""What makes an expression take capitals for small letters."""


class _Matches(NamedTuple):
    """Matches in some texts: which of them, and the value."""

    at: Numbers
    value: pl.Series


class Expression:
    """A regular expression, compiled for Python and, as far as that goes, for Rust."""

    def __init__(self, text: str, score: float = 1.0, number: int = -1) -> None:
        """``number``: which of the sieve's it is; negative for one that does not go by the sieve."""
        self.text = text
        self.score = score
        self.number = number

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    @cached_property
    def study(self) -> Study:
        """What was learned by reading it."""
        return study(self.text)

    @cached_property
    def compiled(self) -> regex.Pattern[str]:
        """What decides."""
        return regex.compile(self.text)

    @cached_property
    def group(self) -> int:
        """The group that is the value; 0 is the whole match."""
        return self.compiled.groupindex.get("value", 0)

    def find(self, sifted: Sifted, among: Flags | None = None) -> Hits | None:
        """Every match anywhere in the texts, or only ``among`` some of them; ``None`` where there is none."""
        parts: list[Hits | None] = [*self._sliced(sifted, among), *self._aside(sifted)]
        if sifted.road(self.number) in (Road.TEXT, Road.SEED, Road.EVERY):
            texts = sifted.holders(self.number)
            parts.append(self._within(sifted, texts if among is None else texts[among[texts]]))
        found = together(parts)
        return None if found is None else found.scored(self.score)

    def _sliced(self, sifted: Sifted, among: Flags | None) -> Iterator[Hits]:
        """Matches in the stretches where it can match."""
        for slices, codes in sifted.slices(self.number):
            if among is not None:
                codes = slices.among(codes, sifted.kept_of(among))
            if not len(codes):
                continue
            matches = self._matches(slices.values.gather(codes))
            if matches is not None:
                value, text = slices.places(codes[matches.at])
                yield _hits(sifted, matches.value, sifted.ids(text), value)

    def _within(self, sifted: Sifted, ids: Texts) -> Hits | None:
        """Matches in some whole texts."""
        matches = self._matches(sifted.texts.gather(ids)) if len(ids) else None
        if matches is None:
            return None
        return _hits(sifted, matches.value, ids[matches.at], np.arange(len(matches.at)))

    def _aside(self, sifted: Sifted) -> Iterator[Hits]:
        """Matches in what the sieve kept aside."""
        for segments, held in sifted.aside(self.number):
            if (found := self._in(segments)) is not None:
                hits = pl.DataFrame({"id": found[0], "value": np.arange(len(found[0]))})
                hits = held.join(hits, on="id", how="inner")
                text, value = hits.get_column("holder").to_numpy(), hits.get_column("value").to_numpy()
                yield _hits(sifted, found[1], text, value)

    def _in(self, segments: Segments) -> tuple[pl.Series, pl.Series] | None:
        """Every match anywhere in some segments: their ids and the values."""
        if not segments.can(self.study.needs):
            return None
        frame = segments.that_can(self.study.needs)
        matches = self._matches(frame.get_column("text"))
        return None if matches is None else (frame.get_column("id").gather(matches.at), matches.value)

    def full(self, texts: pl.Series) -> Hits | None:
        """The texts that match from end to end; ``None`` where there is none."""
        ids = pl.int_range(len(texts), eager=True)
        spelled = self.study.rust
        decided = False
        if spelled is not None and int(texts.str.len_bytes().sum()) > FEW:
            ids = texts.str.contains(rf"\A(?:{spelled})\z").arg_true()
            decided = self.study.exact
        held = texts.gather(ids)
        if not decided:
            fits = pl.Series([self._fullmatch(text) for text in held], dtype=pl.Boolean)
            ids, held = ids.filter(fits), held.filter(fits)
        return listed(held, ids.to_numpy()) if len(held) else None

    def _matches(self, texts: pl.Series) -> _Matches | None:
        """Every match in some texts; ``None`` where there is none."""
        size = int(texts.str.len_bytes().sum())
        spelled = self.study.ascii if size == int(texts.str.len_chars().sum()) else self.study.rust
        if spelled is None or size <= FEW or (spelled is self.study.rust and self._folds(texts)):
            return self._python(enumerate(texts))
        if self.study.exact and not self.group:
            return _spread(np.arange(len(texts)), texts.str.extract_all(spelled))
        if self.study.exact:
            return self._of_group(texts, spelled)
        at = texts.str.contains(spelled).arg_true()
        return self._python(zip(at, texts.gather(at), strict=True)) if len(at) else None

    def _folds(self, texts: pl.Series) -> bool:
        """Whether case makes a difference that Python and Rust see differently: both dots of a Turkish i."""
        return _FOLDING.search(self.text) is not None and bool(texts.str.contains("[\u0130\u0131]").any())

    def _of_group(self, texts: pl.Series, spelled: str) -> _Matches | None:
        """Rust tells the groups of the first match only; texts with several are Python's."""
        counts = texts.str.count_matches(spelled)
        at = (counts == 1).arg_true()
        first = texts.gather(at).str.extract(spelled, self.group).alias("value")
        full = first.is_not_null() & (first != "")
        single = _Matches(at.filter(full).to_numpy().astype(np.int64), first.filter(full))
        more = (counts > 1).arg_true()
        several = self._python(zip(more, texts.gather(more), strict=True))
        if several is None:
            return single if len(single.at) else None
        return _Matches(np.concatenate([single.at, several.at]), pl.concat([single.value, several.value]))

    def _python(self, rows: Iterable[tuple[int, str]]) -> _Matches | None:
        found = [(at, value) for at, text in rows for value in self._finditer(text)]
        if not found:
            return None
        return _Matches(np.array([at for at, _ in found], np.int64), pl.Series("value", [value for _, value in found]))

    def _finditer(self, text: str) -> Iterator[str]:
        if len(text) > LONGEST:
            return
        try:
            for match in self.compiled.finditer(text, timeout=PATIENCE):
                value = match[self.group]
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


def _hits(sifted: Sifted, values: pl.Series, text: Texts, value: Numbers) -> Hits:
    lengths = values.str.len_bytes().to_numpy()
    return Hits(values, np.zeros(len(values)), text, value, lengths[value] == sifted.lengths[text])


def _spread(at: Numbers, found: pl.Series) -> _Matches | None:
    """One row a match, from lists of matches."""
    at = np.repeat(at.astype(np.int64), found.list.len().to_numpy())
    values = found.explode(empty_as_null=False, keep_nulls=False).alias("value")
    full = values != ""
    return _Matches(at[full.to_numpy()], values.filter(full)) if full.any() else None
