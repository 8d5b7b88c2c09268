"""Telephone numbers as they are written inside a country, where it is known which country that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mapkeeper.classify.idiom import Idiom
from mapkeeper.classify.named import MEANT, PHONE_DIGITS
from mapkeeper.classify.span import Claim


class Phones:
    """Numbers that a country could have given out, as the phonenumbers library knows them."""

    def __init__(self, idiom: Idiom, countries: Sequence[str]) -> None:
        """``countries``: ISO 3166-1 codes."""
        self._weight = idiom.weigh("national")
        self._countries = tuple(countries)

    def find(self, text: str) -> Iterator[Claim]:
        """The numbers of a text in a form that is usual in one of the countries."""
        if not self._countries or sum(map(str.isdigit, text)) < PHONE_DIGITS.start:
            return
        from phonenumbers import Leniency, PhoneNumberMatcher

        entity, category = MEANT["phone"]
        for country in self._countries:
            for found in PhoneNumberMatcher(text, country, leniency=Leniency.STRICT_GROUPING):
                yield Claim(found.start, found.end, entity, category, f"phonenumbers/{country}", self._weight)
