"""Vector: checks of numbers over a whole column at once, as sums over a matrix of digits.

A check that has a twin here is an object: called with a text it asks the library, and ``many`` answers for millions of
texts. The twin only speaks of texts whose shape it knows; of all others, and where it can only refuse, the library is
asked text by text, so that both always say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


@dataclass(frozen=True, slots=True)
class Formula:
    """What a check computes, for the texts of one shape.

    ``shape`` has a character a place: ``9`` a digit, ``A`` a capital letter, ``X`` either; any other stands for itself
    and is not handed to ``holds``.
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

    def __call__(self, value: str) -> bool:
        """What the library says of one text."""
        return self.check(value)

    def many(self, values: Sequence[str] | pl.Series) -> Verdicts:
        """What it says of each text; any text may come, in any script."""
        import numpy as np
        import polars as pl

        texts = values if isinstance(values, pl.Series) else pl.Series(values, dtype=pl.String)
        parts = [self._some(texts.slice(start, ROWS)) for start in range(0, len(texts), ROWS)]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=bool)

    def _some(self, texts: pl.Series) -> Verdicts:
        import numpy as np

        verdicts, open = np.zeros(len(texts), dtype=bool), np.ones(len(texts), dtype=bool)
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
                verdicts[rows] = said
                open[rows] = ~np.isin(said, formula.final)
        rows = np.flatnonzero(open)
        verdicts[rows] = [self.check(text) for text in texts.gather(rows)]
        return verdicts


@dataclass(frozen=True, slots=True)
class Spelled:
    """A check that an expression for Rust decides for most texts: what matches ``holds`` or ``fails`` entirely does."""

    check: Check = field(repr=False)
    holds: str | None = None
    fails: str | None = None

    def __call__(self, value: str) -> bool:
        """What the check says of one text."""
        return self.check(value)

    def many(self, values: Sequence[str] | pl.Series) -> Verdicts:
        """What it says of each text; any text may come, in any script."""
        import numpy as np
        import polars as pl

        texts = values if isinstance(values, pl.Series) else pl.Series(values, dtype=pl.String)
        open = np.ones(len(texts), dtype=bool)
        verdicts = np.zeros(len(texts), dtype=bool)
        if self.holds is not None:
            verdicts = texts.str.contains(rf"\A(?:{self.holds})\z").to_numpy().copy()
            open &= ~verdicts
        if self.fails is not None:
            open &= ~texts.str.contains(rf"\A(?:{self.fails})\z").to_numpy()
        rows = np.flatnonzero(open)
        verdicts[rows] = [self.check(text) for text in texts.gather(rows)]
        return verdicts


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
        import polars as pl

        texts = values if isinstance(values, pl.Series) else pl.Series(values, dtype=pl.String)
        table = pl.DataFrame({"text": texts, "part": texts.str.extract(self.part)})
        # What does not match has no part in common with any other.
        one = table.with_columns(
            part=pl.coalesce(pl.concat_str(pl.lit("="), "part"), pl.concat_str(pl.lit("-"), "text"))
        )
        asked = one.unique("part", keep="first", maintain_order=True)
        said = asked.with_columns(said=pl.Series([self.check(text) for text in asked["text"]], dtype=pl.Boolean))
        verdicts: Verdicts = one.join(said.select("part", "said"), on="part", how="left", maintain_order="left")[
            "said"
        ].to_numpy()
        return verdicts


def _digits(texts: pl.Series, shape: str) -> tuple[Verdicts, Matrix]:
    """Which texts of the right length have the shape, and their digits and letters."""
    import numpy as np

    codes = np.frombuffer("".join(texts.to_list()).encode(), dtype=np.uint8).reshape(len(texts), len(shape))
    known = np.ones(len(texts), dtype=bool)
    values = np.empty((len(texts), sum(char in "9AX" for char in shape)), dtype=np.int32, order="F")
    place = 0
    for column, char in zip(codes.T, shape, strict=True):
        if char not in "9AX":
            known &= column == ord(char)
            continue
        digit, letter = column - ord("0"), column - ord("A")  # unsigned: what lies below comes out large
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
