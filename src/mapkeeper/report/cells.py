"""Texts from strangers' stores on paper, on a terminal and in a spreadsheet: safe to look at, safe to open."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a formula begins for some spreadsheet; East Asian ones take signs of full width, too."""


def visible(text: object, besides: str = "") -> str:
    """A text of which what cannot be seen, steers a terminal or turns the writing about is spelt out.

    Blanks of any width are seen; so are the characters ``besides``.
    """
    told = str(text)
    if told.isprintable():
        return told
    return "".join(
        one
        if one.isprintable() or one in besides or unicodedata.category(one) == "Zs"
        else one.encode("unicode_escape").decode()
        for one in told
    )


def json_text(value: Any) -> str:
    """A JSON document. What cannot be seen is escaped as JSON can, so that no terminal or encoding trips over it."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """RFC 4180 text: lists joined with "; ", nothing for ``None``, no cell that a spreadsheet takes for a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def cell(value: Any) -> str:
    """One value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return cell("; ".join(_item(one) for one in value))
    if isinstance(value, dict):
        return cell(_item(value))
    text = visible(value, "\t\r\n")
    return f"'{text}" if text.startswith(_FORMULA) else text


def _item(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items() if one not in (None, ""))
    return str(value)
