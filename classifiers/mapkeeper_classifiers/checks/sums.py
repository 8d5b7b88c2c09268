"""Sums: what check digits are made of, over matrices of digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mapkeeper_classifiers.checks.vector import Matrix

Column = Any
"""A column of numbers or of verdicts, a row a text; numpy's own types would make each line of arithmetic a cast."""


def total(d: Matrix, weights: Sequence[int], modulus: int) -> Column:
    """The remainder of the weighted sum of the first digits."""
    sums = d[:, 0] * weights[0]
    for place, weight in enumerate(weights[1:], 1):
        if weight:
            sums = sums + d[:, place] * weight
    return sums % modulus


def luhn(d: Matrix, more: int = 0) -> Column:
    """The check digit of ISO/IEC 7812-1, annex B; ``more`` is what a prefix that is not written adds."""
    sums = more + d[:, -1::-2].sum(axis=1)
    doubled = d[:, -2::-2] * 2
    return (sums + doubled.sum(axis=1) - 9 * (doubled > 9).sum(axis=1)) % 10 == 0


def verhoeff(d: Matrix) -> Column:
    """Verhoeff's check over the dihedral group of ten: "Error Detecting Decimal Codes", Amsterdam 1969."""
    import numpy as np

    turned = np.arange(10)
    product = np.where(
        turned[:, None] < 5,
        np.where(turned < 5, (turned[:, None] + turned) % 5, 5 + (turned[:, None] + turned) % 5),
        np.where(turned < 5, 5 + (turned[:, None] - turned) % 5, (turned[:, None] - turned) % 5),
    )
    mixed = [turned, np.array([1, 5, 7, 6, 2, 8, 3, 0, 9, 4])]
    while len(mixed) < 8:
        mixed.append(mixed[1][mixed[-1]])
    state = np.zeros(len(d), dtype=np.int64)
    for place in range(d.shape[1]):
        state = product[state, mixed[place % 8][d[:, -1 - place]]]
    return state == 0


def mod_11_10(d: Matrix) -> Column:
    """The hybrid system MOD 11,10 of ISO/IEC 7064."""
    check: Column = 10
    for place in range(d.shape[1] - 1):
        check = (check + d[:, place] - 1) % 10 + 1  # 0 counts as 10
        check = check * 2 % 11
    return (check + d[:, -1]) % 10 == 1


def value(d: Matrix, start: int, stop: int) -> Column:
    """The number that the digits of some places make."""
    number = d[:, start].astype("int64")
    for place in range(start + 1, stop):
        number = number * 10 + d[:, place]
    return number


def day_exists(year: Column, month: Column, day: Column) -> Column:
    """Whether the calendar, carried back before 1582, has that day."""
    import numpy as np

    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    lengths = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    length = lengths[np.where((month > 0) & (month < 13), month, 0)] + ((month == 2) & leap)
    return (day > 0) & (day <= length)
