"""Vector: checks over a whole column at once, as sums over a matrix of digits or as expressions of Polars.

A check that has a twin here is an object: called with a text it asks the library, and ``many`` answers for millions of
texts. The twin only speaks of texts whose shape it knows; of all others, and where it can only refuse, the library is
asked text by text, so that both always say the same. Of a check that stumbles over a text, the twin says that it does
not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from mapkeeper.rules import Check

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Matrix: TypeAlias = npt.NDArray[np.int32]
    """A row a text, a column a place: 0 to 9 for digits, 10 to 35 for capital letters."""

    Verdicts: TypeAlias = npt.NDArray[np.bool_]

ROWS = 1 << 16
"""Texts that are looked at together, so that memory does not grow with a column."""

FEW = 150
"""Texts up to which asking the check for each is quicker than setting up anything else."""


_PLAIN = r"\A[\x00-\x1b\x20-\x7f]*\z"
"""For Rust: texts in ASCII of which Rust and Python hold the same to be letters, digits and space."""


def column(values: Sequence[str] | pl.Series) -> pl.Series:
    """The texts as a column."""
    import polars as pl

    return values if isinstance(values, pl.Series) else pl.Series(values, dtype=pl.String)


def asked(check: Check, texts: Iterable[str], keys: Iterable[Hashable] | None = None) -> list[bool]:
    """What a check says of each text, where it stumbles that it does not hold.

    It is asked once for all texts of the same key; without keys, once for each text.
    """
    said: dict[Hashable, bool] = {}
    texts = list(texts)
    keys = texts if keys is None else list(keys)
    for text, key in zip(texts, keys, strict=True):
        if key not in said:
            try:
                said[key] = bool(check(text))
            except Exception:
                said[key] = False
    return [said[key] for key in keys]


@dataclass(frozen=True, slots=True)
class Formula:
    """What a check computes, for the texts of one shape.

    ``shape`` has a character a place: ``9`` a digit, ``A`` a capital letter, ``X`` either; any other stands for itself,
    ``*`` for whatever stands there, and is not handed to ``holds``.
    """

    shape: str
    holds: Callable[[Matrix], Verdicts]
    drops: str = ""  # characters that count for nothing wherever they stand
    final: tuple[bool, ...] = (True, False)  # the verdicts that need not be asked again of the library


@dataclass(frozen=True, slots=True)
class Quick:
    """A check with formulas that answer for most texts."""

    check: Check = field(repr=False)
    formulas: tuple[Formula, ...]
    few: int = FEW
    alike: bool = False
    """The check says the same of all texts that a formula lets through and that are alike but for their digits and for
    capital letters, save the first two characters."""

    def __call__(self, value: str) -> bool:
        """What the library says of one text."""
        return self.check(value)

    def many(self, values: Sequence[str] | pl.Series) -> Verdicts:
        """What it says of each text; any text may come, in any script."""
        import numpy as np

        texts = column(values)
        if len(texts) <= self.few:
            return np.array(asked(self.check, texts), dtype=bool)
        parts = [self._some(texts.slice(start, ROWS)) for start in range(0, len(texts), ROWS)]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=bool)

    def _some(self, texts: pl.Series) -> Verdicts:
        import numpy as np

        verdicts, open = np.zeros(len(texts), dtype=bool), np.ones(len(texts), dtype=bool)
        passed = np.zeros(len(texts), dtype=bool)
        plain = {"": texts}
        for formula in self.formulas:
            if formula.drops not in plain:
                kept = texts
                for char in formula.drops:
                    kept = kept.str.replace_all(char, "", literal=True)
                plain[formula.drops] = kept
            kept = plain[formula.drops]
            rows = np.flatnonzero((kept.str.len_bytes() == len(formula.shape)).to_numpy() & open)
            if len(rows):
                known, digits = _digits(kept.gather(rows), formula.shape)
                rows, said = rows[known], formula.holds(digits)
                verdicts[rows] = passed[rows] = said
                open[rows] = ~np.isin(said, formula.final)
        if self.alike and len(rows := np.flatnonzero(open & passed)):
            kin = texts.gather(rows)
            verdicts[rows] = asked(self.check, kin, _likeness(kin))
            open[rows] = False
        rows = np.flatnonzero(open)
        verdicts[rows] = asked(self.check, texts.gather(rows))
        return verdicts


@dataclass(frozen=True, slots=True)
class Stated:
    """A check that columns of texts in ASCII state in other words."""

    check: Check = field(repr=False)
    says: Callable[[pl.Series], pl.Series]
    """Gets texts in ASCII, but for the separators 28 to 31; says what the check does, null where only that knows."""
    few: int = FEW

    def __call__(self, value: str) -> bool:
        """What the check says of one text."""
        return self.check(value)

    def many(self, values: Sequence[str] | pl.Series) -> Verdicts:
        """What it says of each text; any text may come, in any script."""
        import numpy as np

        texts = column(values)
        if len(texts) <= self.few:
            return np.array(asked(self.check, texts), dtype=bool)
        parts = [self._some(texts.slice(start, ROWS)) for start in range(0, len(texts), ROWS)]
        return np.concatenate(parts)

    def _some(self, texts: pl.Series) -> Verdicts:
        import numpy as np

        verdicts, open = np.zeros(len(texts), dtype=bool), np.ones(len(texts), dtype=bool)
        plain = np.flatnonzero(texts.str.contains(_PLAIN).to_numpy())
        if len(plain):
            said = self.says(texts if len(plain) == len(texts) else texts.gather(plain))
            verdicts[plain] = said.fill_null(False).to_numpy()
            open[plain] = said.is_null().to_numpy()
        rows = np.flatnonzero(open)
        verdicts[rows] = asked(self.check, texts.gather(rows))
        return verdicts


def full(texts: pl.Series, expression: str) -> pl.Series:
    """Whether each text is described from end to end by an expression for Rust."""
    return texts.str.contains(rf"\A(?:{expression})\z")


@dataclass(frozen=True, slots=True)
class Shared:
    """A check that looks at one part of a text: it is asked once for all texts that have the same part."""

    check: Check = field(repr=False)
    part: str  # an expression for Rust; its group is the part

    def __call__(self, value: str) -> bool:
        """What the library says of one text."""
        return self.check(value)

    def many(self, values: Sequence[str] | pl.Series) -> Verdicts:
        """What it says of each text; any text may come, in any script."""
        import numpy as np

        texts = column(values)
        encoded = texts.str.extract(self.part).to_arrow().dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy()
        # What does not match has no part in common with any other.
        alone = np.flatnonzero(codes < 0)
        numbers, first = np.unique(codes, return_index=True)
        verdicts = np.zeros(len(texts), dtype=bool)
        known = np.zeros(len(encoded.dictionary), dtype=bool)
        known[numbers[numbers >= 0]] = asked(self.check, texts.gather(first[numbers >= 0]))
        verdicts[codes >= 0] = known[codes[codes >= 0]]
        verdicts[alone] = asked(self.check, texts.gather(alone))
        return verdicts


def _likeness(texts: pl.Series) -> pl.Series:
    import polars as pl

    rest = pl.col("text").str.slice(2).str.replace_all("[0-9]", "9").str.replace_all("[A-Z]", "A")
    return pl.DataFrame({"text": texts}).select(pl.col("text").str.slice(0, 2) + rest).to_series()


def _digits(texts: pl.Series, shape: str) -> tuple[Verdicts, Matrix]:
    """Which texts of the right length have the shape, and their digits and letters."""
    import numpy as np

    codes = np.frombuffer("".join(texts.to_list()).encode(), dtype=np.uint8).reshape(len(texts), len(shape))
    known = np.ones(len(texts), dtype=bool)
    values = np.empty((len(texts), sum(char in "9AX" for char in shape)), dtype=np.int32, order="F")
    place = 0
    for codes_here, char in zip(codes.T, shape, strict=True):
        if char not in "9AX":
            known &= (codes_here == ord(char)) | (char == "*")
            continue
        digit, letter = codes_here - ord("0"), codes_here - ord("A")  # unsigned: what lies below comes out large
        if char == "9":
            known &= digit < 10
            values[:, place] = digit
        elif char == "A":
            known &= letter < 26
            values[:, place] = letter + 10
        else:
            known &= (digit < 10) | (letter < 26)
            values[:, place] = np.where(digit < 10, digit, letter + 10)
        place += 1
    return known, values if known.all() else values[known]
