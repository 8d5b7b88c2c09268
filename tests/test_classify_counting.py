"""What is kept of values: counts of distinct ones, and masks."""

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapkeeper.classify.mask import SHORTEST, masked
from mapkeeper.classify.sketch import EXACT_TO, KEPT, Distinct, Trials, hashes


@given(st.lists(st.lists(st.text(max_size=3), max_size=30), max_size=5))
def test_distinct_is_exact_for_few_and_does_not_depend_on_the_order(parts: list[list[str]]) -> None:
    there, back = Distinct(), Distinct()
    for part in parts:
        there.add(hashes(pl.Series("v", part, dtype=pl.String)))
    for part in reversed(parts):
        back.add(hashes(pl.Series("v", part, dtype=pl.String)))

    assert there.count() == back.count() == len({value for part in parts for value in part})


def test_distinct_is_within_four_percent_for_many_and_the_same_in_any_order() -> None:
    many = pl.Series("v", [f"value {number}" for number in range(3 * EXACT_TO)])
    there, back = Distinct(), Distinct()
    for start in range(0, len(many), 70_000):
        there.add(hashes(many.slice(start, 70_000)))
        there.add(hashes(many.slice(start, 10)))
    back.add(hashes(many.reverse()))

    assert there.count() == back.count()
    assert abs(there.count() / len(many) - 1) < 0.04


def test_trials_are_exact_for_few_and_a_sample_that_keeps_their_share_for_many() -> None:
    few, many, back = Trials(), Trials(), Trials()
    values = hashes(pl.Series("v", [f"value {number}" for number in range(3 * KEPT)]))
    holds = np.arange(len(values)) % 10 < 3

    few.put(values[:1000], holds[:1000])
    few.put(values[:500], holds[:500])
    many.put(values, holds)
    for start in range(len(values) - 1000, -1, -1000):
        back.put(values[start : start + 1000], holds[start : start + 1000])
    back.put(values[:1000], holds[:1000])

    assert few.outcome() == (1000, 300)
    assert many.outcome() == back.outcome()
    tried, held = many.outcome()
    assert tried == KEPT
    assert abs(held / tried - 0.3) < 0.03
    assert abs(many.held() / (0.3 * len(values)) - 1) < 0.1


@pytest.mark.parametrize(
    ("value", "mask"),
    [
        ("jane.doe@globex.example", "j***@g***.***"),
        ("jane@globex.com", "j***@g***.com"),
        ("4111 1111 1111 1111", "*** *** *** ***"),
        ("Jane Doe-Martin", "J*** ***-***"),
        ("प्रिया शर्मा", "*** ***"),
        ("王小明的电话号码", "***"),
        ("王小明@例子.com", "***@***.com"),
        ("ann:$%^*!&~@", "a***:***@"),
        ("12345", None),
        ("", None),
    ],
)
def test_a_mask_keeps_the_first_letter_and_the_punctuation(value: str, mask: str | None) -> None:
    assert masked(value) == mask


@given(st.text(max_size=200))
def test_a_mask_holds_no_two_letters_or_digits_of_the_value_in_a_row_but_a_short_top_level_domain(value: str) -> None:
    mask = masked(value)
    if mask is None:
        assert len(" ".join(value.split())) < SHORTEST
        return
    head = mask.rpartition(".")[0] if "@" in mask else mask
    assert not any(a.isalnum() and b.isalnum() for a, b in itertools.pairwise(head))
