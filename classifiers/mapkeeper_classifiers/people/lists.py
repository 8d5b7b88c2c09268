"""What each word of a text is to people's names, by the lists beside this module: a letter a word.

``A`` is a word of no list, ``W`` an ordinary one (``table``, ``Berlin``) that nobody is called, the others are names:

====================  ====  ====  ======
as a first name       none  weak  strong
====================  ====  ====  ======
no last name          A     D     G
weak as a last name   B     E     H
strong                C     F     I
====================  ====  ====  ======

A name is weak where it is rare, or is also an ordinary word, a place or a brand. Small letters say the same of words
that begin with a small letter. ``N`` is a whole name written without a space (Chinese, Japanese, Korean); ``.`` an
initial or a father's name, ``-`` a word between names (``van``), ``*`` one before them (``Dr``), ``+`` one after them
(``Jr``), ``,`` a comma, ``!`` what no name holds.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files

LETTERS = "ABCDEFGHI"
"""Of names, so that a letter's place is three times its strength as a first name, and its strength as a last one."""

LONGEST = 40
"""Characters of a word."""

_LEAST_OF_ENDING = 6
"""Characters of a word, from which its end can tell that it is a last name."""

_APOSTROPHES = "'`\u00b4\u2018\u2019\u02bb\u02bc"
_SPELLED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss", "\u0131": "i", "ə": "e"}
    | dict.fromkeys(_APOSTROPHES)
)
_MARKS = "\u0300-\u036f\u064b-\u0652"
_MARK = re.compile(f"[{_MARKS}]")
_INITIAL = re.compile(r"[^\W\d_](?:\.-?[^\W\d_])*\.|[A-Z]")
_WORD = re.compile(rf"[^\W\d_](?:[^\W\d_]|[{_MARKS}\u0900-\u0fff{_APOSTROPHES}-])*")
_WITHOUT_SPACE = re.compile("[\u3400-\u9fff々]{2,5}|[\uac00-\ud7a3]{2,4}")


def folded(name: str) -> str:
    """A name without case, accents and apostrophes, as the lists have it: ``O'Brien`` is ``obrien``."""
    name = name.casefold().translate(_SPELLED)
    if name.isascii():
        return name
    return unicodedata.normalize("NFC", _MARK.sub("", unicodedata.normalize("NFD", name)))


@dataclass(frozen=True)
class Lists:
    """The lists, looked up a word at a time."""

    letters: Mapping[str, str] = field(repr=False)  # by folded word
    around: Mapping[str, Sequence[str]] = field(repr=False)  # around.toml

    @classmethod
    @cache
    def shipped(cls) -> Lists:
        """Those that come with mapkeeper; read once, in less than a tenth of a second."""
        folder = files("mapkeeper_classifiers.people")
        letters: dict[str, str] = {}
        for file in ("words.txt", "names.txt"):
            for section in folder.joinpath(file).read_text("utf-8").split("\n= ")[1:]:
                letter, *words = section.split("\n")
                letters.update(dict.fromkeys(words, letter))
        letters.pop("", None)
        return cls(letters, tomllib.loads(folder.joinpath("around.toml").read_text("utf-8")))

    def letter(self, word: str) -> str:
        """What a word of a text (without white space) is; a comma behind it stays."""
        plain = word.lower()
        # Most words are looked up as they are written.
        if len(word) > 1 and plain not in self._apart and (found := self.letters.get(plain)) is not None:
            return found.lower() if word[0].islower() else found
        if word.endswith(",") and len(word) > 1:
            return self.letter(word[:-1]) + ","
        return self._unusual(word, plain)

    def _unusual(self, word: str, lower: str) -> str:
        if len(word) > LONGEST:
            return "!"
        if lower in self._between[word[0].isupper()]:
            return "-"
        plain = folded(word)
        bare = plain.replace(".", "")
        if bare in self.around["before"]:
            return "*"
        if bare in self.around["after"]:
            return "+"
        if _INITIAL.fullmatch(word):
            return "."
        if _WORD.fullmatch(word) is None:
            return "!"
        found = self._joined(plain.split("-")) if "-" in plain else self._looked_up(plain)
        return found.lower() if word[0].islower() else found

    @cached_property
    def _apart(self) -> frozenset[str]:
        """Words that are looked at first, whatever the lists say."""
        return frozenset(word for kind in ("between", "before", "after") for word in self.around[kind])

    @cached_property
    def _between(self) -> tuple[frozenset[str], frozenset[str]]:
        """The words between names that begin with a small letter, and with a capital."""
        return frozenset(self.around["between"]), frozenset(self.around["between_in_capitals"])

    @cached_property
    def _ends(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return tuple(self.around["last_names"]), tuple(self.around["fathers"])

    @cached_property
    def _given(self) -> frozenset[str]:
        """The characters of first names that have no alphabet."""
        beyond = (word for word, letter in self.letters.items() if word[0] >= "\u3400" and letter in "GHI")
        return frozenset(char for word in beyond for char in word)

    def _looked_up(self, plain: str) -> str:
        if (letter := self.letters.get(plain)) is not None:
            return letter
        if plain >= "\u3400" and _WITHOUT_SPACE.fullmatch(plain) and self._is_whole(plain):
            return "N"
        if plain.startswith("ال") and (letter := self.letters.get(plain[2:])) is not None:
            return letter
        if len(plain) < _LEAST_OF_ENDING:
            return "A"
        last_names, fathers = self._ends
        return "." if plain.endswith(fathers) else "B" if plain.endswith(last_names) else "A"

    def _is_whole(self, plain: str) -> bool:
        """Whether a text without spaces is a last name and a first name."""
        return any(
            self.letters.get(plain[:cut], "A") in "CFI"
            and (self.letters.get(plain[cut:], "A") in "GHI" or self._given.issuperset(plain[cut:]))
            for cut in range(max(1, len(plain) - 3), min(4, len(plain)))
        )

    def _joined(self, words: Sequence[str]) -> str:
        """What words joined by hyphens are together: as strong as the weakest, weak with one that is in no list."""
        names = [self._looked_up(word) for word in words if word and word not in self.around["between"]]
        if not names or "N" in names or "." in names:
            return "!"
        if "W" in names:
            return "W"
        firsts, lasts = zip(*(divmod(LETTERS.index(name), 3) for name in names), strict=True)
        first, last = (min(one) or min(1, max(one)) for one in (firsts, lasts))
        return LETTERS[3 * first + last]
