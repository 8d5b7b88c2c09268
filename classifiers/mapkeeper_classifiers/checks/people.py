"""Names of people: whether a text is one, by lists of names and of words that are none.

Each check has ``many`` beside the call for one: a thousand and more values at once, for a fraction of the price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from mapkeeper.rules import Check
from mapkeeper_classifiers import people

if TYPE_CHECKING:
    import numpy as np

LONGEST = 80
"""Characters of a person's name."""


@dataclass(frozen=True)
class Named:
    """A check that goes by what each word of a value is to people's names."""

    holds: Callable[[str], bool]  # for a row of letters, one a word

    def __call__(self, value: str) -> bool:
        """Whether a value is such a name."""
        if len(value) > LONGEST:
            return False
        lists = people.Lists.shipped()
        return self.holds("".join(map(lists.letter, value.split())))

    def many(self, values: Iterable[str]) -> np.ndarray:
        """The same of many values, as an array of booleans."""
        import numpy as np

        letters, verdicts = _Letters(people.Lists.shipped().letter), _Verdicts(self.holds)
        rows = ["".join([letters[word] for word in value.split()]) if len(value) <= LONGEST else "" for value in values]
        return np.array([verdicts[row] for row in rows], dtype=np.bool_)


class _Letters(dict[str, str]):
    """Words as they were once looked up."""

    def __init__(self, letter: Callable[[str], str]) -> None:
        super().__init__()
        self._letter = letter

    def __missing__(self, word: str) -> str:
        self[word] = found = self._letter(word)
        return found


class _Verdicts(dict[str, bool]):
    """Rows of letters, and whether they are a name."""

    def __init__(self, holds: Callable[[str], bool]) -> None:
        super().__init__()
        self._holds = holds

    def __missing__(self, row: str) -> bool:
        self[row] = held = self._holds(row)
        return held


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "person_full": Named(people.full),
        "person_first": Named(people.first),
        "person_last": Named(people.last),
    }
)
