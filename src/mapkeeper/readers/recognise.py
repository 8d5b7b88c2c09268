"""Recognise a format: by content, with the name's ending as no more than a tie-break."""

from __future__ import annotations

import codecs
import csv
import io
import re

from mapkeeper.readers.delimited import Delimited, row_ends
from mapkeeper.readers.family import COMPRESSED
from mapkeeper.readers.flat import unique
from mapkeeper.readers.json_loose import is_object
from mapkeeper.readers.line_format import FORMATS
from mapkeeper.readers.logs import Lines, lines_of
from mapkeeper.readers.rows import Format

_DELIMITERS = ",;\t|"
_ROWS = 200
_ENDINGS = {"csv": ",;\t|", "tsv": "\t", "tab": "\t", "psv": "|"}
_DATA = re.compile(
    r"\s*(?:[-+]?[\d.,' ]*\d[\d.,' %€$£]*|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|\d{1,2}:\d\d.*|[^@\s]+@[^@\s]+\.\w+"
    r"|\w+://.*|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|true|false|null)\s*",
    re.IGNORECASE,
)


def recognise(head: bytes, whole: bool, name: str) -> Format:
    """The format of a text that begins with ``head``; ``whole``: that is all of it."""
    body = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    text = head[body:]
    lines = [line for line in text.decode("utf-8", "replace").split("\n") if line.strip()]
    if not whole and len(lines) > 1:
        lines.pop()
    lines = lines[:_ROWS]
    if sum(is_object(line.strip()) for line in lines) > len(lines) / 2:
        return Lines(body, json=True)
    if lines and _logs(lines) >= len(lines) / 2:
        return Lines(body, json=False)
    ending = COMPRESSED.sub("", name.lower()).rpartition(".")[2]
    return _delimited(text, whole, ending, body) or Lines(body, json=False)


def _logs(lines: list[str]) -> int:
    left = lines_of(lines)
    for kind in FORMATS:
        matched, _ = kind.parse(left)
        left = left.filter(~matched)
    return len(lines) - len(left)


def _delimited(text: bytes, whole: bool, ending: str, body: int) -> Format | None:
    best: tuple[float, str, list[list[str]]] | None = None
    for delimiter in _ENDINGS.get(ending, _DELIMITERS):
        rows = _rows(text, whole, delimiter)
        if not rows:
            continue
        width = len(rows[0])
        even = sum(len(row) == width for row in rows) / len(rows)
        if width > 1 and even > 0.5 and (ending in _ENDINGS or _believable(rows, width, even, delimiter)):
            score = even + min(width, 20) / 100
            if best is None or score > best[0]:
                best = score, delimiter, rows
    if best is None:
        if ending not in _ENDINGS or not text.strip():
            return None
        best = 0.0, _ENDINGS[ending][0], _rows(text, whole, _ENDINGS[ending][0])
        if not best[2]:
            return None
    _, delimiter, rows = best
    if not _has_header(rows):
        return Delimited(delimiter, [f"column_{number}" for number in range(1, len(rows[0]) + 1)], body)
    ends = row_ends(text, delimiter)
    return Delimited(delimiter, unique(rows[0]), body + (int(ends[0]) if len(ends) else len(text)))


def _rows(text: bytes, whole: bool, delimiter: str) -> list[list[str]]:
    ends = row_ends(text, delimiter)[:_ROWS]
    if len(ends):
        text = text if whole and len(ends) < _ROWS else text[: ends[-1]]
    elif not whole:
        return []
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        decoded = text.decode("cp1252", "replace")  # as the rows are
    reader = csv.reader(io.StringIO(decoded, newline=""), delimiter=delimiter)
    try:
        return [row for row in reader if row]
    except csv.Error:
        return []


def _believable(rows: list[list[str]], width: int, even: float, delimiter: str) -> bool:
    """Whether rows without a telling file name are a table, and not sentences or log lines with a comma each."""
    if len(rows) < 2 or even < 0.9:
        return False
    spaced = sum(cell.startswith(" ") for row in rows for cell in row[1:])
    if spaced > 0.3 * sum(len(row) - 1 for row in rows):
        return False
    if not _has_header(rows):
        pairs = sum("=" in cell or '":' in cell for row in rows for cell in row)
        return even == 1 and width > 3 and len(rows) > 2 and delimiter in ",\t" and pairs < len(rows)
    return width > 2 or any(_DATA.fullmatch(cell) for row in rows[1:] for cell in row)


def _has_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns: it has words only, short ones, and none that comes again below."""
    first = rows[0]
    if not any(cell.strip() for cell in first) or any(_DATA.fullmatch(cell) or len(cell) > 200 for cell in first):
        return False
    for number, name in enumerate(first):
        below = [row[number] for row in rows[1:] if len(row) > number]
        if name.strip() and below.count(name) > max(1, len(below) // 10):
            return False
    return True
