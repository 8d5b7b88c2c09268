"""Phones: whether a country could have given out a number, as phonenumbers says, for whole columns of them.

``many`` reads the numbering plans that phonenumbers ships and goes by them as the library does, without building an
object a number. Where a plan rewrites a number, and for anything but digits with the usual marks between, it asks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from mapkeeper_classifiers.checks.vector import asked, column

if TYPE_CHECKING:
    import polars as pl

    from mapkeeper_classifiers.checks.vector import Verdicts

_PLAIN = r"\A\+[1-9](?:[ ().-]{0,2}[0-9]){3,19}\z"
_KINDS = (
    "premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail", "fixed_line",
    "mobile",
)  # fmt: skip


class Phone:
    """Whether a number in international form is one that its country could have given out."""

    def __call__(self, value: str) -> bool:
        """What the library says of one number."""
        import phonenumbers

        try:
            return phonenumbers.is_valid_number(phonenumbers.parse(value))
        except phonenumbers.NumberParseException:
            return False

    def many(self, values: Sequence[str] | pl.Series) -> Verdicts:
        """What it says of each; any text may come, in any script."""
        import numpy as np

        texts = column(values)
        numbers = texts.str.replace_all("[^0-9]", "").to_list()
        said = [
            _given(number) if plain else None for number, plain in zip(numbers, texts.str.contains(_PLAIN), strict=True)
        ]
        open = [row for row, verdict in enumerate(said) if verdict is None]
        verdicts = np.array([bool(verdict) for verdict in said], dtype=bool)
        verdicts[open] = asked(self, texts.gather(open))
        return verdicts


def _given(number: str) -> bool | None:
    """Whether the digits of a number, those of the country first, are one; ``None``: only the library knows."""
    for length in (1, 2, 3):
        if (plan := _plan(number[:length])) is not None:
            return plan.has(number[length:])
    return False


@cache
def _plan(calling_code: str) -> _Plan | None:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(calling_code))
    return _Plan(int(calling_code), regions) if regions else None


class _Plan:
    """What the countries of one calling code give out."""

    def __init__(self, calling_code: int, regions: Sequence[str]) -> None:
        from phonenumbers import PhoneMetadata

        data: list[Any] = [
            PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region) for region in regions
        ]
        self._regions = [_Region(region) for region in data]
        main = data[0]
        self._main = self._regions[0]
        self._prefix = re.compile(main.national_prefix_for_parsing) if main.national_prefix_for_parsing else None
        self._rewrites = bool(main.national_prefix_transform_rule)
        self._lengths = main.general_desc.possible_length
        self._local = main.general_desc.possible_length_local_only
        leading = [region.data.leading_digits for region in self._regions if region.data.leading_digits]
        self._leading = re.compile("|".join(leading)) if leading and len(regions) > 1 else None
        self._rest = [region for region in self._regions if region.leading is None or len(regions) == 1]

    def has(self, number: str) -> bool | None:
        """Whether it has a number; ``None``: only the library knows."""
        if self._prefix and (found := self._prefix.match(number)):
            if self._rewrites and found.re.groups and found.groups()[-1] is not None:
                return None
            number = self._bare(number, number[found.end() :])
        if not 2 <= len(number) <= 17:
            return False
        if self._leading and self._leading.match(number):
            for region in self._regions:
                if region.leading is None:
                    if region.has(number):
                        return True
                elif region.leading.match(number):
                    return region.has(number)
            return False
        return any(region.has(number) for region in self._rest)

    def _bare(self, number: str, rest: str) -> str:
        """A number without what is dialled before it inside the country, unless only with that it can be one."""
        size = len(rest)
        possible = size in self._lengths or size > self._lengths[-1]
        if size in self._local or not possible or (self._main.looks(number) and not self._main.looks(rest)):
            return number
        return rest


class _Region:
    """What one country gives out."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self.leading = re.compile(data.leading_digits) if data.leading_digits else None
        self._general = re.compile(data.general_desc.national_number_pattern or r"(?!)")
        self._kinds: dict[int, re.Pattern[str] | None] = {}

    def looks(self, number: str) -> bool:
        """Whether it is like the numbers of the country, whatever its length."""
        return self._general.fullmatch(number) is not None

    def has(self, number: str) -> bool:
        """Whether the country gives out such a number, for whatever use."""
        size = len(number)
        if size not in self._kinds:
            self._kinds[size] = self._of(size)
        kinds = self._kinds[size]
        return kinds is not None and kinds.fullmatch(number) is not None and self.looks(number)

    def _of(self, size: int) -> re.Pattern[str] | None:
        """An expression for all numbers of a length."""
        if not _may_have(self.data.general_desc, size):
            return None
        uses = [
            use
            for kind in _KINDS
            if (use := getattr(self.data, kind)) is not None and use.national_number_pattern and _may_have(use, size)
            if kind != "mobile" or not self.data.same_mobile_and_fixed_line_pattern
        ]
        expressions = dict.fromkeys(use.national_number_pattern for use in uses)
        return re.compile("|".join(f"(?:{expression})" for expression in expressions)) if expressions else None


def _may_have(use: Any, size: int) -> bool:
    return not use.possible_length or size in use.possible_length
