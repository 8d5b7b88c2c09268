"""Families: objects whose names differ only in a date, a number of rotation or of a part are one asset."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_DAY = r"(?:19|20)\d\d(?:([-_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])|[-_.](?:0[1-9]|1[0-2]))"
_HOUR = r"(?:[-_.T ]?(?:[01]\d|2[0-3])(?:[-:_.h]?[0-5]\d){0,2}(?:[.,]\d{1,9})?Z?(?![0-9]))?"
_TAIL = r"(?:[._-]\d{1,6}(?![0-9A-Za-z])|_(?=[A-Za-z]*\d)[A-Za-z0-9]{8,40}(?![0-9A-Za-z]))?"
_DATE = re.compile(rf"(?<![0-9A-Za-z]){_DAY}{_HOUR}{_TAIL}(?![0-9A-Za-z])")
COMPRESSED = re.compile(r"\.(?:gz|zst|bz2|xz)$")
"""How the name of a compressed object ends, in lower case."""

STARS = re.compile(r"\*(?:[-_.]?\*)+")
"""Several parts of a name that differ, with nothing to read between them."""

_ROTATED = re.compile(
    r"(?P<base>.*\.(?:log|out|err|txt|json|jsonl|ndjson|csv|trace|audit|xml)|[A-Za-z][A-Za-z_-]*)\.\d{1,4}"
)
_PART = re.compile(r"(?P<part>part[-_])\d+.*?(?P<ending>(?:\.[A-Za-z]+)?)")
_NUMBERED = re.compile(r"(?P<part>.*[A-Za-z][-_])0\d{2,9}(?P<ending>\.[A-Za-z]+)")
_PARTITION = re.compile(r"(?P<key>[A-Za-z_]\w*=)(?P<value>\d{1,14}|[-0-9_.:TZ]+)")


def families(names: Iterable[str]) -> dict[str, list[str]]:
    """Put names together by what they have in common, as a pattern with ``*``; a name alone stays as it is.

    ``auth.log``, ``auth.log.1`` and ``auth.log-20260101.gz`` make ``auth.log*``; ``sales_2026-01-01.csv`` and
    ``sales_2026-01-02.csv.gz`` make ``sales_*.csv``; ``dt=2026-01-01/part-0.parquet`` and its like make
    ``dt=*/part-*.parquet``; ``letter_0001.pdf`` and ``letter_0002.pdf`` make ``letter_*.pdf``. In order of pattern,
    then of name.
    """
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_pattern(name), []).append(name)
    for pattern in [pattern for pattern in found if pattern.endswith("*")]:
        # The file that is written to today has no number yet.
        if (current := found.get(pattern[:-1])) is not None:
            found[pattern] += current
            del found[pattern[:-1]]
    result: dict[str, list[str]] = {}
    for pattern, members in found.items():
        if len(members) == 1:
            result[members[0]] = members
        else:
            result[pattern] = sorted(members)
    return dict(sorted(result.items()))


def _pattern(name: str) -> str:
    *folders, last = name.split("/")
    return "/".join([*folder_patterns(folders), file_pattern(last)])


def folder_patterns(folders: Sequence[str]) -> list[str]:
    """What each folder on the way to a file has in common with others of its family."""
    patterns = []
    dated = False
    for folder in folders:
        partition = _PARTITION.fullmatch(folder)
        if partition:
            patterns.append(f"{partition['key']}*")
        elif _DATE.fullmatch(folder) or re.fullmatch(r"(?:19|20)\d\d", folder):
            patterns.append("*")
            dated = True
        elif dated and re.fullmatch(r"\d\d", folder):  # month, day, hour below a year
            patterns.append("*")
        else:
            patterns.append(folder)
            dated = False
    return patterns


def file_pattern(name: str) -> str:
    """What the last part of a name has in common with others; itself where nothing in it is a date or number."""
    plain = COMPRESSED.sub("", name)
    if rotated := _ROTATED.fullmatch(plain):
        return f"{_dates(rotated['base'])}*"
    if part := _PART.fullmatch(plain) or _NUMBERED.fullmatch(plain):
        return f"{part['part']}*{part['ending']}"
    dated = _dates(plain)
    if dated != plain and dated.endswith("*"):  # the date comes last: rotation
        return dated.rstrip("*").rstrip("-_.") + "*"
    return dated if dated != plain else name


def _dates(text: str) -> str:
    return STARS.sub("*", _DATE.sub("*", text))
