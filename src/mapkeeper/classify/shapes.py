"""Shapes: what stretches of text look like, and which expressions can match something of that look.

A shape spells a digit ``9``, a letter ``a``, white space as a space, and a mark as itself. Rows of letters and digits
that change too often (hexadecimal numbers, tokens) are ``X`` throughout. There are few shapes, however many values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import polars as pl

from mapkeeper.classify.gathering import Hashes, Small
from mapkeeper.classify.kernel import NOTHING, Table
from mapkeeper.classify.search import Lists

_SIZE = 1 << 16
_FULL = 0.5
_FEW = 64
"""Shapes up to which Python is quicker than having Rust compile."""

_MOST = 1 << 20
"""Shapes that are remembered; with more, all are forgotten."""

_MIXED = r"[a9]*(?:a+9+a+9+a+|9+a+9+a+9+)[a9]*"
"""Five runs or more: what the kernel, too, takes for a row of anything."""


class Shapes:
    """The shapes met so far, each with the set of expressions that can match there. Holds no value."""

    def __init__(self, expressions: Sequence[tuple[int, str]]) -> None:
        """``expressions`` by number, with what Rust finds among shapes."""
        self.able = np.array([number for number, _ in expressions], np.int32)
        """All expressions: those that can match what shapes say nothing of."""
        self._spelled: dict[str, list[int]] = {}
        self._python: dict[str, re.Pattern[str]] = {}
        for column, (_, shape) in enumerate(expressions):
            self._spelled.setdefault(shape, []).append(column)
        self._forget()

    def __repr__(self) -> str:
        return f"Shapes({self._count} of {len(self.able)} expressions)"

    def make_room(self) -> None:
        """Forget all shapes if there are very many; the numbers of sets mean nothing after that."""
        if self._count > _MOST:
            self._forget()

    def _forget(self) -> None:
        self._count = 0
        self.table = Table(np.zeros(_SIZE, np.uint64), np.zeros(_SIZE, np.int32))
        self._known: dict[bytes, int] = {np.packbits(np.zeros(len(self.able), bool)).tobytes(): NOTHING}
        self._members: list[Small] = [np.empty(0, np.int32)]
        self._lists = Lists(np.zeros(2, np.int64), np.empty(0, np.int32))

    @property
    def sets(self) -> Lists:
        """The expressions of each set."""
        if len(self._lists.starts) <= len(self._members):
            starts = np.cumsum([0, *map(len, self._members)])
            self._lists = Lists(starts.astype(np.int64), np.concatenate(self._members))
        return self._lists

    def learn(self, hashes: Hashes, stretches: pl.Series) -> Small:
        """Find the sets of some new shapes, given one stretch of each, and remember them."""
        holds = np.zeros((len(hashes), len(self.able)), bool)
        shapes = spelled(stretches)
        few = len(shapes) <= _FEW
        joined = "\n".join(shapes) if few else ""
        for expression, columns in self._spelled.items():
            if few:
                search = self._compiled(expression).search
                if not search(joined):
                    continue
                found = np.array([search(shape) is not None for shape in shapes])
            else:
                found = shapes.str.contains(expression).to_numpy()
            if found.any():
                holds[:, columns] = found[:, None]
        packed = np.packbits(holds, axis=1)
        kinds, inverse = np.unique(packed, axis=0, return_inverse=True)
        numbers = np.empty(len(kinds), np.int32)
        for at, kind in enumerate(kinds):
            key = kind.tobytes()
            if key not in self._known:
                self._known[key] = len(self._members)
                held = np.flatnonzero(np.unpackbits(kind, count=len(self.able)))
                self._members.append(self.able[held])
            numbers[at] = self._known[key]
        sets = numbers[inverse.reshape(-1)]
        self._insert(hashes, sets)
        return sets

    def _compiled(self, expression: str) -> re.Pattern[str]:
        if expression not in self._python:
            self._python[expression] = re.compile(expression)
        return self._python[expression]

    def _insert(self, hashes: Hashes, sets: Small) -> None:
        keys, held = self.table
        self._count += len(hashes)
        size = len(keys)
        while self._count > _FULL * size:
            size *= 2
        if size > len(keys):
            taken = keys != 0
            hashes, sets = np.concatenate([keys[taken], hashes]), np.concatenate([held[taken], sets])
            self.table = Table(np.zeros(size, np.uint64), np.zeros(size, np.int32))
            keys, held = self.table
        at = hashes & np.uint64(size - 1)
        while len(hashes):
            # Of several that want one place the last is written; the others try the next.
            free = keys[at] == 0
            keys[at[free]] = hashes[free]
            written = keys[at] == hashes
            held[at[written]] = sets[written]
            hashes, sets, at = hashes[~written], sets[~written], (at[~written] + np.uint64(1)) & np.uint64(size - 1)


def spelled(stretches: pl.Series) -> pl.Series:
    """The shapes of some stretches of ASCII text."""
    plain = stretches.str.replace_all(r"[0-9]", "9").str.replace_all(r"[A-Za-z]", "a")
    plain = plain.str.replace_all(r"[\t\n\x0b\f\r\x1c-\x1f]", " ")
    mixed = plain.str.contains(_MIXED)
    if not mixed.any():
        return plain
    rows = [_with_rows(text) if many else text for text, many in zip(plain, mixed, strict=True)]
    return pl.Series(plain.name, rows, dtype=pl.String)


def _with_rows(text: str) -> str:
    def row(found: re.Match[str]) -> str:
        runs = len(re.findall(r"a+|9+", found.group()))
        return "X" * len(found.group()) if runs > 4 else found.group()

    return re.sub(r"[a9]+", row, text)
