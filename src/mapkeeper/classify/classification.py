"""What is learned of one asset while its batches pass."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import polars as pl
import pyarrow as pa

from mapkeeper.classify.cells import Cells, cells
from mapkeeper.classify.counting import Count
from mapkeeper.classify.evidence import Seen
from mapkeeper.classify.hits import Flags, Hits, Texts, together
from mapkeeper.classify.judgement import Judgement, judge
from mapkeeper.classify.matching import Memo
from mapkeeper.classify.names import Name, Speech
from mapkeeper.classify.positions import Positions
from mapkeeper.classify.ruleset import Ruleset
from mapkeeper.classify.table import Table
from mapkeeper.classify.tally import FieldTally, RuleTally
from mapkeeper.classify.weights import Mark
from mapkeeper.plugin import Batch
from mapkeeper.rules import Rule

TOGETHER = 2 << 20
"""Bytes of one column that are run together."""

HELD = 8 << 20
"""Bytes that wait for more of their columns: a column costs as much to run whether it is short or long."""

_FEW = 200
"""Texts up to which Python is quicker than a whole column's way."""

Counted = tuple[tuple[FieldTally, str, dict[int, RuleTally]], ...]
"""What was counted of an asset so far: its fields in order, with their comments, and the rules by number.

Good for another `Classification` with the same rules, also in another process. Holds hashes and masks of values.
"""


def merged(earlier: Counted, later: Counted, reveal: int = 0) -> Counted:
    """What was counted of two stretches of an asset, one behind the other, as if one had counted both.

    Takes over what ``earlier`` holds: that is not to be used any more. ``reveal`` is what both were asked for.
    """
    fields = {tally.name: (tally, comment, rules) for tally, comment, rules in earlier}
    for tally, comment, rules in later:
        if (before := fields.get(tally.name)) is None:
            fields[tally.name] = (tally, comment, rules)
            continue
        before[0].merge(tally)
        for number, found in rules.items():
            if (held := before[2].setdefault(number, found)) is not found:
                held.merge(found, reveal)
    return tuple(fields.values())


