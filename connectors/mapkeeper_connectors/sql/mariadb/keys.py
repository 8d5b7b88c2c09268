"""The keys of a table: how reading goes on after a row, and how rows are met at random without a look at all others."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mapkeeper_connectors.sql.mariadb.columns import Column
from mapkeeper_connectors.sql.mariadb.session import quoted

Value = int | Decimal | str | bytes
"""One part of a key, as it is handed to the driver."""

INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year"})
_MOMENTS = frozenset({"date", "datetime", "timestamp"})
_BYTES = frozenset({"binary", "varbinary"})
_TEXTS = frozenset({"char", "varchar", "uuid", "inet4", "inet6", "time", *_MOMENTS})
_WIDE = frozenset({"ucs2", "utf16", "utf16le", "utf32"})  # may hold what cannot be handed back in UTF-8
_LOOSE = 6  # letters of a random key that are any
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Key:
    """A unique index whose order is that of its values.

    Floats have none that survives being spelled, and an ENUM sorts otherwise than it compares.
    """

    index: str
    columns: tuple[Column, ...]

    @property
    def whole(self) -> bool:
        """Whether it is one whole number."""
        return len(self.columns) == 1 and self.columns[0].type in INTEGERS

    @property
    def forced(self) -> str:
        """What makes the server use it."""
        return f"FORCE INDEX ({quoted(self.index)})"

    @property
    def order(self) -> str:
        """What sorts by it."""
        return "ORDER BY " + ", ".join(quoted(column.name) for column in self.columns)

    def after(self, last: Sequence[Value], *, included: bool = False) -> tuple[str, list[Value]]:
        """The condition for rows behind one, and its values.

        Not written ``(a, b) > (x, y)``: for that MariaDB walks through the index from its start. For this it does not.
        """
        condition = ""
        values: list[Value] = []
        for column, value in reversed([*zip(self.columns, last, strict=False)]):
            name = quoted(column.name)
            if condition:
                condition = f"({name} > %s OR ({name} = %s AND {condition}))"
                values = [value, value, *values]
            else:
                condition, values = f"{name} {'>=' if included else '>'} %s", [value]
        return condition, values

    def among(self, values: Sequence[Value]) -> str:
        """The condition for rows whose one-column key is among so many values."""
        return f"{quoted(self.columns[0].name)} IN ({', '.join(['%s'] * len(values))})"

    def read(self, cells: Sequence[bytes | None]) -> list[Value]:
        """The key as the server spelled it."""
        return [self.value(column, cell or b"") for column, cell in zip(self.columns, cells, strict=True)]

    @staticmethod
    def value(column: Column, cell: bytes) -> Value:
        """One part of a key as the server spelled it."""
        return _value(column, cell)

    def written(self, key: Sequence[Value]) -> list[str]:
        """The key as text."""
        return [value.hex() if isinstance(value, bytes) else str(value) for value in key]

    def reread(self, texts: Sequence[str]) -> list[Value]:
        """The key that was `written`."""
        pairs = zip(self.columns, texts, strict=True)
        return [
            bytes.fromhex(text) if column.type in _BYTES else _value(column, text.encode()) for column, text in pairs
        ]


def usable(column: Column) -> bool:
    """Whether a key may be of this column."""
    if column.type in _TEXTS:
        return column.charset not in _WIDE
    return column.type in INTEGERS | _BYTES | {"decimal"}


def between(column: Column, low: Value, high: Value, known: Sequence[Value], dice: random.Random) -> Value:
    """A value at random between two; keys of the table that are known give it their looks."""
    match low, high:
        case int(), int():
            return dice.randint(low, high)
        case Decimal(), Decimal():
            return low + (high - low) * Decimal(dice.random())
        case bytes(), bytes():
            octets = [value for value in known if isinstance(value, bytes)]
            return bytes(_path(low, high, octets, dice))
        case str(), str():
            if column.type in _MOMENTS and (moment := _moment(low, high, dice)):
                return moment
            order, back = _orders(low, high) if column.type == "uuid" else (str, str)
            letters = [[*map(ord, order(value))] for value in known if isinstance(value, str)]
            return back("".join(map(chr, _path([*map(ord, order(low))], [*map(ord, order(high))], letters, dice))))
    return low


def _path(low: Sequence[int], high: Sequence[int], known: Sequence[Sequence[int]], dice: random.Random) -> list[int]:
    """Letters that begin like both, go on somewhere between them, then are any that occur, and end like a known key."""
    same = 0
    while same < min(len(low), len(high)) and low[same] == high[same]:
        same += 1
    least, most = (low[same] if same < len(low) else 0), (high[same] if same < len(high) else 0)
    if most <= least:
        return [*low]
    letters = [ord(letter) for letter in _ALPHABET if least <= ord(letter) <= most] if isinstance(low, list) else []
    first = dice.choice(letters) if letters else dice.randint(least, most)
    like = dice.choice(known)
    pool = [letter for key in known for letter in key[same + 1 :]] or [least]
    loose = [dice.choice(pool) for _ in like[same + 1 : same + 1 + _LOOSE]]
    return [*low[:same], first, *loose, *like[same + 1 + _LOOSE :]]


def _orders(*keys: str) -> tuple[Callable[[str], str], Callable[[str], str]]:
    """How a UUID is spelled in the order by which MariaDB sorts it, the last part first, and back again.

    Those of version 6 and above sort as they are spelled (https://mariadb.com/kb/en/uuid-data-type/).
    """
    if any(key[14:15] in ("6", "7", "8") for key in keys):
        return str, str
    return (lambda key: "".join(reversed(key.split("-")))), (
        lambda key: "-".join((key[24:], key[20:24], key[16:20], key[12:16], key[:12]))
    )


def _moment(low: str, high: str, dice: random.Random) -> str | None:
    try:
        first, last = dt.datetime.fromisoformat(low), dt.datetime.fromisoformat(high)
    except ValueError:  # 0000-00-00
        return None
    return str((first + (last - first) * dice.random()).replace(microsecond=0))


def _value(column: Column, cell: bytes) -> Value:
    if column.type in INTEGERS:
        return int(cell)
    if column.type in _BYTES:
        return cell
    text = cell.decode("utf-8", "replace")
    return Decimal(text) if column.type == "decimal" else text


def choose(found: Sequence[tuple[str, Sequence[Any]]], columns: Sequence[Column]) -> list[Key]:
    """The usable keys among indexes by name, with the names of their columns; the server's own order is kept."""
    by_name = {column.name: column for column in columns}
    keys = []
    for index, names in found:
        parts = [by_name.get(name) for name in names]
        if all(part is not None and usable(part) for part in parts):
            keys.append(Key(index, tuple(part for part in parts if part is not None)))
    return keys
