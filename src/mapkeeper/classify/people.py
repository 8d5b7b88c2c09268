"""Names of people in the running text of an asset's fields: looked for in a sample, by a language model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import polars as pl

from mapkeeper.classify import ner
from mapkeeper.classify.idiom import Idiom
from mapkeeper.classify.named import Named
from mapkeeper.classify.ner import PERSON, Mention, Ner
from mapkeeper.classify.sampling import BYTES
from mapkeeper.classify.sketch import hashes
from mapkeeper.classify.span import Claim
from mapkeeper.classify.tally import FieldTally, InText, RuleTally
from mapkeeper.classify.weights import Weights
from mapkeeper.classify.wording import Wording
from mapkeeper.errors import PluginError
from mapkeeper.model import Gap, Reason

ASSET = 128 << 10
"""Bytes of running text of one asset that a language model reads at most, shared evenly among its fields."""

FIELDS = 64
"""Fields of one asset whose running text it reads at most."""

LEAST = 100
"""Characters of running text in a sample below which a field is not one of running text."""

_TOLD = 5
"""Fields that a gap names."""


class People:
    """Looks for names of people in samples. The language model is loaded once there is something to read."""

    def __init__(self, load: Callable[[], Ner | None] = ner.installed) -> None:
        """``load`` gives the language model; ``None`` where there is none."""
        self._load = load
        self._weights = Weights.shipped()

    def look(self, fields: Iterable[FieldTally], reveal: int) -> tuple[Gap, ...]:
        """Note in each field of running text whom its sample names; returns what could not be looked for.

        ``reveal``: so many of the names are kept to be shown.
        """
        running = [field for field in fields if runs(field)]
        if not running:
            return ()
        model = self._model
        if isinstance(model, str):
            return (_unread(running, Reason.NO_MODEL, model),)
        gaps = []
        if left := running[FIELDS:]:
            gaps.append(_unread(left, Reason.BUDGET, f"more than {FIELDS} such fields"))
        share = min(BYTES, ASSET // min(FIELDS, len(running)))
        try:
            for field in running[:FIELDS]:
                field.people = self._named(model, field, share, reveal)
        except Exception as error:  # of the language model's libraries, whose words may quote the text
            gaps.append(_unread(running, Reason.CRASHED, type(error).__name__))
        return tuple(gaps)

    @cached_property
    def _model(self) -> Ner | str:
        """The language model, or why there is none."""
        try:
            return self._load() or "pip install 'mapkeeper[ner]'"
        except PluginError as error:
            return str(error)

    @cached_property
    def _idiom(self) -> Idiom:
        return Idiom.shipped()

    def _named(self, model: Ner, field: FieldTally, share: int, reveal: int) -> InText:
        drawn, texts = field.sample.running(share)
        marked: list[list[Mention]] = [[] for _ in texts]
        for mention in model.mentions(texts):
            if mention.kind == PERSON:
                marked[mention.text].append(mention)
        named = Named(self._idiom, model.name)
        claims = [self._likely(named.mentioned(text, mentions)) for text, mentions in zip(texts, marked, strict=True)]
        names = pl.Series(
            "name",
            [text[one.start : one.end] for text, some in zip(texts, claims, strict=True) for one in some],
            dtype=pl.String,
        ).unique(maintain_order=True)
        tally = RuleTally()
        tally.distinct.add(hashes(names.str.to_lowercase()))
        tally.show(names, sampled=True, reveal=reveal)
        certain = self._weights["people", "certain"]
        return InText(
            model=model.name,
            drawn=drawn,
            running=len(texts),
            likely=sum(map(bool, claims)),
            certain=sum(any(one.confidence >= certain for one in some) for some in claims),
            all=drawn == field.values,
            names=tally,
        )

    def _likely(self, claims: Iterable[Claim]) -> list[Claim]:
        least = self._weights["people", "likely"]
        return [one for one in claims if one.confidence >= least]


def runs(field: FieldTally) -> bool:
    """Whether a field is one of running text, by the sample of its texts."""
    drawn, texts = field.sample.running()
    enough = len(texts) >= Wording.shipped().limit("field") * drawn
    return enough and sum(map(len, texts)) >= LEAST


def _unread(fields: Sequence[FieldTally], reason: Reason, why: str) -> Gap:
    """The gap of fields whose running text was not read. Their names are kept as every name is."""
    told = ", ".join(field.name for field in fields[:_TOLD])
    told += f" and {len(fields) - _TOLD} more" if len(fields) > _TOLD else ""
    says = f"fields of running text in which names of people were not looked for: {told}; {why}"
    return Gap(reason, len(fields), says)