class Classification:
    """Takes in the batches of one asset. Memory does not grow with their number."""

    def __init__(
        self,
        ruleset: Ruleset,
        asset_name: str,
        client_domains: tuple[str, ...],
        reveal: int,
        counted: Counted = (),
    ) -> None:
        self._ruleset = ruleset
        self._name = ruleset.vocabulary.asset(asset_name)
        self._domains = tuple(domain.casefold().lstrip("@") for domain in client_domains)
        self._reveal = reveal
        self._fields = {tally.name: _Field(tally, text, self._name, ruleset, found) for tally, text, found in counted}
        self._order = dict.fromkeys(self._fields)
        self._memos: dict[int, Memo] = {}
        self._waiting: dict[str, list[tuple[Batch, pa.Field, pa.Array]]] = {}
        self._bytes = 0

    def __repr__(self) -> str:
        return f"Classification(fields={len(self._fields)})"

    def add(self, batch: Batch) -> None:
        """Take in some rows; the columns may differ from batch to batch."""
        seen: set[str] = set()
        for field, column in zip(batch.data.schema, batch.data.columns, strict=True):
            if field.name in seen:
                continue  # a second column of one name cannot be told from the first
            seen.add(field.name)
            self._order[field.name] = None
            waiting = self._waiting.setdefault(field.name, [])
            if waiting and waiting[0][1].type != field.type:
                self._run(field.name)
                waiting = self._waiting.setdefault(field.name, [])
            waiting.append((batch, field, column))
            self._bytes += column.nbytes
            if sum(each.nbytes for _, _, each in waiting) >= TOGETHER:
                self._run(field.name)
        if self._bytes >= HELD:
            self._flush()

    def counted(self) -> Counted:
        """All that was counted so far.

        Where it is asked for is where batches are cut, which shows in what is extrapolated: ask at places that hang
        on the asset alone.
        """
        self._flush()
        self._memos.clear()
        return tuple((field.tally, field.comment, field.rules) for field in map(self._fields.__getitem__, self._order))

    def finish(self) -> Judgement:
        """Judge what was seen."""
        self._flush()
        ruleset, fields = self._ruleset, [self._fields[name] for name in self._order]
        names = tuple(field.name for field in fields)
        role_from = ruleset.weights["limits", "role_fields"]
        table = Table(self._name, names, ruleset.words, ruleset.vocabulary, role_from)
        seen = [Seen(field.tally, field.name, field.speeches, field.rules) for field in fields]
        return judge(seen, table, ruleset.rules, ruleset.weights)

    def _flush(self) -> None:
        """Run the rules over all columns that wait."""
        for name in tuple(self._waiting):
            self._run(name)

    def _run(self, name: str) -> None:
        """Run the rules over what has come together of one column."""
        waiting = self._waiting.pop(name)
        self._bytes -= sum(column.nbytes for _, _, column in waiting)
        self._take(waiting)

    def _take(self, waiting: Sequence[tuple[Batch, pa.Field, pa.Array]]) -> None:
        schema = waiting[0][1]
        positions = Positions([batch for batch, _, _ in waiting])
        found = cells(pa.concat_arrays([column for _, _, column in waiting]))
        field = self._fields.get(schema.name)
        if field is None:
            comment = (schema.metadata or {}).get(b"comment", b"").decode("utf-8", "replace")
            tally = FieldTally(schema.name, str(schema.type), found.type)
            field = self._fields[schema.name] = _Field(tally, comment, self._name, self._ruleset, {})
        idle = _idle(found.texts, self._ruleset.words.idle)
        field.tally.add(found, idle)
        if not len(found.texts):
            return
        in_text = bool(found.texts.str.contains(r"\s").any())
        listed = self._ruleset.lists.find(found.texts)
        look = _Look(self._ruleset, field, found, in_text)
        for number in sorted(look.promising.union(listed)):
            hits = together([look.hits(number), listed.get(number)])
            if hits is not None:
                if idle.any():
                    hits = hits.where(~idle[hits.text])
                self._count(number, field, hits, found, look, positions, in_text)

    def _count(
        self, number: int, field: _Field, hits: Hits, found: Cells, look: _Look, positions: Positions, in_text: bool
    ) -> None:
        ruleset = self._ruleset
        category = ruleset.rules[number].category
        if in_text and (before := ruleset.words.unless.get(category)) is not None:
            hits = _without(hits, found.texts, before)
        if not len(hits):
            return
        matcher = ruleset.matchers[number]
        thorough = self._reveal > 0 or (number in field.speeches and not in_text)
        hits = matcher.judged(hits, self._memos.setdefault(number, {}), thorough)
        tally = field.rules.setdefault(number, RuleTally())
        count = Count(tally, hits, found)
        count.measure()
        if not len(count.valid):
            return
        if in_text:
            count.support(partial(look.in_context, number))
        count.known(ruleset.words.constants.get(category), self._domains)
        _mark(tally, count, ruleset.words.marks.get(category, ()), found)
        count.show(category, self._reveal, positions)


class _Field:
    """A field while its batches pass: what its name says, and what was counted."""

    def __init__(
        self, tally: FieldTally, comment: str, asset: Name, ruleset: Ruleset, rules: dict[int, RuleTally]
    ) -> None:
        vocabulary = ruleset.vocabulary
        self.tally = tally
        self.comment = comment
        self.rules = rules
        self.name = vocabulary.name(tally.name)
        self.speeches: dict[int, Speech] = vocabulary.speaks(self.name)
        strength = ruleset.weights["names", "comment"]
        for number, speech in vocabulary.speaks(vocabulary.name(comment)).items():
            # The store's own description of the field speaks too, but not as loud.
            self.speeches.setdefault(number, Speech(speech.phrase, strength * speech.strength, speech.vague))
        self.near = vocabulary.near(self.name, asset)
        """Weak rules that the field's or the asset's name gives leave to look everywhere."""


