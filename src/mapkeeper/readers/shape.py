"""Shapes: what the names of a family have in common, and which names those are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mapkeeper.readers.family import COMPRESSED, STARS, file_pattern, folder_patterns

_WORD = r"(?<![0-9A-Za-z])(?:{})(?![0-9A-Za-z])"
_UUID = r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
_HASH = r"(?=[A-Za-z]*\d)[0-9A-Fa-f]{12,128}"
_MIXED = r"(?=(?:[A-Za-z]*\d){3})(?=\d*[A-Za-z])[0-9A-Za-z]{16,64}"
_NUMBER = r"\d{6,32}"
_DRAWN = re.compile(_WORD.format("|".join((_UUID, _HASH, _MIXED, _NUMBER))))
"""Parts of a name that are drawn or counted, not chosen. A token of letters and digits has three digits or more."""

_ADDRESS = re.compile(_WORD.format(r"\d{1,3}(?:\.\d{1,3}){3}"))
"""An IPv4 address, of a balancer that wrote the log."""

_TAIL = re.compile(r"\*_(?=[A-Za-z]*\d)[0-9A-Za-z]{8,40}(?![0-9A-Za-z])")
"""A short part that is drawn as well, behind one that differs."""

_END = re.compile(r"\.[A-Za-z][0-9A-Za-z]{0,9}$")

ALL = 3
"""The last step of folding names together, after which they are one family."""


def wide_pattern(name: str) -> str:
    """What the last part of a name has in common with others, where hashes and long numbers differ as well."""
    plain = _ADDRESS.sub("*", name)
    found = file_pattern(plain)
    if (wide := _DRAWN.sub("*", found)) == found and plain == name:
        return found
    return _TAIL.sub("*", STARS.sub("*", COMPRESSED.sub("", wide)))


def numbered(folder: str) -> bool:
    """Whether the name of a folder is drawn or counted."""
    return _DRAWN.fullmatch(folder) is not None


def folder_fold(pattern: str, fold: int) -> str:
    """A folder's pattern, as the folders at its side are folded."""
    return "*" if fold == 2 or (fold == 1 and numbered(pattern)) else pattern


def file_fold(pattern: str, fold: int) -> str:
    """A file's pattern, as those at its side are folded."""
    if fold == 0 or fold == ALL:
        return "*" if fold else pattern
    plain = COMPRESSED.sub("", pattern)
    end = found.group() if (found := _END.search(plain.rstrip("*"))) else ""
    last = "*" if plain.endswith("*") else ""
    stem = plain[: len(plain.rstrip("*")) - len(end)] if fold == 1 else "*"
    return STARS.sub("*", re.sub(r"\d+", "*", stem) + end + (last if fold == 1 else ""))


@dataclass(frozen=True, slots=True)
class Shape:
    """Which names belong to a family, when the folding is over. Pickles."""

    folders: tuple[tuple[str, int], ...]  # each folder's pattern, and how those at its side were folded
    files: tuple[str, ...]  # patterns
    fold: int  # how the patterns at their side were folded

    @property
    def start(self) -> str:
        """What all names of the family begin with."""
        found = ""
        for pattern, _ in self.folders:
            if "*" in pattern:
                return found
            found += f"{pattern}/"
        return found + self.files[0].partition("*")[0]

    def holds(self, name: str) -> bool:
        """Whether a name belongs to the family."""
        *folders, last = name.split("/")
        if len(folders) != len(self.folders) or file_fold(wide_pattern(last), self.fold) not in self.files:
            return False
        found = zip(self.folders, folder_patterns(folders), strict=True)
        return all(folder_fold(pattern, fold) == wanted for (wanted, fold), pattern in found)
