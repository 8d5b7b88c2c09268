"""Where a reading by key stands, as a text that another process can go on from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace

from mapkeeper_connectors.sql.mariadb.columns import Losses
from mapkeeper_connectors.sql.mariadb.keys import Key

_NUMBERS = frozenset({"rows", "step", "met", "weight", "cut", "garbled"})


@dataclass(slots=True)
class Point:
    """A place in a table: every row up to ``key`` was given out, and what was not whole in them is counted."""

    index: str  # that the table is read by
    columns: list[list[str]]  # of it: name and type
    made: str  # when the table was made or last altered
    step: int  # rows that the statement asks for
    rows: int = 0
    met: int = 0  # rows of the statement
    weight: int = 0  # their bytes
    cut: int = 0  # cells
    garbled: int = 0  # texts
    key: list[str] | None = None  # of the last row, as `Key.written`

    @classmethod
    def start(cls, key: Key, made: str, step: int) -> Point:
        """Before the first row."""
        return cls(key.index, [[column.name, column.spelled] for column in key.columns], made, step)

    def fits(self, other: Point) -> bool:
        """Whether both are of the same index of the same table."""
        return (self.index, self.columns, self.made) == (other.index, other.columns, other.made)

    def dump(self, key: list[str], losses: Losses) -> str:
        """As text, behind the row of this key."""
        return json.dumps(asdict(replace(self, key=key, cut=losses.cut, garbled=losses.garbled)))

    @classmethod
    def load(cls, text: str) -> Point:
        """What `dump` made. Raises `ValueError` for anything else."""
        raw = json.loads(text)
        if not isinstance(raw, dict) or raw.keys() != {entry.name for entry in fields(cls)}:
            raise ValueError
        numbers, key = [raw[name] for name in _NUMBERS], raw["key"]
        if any(type(number) is not int or number < 0 for number in numbers) or raw["met"] > raw["step"]:
            raise ValueError
        if not isinstance(key, list) or not all(isinstance(part, str) for part in key):
            raise ValueError
        return cls(**raw)