class _Look:
    """One column's texts, and what every rule finds there, as far as it is to be asked at all."""

    def __init__(self, ruleset: Ruleset, field: _Field, found: Cells, in_text: bool) -> None:
        self._ruleset, self._texts = ruleset, found.texts
        self._sifted = ruleset.sieve.sift(found.texts)
        self._hinted: dict[int, Texts] = {}
        of_kind = ruleset.of_kind(found.type)
        self._spoken = {number for number in field.speeches if _of_type(ruleset.rules[number], found.type)}
        near = of_kind.weak & field.near
        mentioned = of_kind.weak & ruleset.hinted_by(self._sifted.outputs()) if in_text else frozenset[int]()
        self._hoping = mentioned - near - self._spoken
        asked = of_kind.strong | self._spoken | near | mentioned
        among = ruleset.among({number: self._flags(number) for number in self._hoping})
        self._found = self._sifted.search(ruleset.expressions_of(asked), among)
        self.promising = {number for number in ruleset.rules_of(self._found.met()) if number in asked} | self._spoken
        """The rules that may find something."""

    def _flags(self, number: int) -> Flags:
        flags = np.zeros(len(self._texts), bool)
        flags[self.hinted(number)] = True
        return flags

    def hinted(self, number: int) -> Texts:
        """The texts that may hold a phrase that speaks for a rule."""
        if number not in self._hinted:
            self._hinted[number] = self._sifted.mentioned(self._ruleset.hints[number])
        return self._hinted[number]

    def in_context(self, number: int, hits: Hits) -> Flags:
        """For each match of a rule, whether its text holds a phrase that speaks for it."""
        return self._ruleset.matchers[number].in_context(hits.text, self._texts, self.hinted(number))

    def hits(self, number: int) -> Hits | None:
        """What one rule finds; ``None``: nothing."""
        if number not in self.promising:
            return None
        matcher = self._ruleset.matchers[number]
        hits = matcher.find(self._found)
        if number in self._spoken:
            return together([hits, matcher.fits(self._sifted)])
        if hits is not None and number in self._hoping:
            return hits.where(self.in_context(number, hits))
        return hits


def _idle(texts: pl.Series, words: frozenset[str]) -> Flags:
    """Which texts say that there is no value: "-", "n/a"."""
    if len(texts) < _FEW:
        return np.array([text.strip().lower() in words for text in texts], bool)
    flags = np.zeros(len(texts), bool)
    short = (texts.str.len_bytes() <= max(map(len, words), default=0)).arg_true().to_numpy()
    flags[short] = texts.gather(short).str.strip_chars().str.to_lowercase().is_in(list(words)).to_numpy()
    return flags


def _mark(tally: RuleTally, count: Count, marks: Sequence[Mark], found: Cells) -> None:
    """Count the cells with values of kinds that are to be told."""
    for mark in marks:
        such = count.valid.values.str.contains(rf"\A(?:{mark.values})\z").to_numpy()[count.valid.value]
        if such.any():
            tally.marked[mark.why] = tally.marked.get(mark.why, 0) + found.of(count.valid.text[such])


def _of_type(rule: Rule, kind: str) -> bool:
    """Whether a rule whose name is spoken looks at a field: text can hold any type, a number an integer."""
    return kind in rule.types or kind == "text" or (kind == "number" and "integer" in rule.types)


def _without(hits: Hits, texts: pl.Series, before: str) -> Hits:
    """The hits but those whose value stands behind a word that makes something else of it."""
    held = np.unique(hits.text)
    behind = pl.DataFrame({"text": held, "value": texts.gather(held).str.extract_all(before)})
    behind = behind.explode("value", empty_as_null=False, keep_nulls=False)
    if not len(behind):
        return hits
    behind = behind.with_columns(pl.col("value").str.extract_groups(before).struct.field("value"))
    values = hits.values.gather(hits.value)
    places = pl.DataFrame({"text": hits.text, "value": values}).with_row_index("at")
    kept = places.join(behind, on=["text", "value"], how="anti", maintain_order="left").get_column("at").to_numpy()
    flags = np.zeros(len(hits), bool)
    flags[kept] = True
    return hits.where(flags)
