"""Which rows of words are a person's name; a row is a letter a word, as `Lists` has them."""

from __future__ import annotations

from mapkeeper_classifiers.people.lists import LETTERS

MOST = 6
"""Names of one person, without initials and words between."""


def full(row: str) -> bool:
    """Whether a row is a first and a last name, in either order, with what may stand around and between them."""
    row = _bare(row)
    if not _plain(row):
        return False
    if row == "N":
        return True
    if "," in row:
        return _reversed(row)
    if row[0] == "-" or row[-1] == "-":
        return False
    return _in_order(row)


def first(row: str) -> bool:
    """Whether a row is one or several first names, without a last one."""
    return _plain(row) and row[0].upper() in "GHI" and all(letter in "GHI.ghi" for letter in row)


def last(row: str) -> bool:
    """Whether a row is one or two last names, also behind words like ``van der``."""
    names = [letter.upper() for letter in row if letter != "-"]
    known = "BCEFHI" if row[:1] == "-" else "CFI"
    return _plain(row) and row[-1] != "-" and len(names) <= 2 and all(letter in known for letter in names)


def _plain(row: str) -> bool:
    """Whether there is a name, nothing that no name holds, and the same case in all."""
    if not row or "!" in row or "W" in row or "w" in row or all(letter in "-.*+," for letter in row):
        return False
    return not (any(map(str.islower, row)) and any(map(str.isupper, row)))


def _bare(row: str) -> str:
    """Without forms of address before, degrees and generations behind."""
    row = row.lstrip("*").rstrip("+*,")
    while row.endswith("+") or row.endswith(",+"):
        row = row.rstrip("+").rstrip(",")
    return row


def _names(row: str) -> list[tuple[int, int]]:
    """How strong each name is as a first and as a last name."""
    return [(at // 3, at % 3) for letter in row if (at := LETTERS.find(letter.upper())) >= 0]


def _reversed(row: str) -> bool:
    """``Last, First``."""
    before, _, behind = row.partition(",")
    if "," in behind or not before or behind[:1] in ("", "-") or before[-1] == "-":
        return False
    lasts, firsts = _names(before), _names(behind)
    if not lasts or len(lasts) + len(firsts) > MOST:
        return False
    strongest = max(last for _, last in lasts)
    if not firsts:
        return strongest == 2 and set(behind) == {"."}
    return firsts[0][0] == 2 or firsts[0][0] + strongest >= 3


def _in_order(row: str) -> bool:
    """``First Last``, ``F. Last``, or the other way round."""
    names = _names(row)
    if set(row) - set(LETTERS + LETTERS.lower() + ".-") or len(names) > MOST:
        return False
    if len(names) == 1:
        return "." in row and names[0][1] == 2
    unknown = sum(name == (0, 0) for name in names)
    (first, as_last), (as_first, last) = names[0], names[-1]
    if unknown > (1 if len(names) < 4 else 2):
        return False
    if row[0].islower():
        return (first >= 1 and last >= 1 and first + last >= 3) or (as_first == 2 and as_last == 2)
    return first + last >= 3 or first == 2 or (as_first >= 1 and as_last >= 1 and as_first + as_last >= 3)
