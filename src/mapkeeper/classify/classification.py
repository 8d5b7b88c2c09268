"""What is learned of one asset while its batches pass."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from mapkeeper.classify.cells import Cells, cells
from mapkeeper.classify.counting import Count
from mapkeeper.classify.evidence import Seen
from mapkeeper.classify.expressions import joined
from mapkeeper.classify.judgement import Judgement, judge
from mapkeeper.classify.matching import Hits, Memo
from mapkeeper.classify.names import Name, Speech
from mapkeeper.classify.positions import Positions
from mapkeeper.classify.ruleset import Ruleset
from mapkeeper.classify.segments import Segments, WordSegments
from mapkeeper.classify.table import Table
from mapkeeper.classify.tally import FieldTally, RuleTally
from mapkeeper.plugin import Batch
from mapkeeper.rules import Rule

TOGETHER = 4 << 20
"""Bytes of batches that are run together."""

Counted = tuple[tuple[FieldTally, str, dict[int, RuleTally]], ...]
"""What was counted of an asset so far: its fields in order, with their comments, and the rules by number.

Good for another `Classification` with the same rules, also in another process. Holds hashes and masks of values.
"""


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
        self._name = ruleset.vocabulary.name(asset_name)
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
                self._take(waiting)
                waiting.clear()
            waiting.append((batch, field, column))
        self._bytes += batch.data.nbytes
        if self._bytes >= TOGETHER:
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
        table = Table(self._name, tuple(field.name for field in fields), ruleset.words, ruleset.vocabulary)
        seen = [Seen(field.tally, field.name, field.speeches, field.rules) for field in fields]
        return judge(seen, table, ruleset.rules, ruleset.weights)

    def _flush(self) -> None:
        """Run the rules over the columns that have come together: small ones cost as much as large ones."""
        held, self._waiting, self._bytes = self._waiting, {}, 0
        for waiting in held.values():
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
        field.tally.add(found)
        if not len(found.texts):
            return
        texts = Segments(found.texts)
        words = WordSegments(texts) if found.texts.str.contains(r"\s").any() else None
        listed = self._ruleset.lists.find(texts)
        for number in range(len(self._ruleset.rules)):
            hits = joined([self._hits(number, field, found.type, texts, words), listed.get(number)])
            if hits is not None:
                self._count(number, field, hits, found, texts, positions, words is not None)

    def _hits(self, number: int, field: _Field, kind: str, texts: Segments, words: WordSegments | None) -> Hits | None:
        """What one rule finds in the texts, as far as it is to be asked at all."""
        rule, matcher = self._ruleset.rules[number], self._ruleset.matchers[number]
        if number in field.speeches and _of_type(rule, kind):
            return joined([matcher.find(texts, words), matcher.fits(texts)])
        if kind not in rule.types or not rule.find:
            return None
        if not rule.weak or number in field.near:
            return matcher.find(texts, words)
        if words is None or not matcher.mentioned(texts) or (hits := matcher.find(texts, words)) is None:
            return None
        return hits.filter(matcher.in_context(hits, texts))

    def _count(
        self, number: int, field: _Field, hits: Hits, found: Cells, texts: Segments, positions: Positions, in_text: bool
    ) -> None:
        ruleset = self._ruleset
        category = ruleset.rules[number].category
        if in_text and (before := ruleset.words.unless.get(category)) is not None:
            hits = _without(hits, texts, before)
        if not len(hits):
            return
        matcher = ruleset.matchers[number]
        thorough = self._reveal > 0 or (number in field.speeches and not in_text)
        hits = matcher.judged(hits, self._memos.setdefault(number, {}), thorough)
        count = Count(field.rules.setdefault(number, RuleTally()), hits, found)
        count.measure()
        if not len(count.valid):
            return
        if in_text:
            count.support(matcher.in_context(count.valid, texts))
        count.known(ruleset.words.constants.get(category), self._domains)
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


def _of_type(rule: Rule, kind: str) -> bool:
    """Whether a rule whose name is spoken looks at a field: text can hold any type, a number an integer."""
    return kind in rule.types or kind == "text" or (kind == "number" and "integer" in rule.types)


def _without(hits: Hits, texts: Segments, before: str) -> Hits:
    """The hits but those whose value stands behind a word that makes something else of it."""
    held = hits.select("id").unique()
    held = held.with_columns(text=texts.texts.gather(held.get_column("id")))
    held = held.filter(pl.col("text").str.contains(before))
    if not len(held):
        return hits
    full = held.select("id", pl.col("text").str.extract_all(before).alias("value"))
    full = full.explode("value", empty_as_null=False, keep_nulls=False)
    full = full.with_columns(pl.col("value").str.extract_groups(before).struct.field("value"))
    return hits.join(full, on=["id", "value"], how="anti", maintain_order="left")
