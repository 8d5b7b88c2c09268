"""What a view reads, as far as its definition, the way the server keeps it, tells beyond doubt."""

from __future__ import annotations

import re

_NAME = r"`(?:[^`]|``)+`"
_SOURCE = re.compile(rf"\b(?:from|join)\b\s*(?:\(\s*)*(?:({_NAME})\.({_NAME})(?![.(])|(select)\b)?", re.IGNORECASE)
_FUNCTION = re.compile(rf"{_NAME}\.{_NAME}\s*\(")
_FICKLE = re.compile(
    r"\b(?:now|sysdate|curdate|curtime|current_\w+|local\w+|utc_\w+|unix_timestamp|rand|uuid\w*|user|session_user"
    r"|system_user|connection_id|last_insert_id|found_rows|row_count|nextval|lastval|sleep|get_lock|load_file)\b",
    re.IGNORECASE,
)
_LITERAL = r"'(?:[^'\\]|\\.|'')*'|\b0x[0-9a-f]+\b|\b\d{6,}\b"
_VALUE = re.compile(_LITERAL, re.IGNORECASE | re.DOTALL)
_NAME_OR_VALUE = re.compile(rf"(?P<name>{_NAME})|{_LITERAL}", re.IGNORECASE | re.DOTALL)


def sources(definition: str) -> list[tuple[str, str]] | None:
    """The tables and views that a view reads, by database and name; ``None``: it may read or hang on more than that.

    The server writes every table with its database and in backticks. What is not written so, such as a function of the
    user's own, or a function of the time, is such a doubt.
    """
    if not definition or _FUNCTION.search(definition) or _FICKLE.search(definition):
        return None
    found = []
    for source in _SOURCE.finditer(definition):
        schema, name, select = source.groups()
        if schema:
            found.append((_plain(schema), _plain(name)))
        elif not select:
            return None
    return found


def without_values(definition: str) -> str:
    """A definition with a question mark for each text and long number in it: they may be of people.

    Also within a name: a column of a view that is not given one is called by its expression.
    """
    return _NAME_OR_VALUE.sub(lambda found: _VALUE.sub("?", found["name"]) if found["name"] else "?", definition)


def _plain(name: str) -> str:
    return name[1:-1].replace("``", "`")
