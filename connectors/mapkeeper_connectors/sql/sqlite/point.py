"""Where the reading of a whole table or view stands, as a text that another process can go on from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, slots=True)
class Point:
    """So many rows were given out, and so much in them was not whole."""

    rows: int
    cut: int  # cells
    garbled: int  # texts

    def dump(self) -> str:
        """As text."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Point:
        """What `dump` made. Raises `ValueError` for anything else."""
        raw = json.loads(text)
        if not isinstance(raw, dict) or raw.keys() != {entry.name for entry in fields(cls)}:
            raise ValueError
        if any(type(number) is not int or number < 0 for number in raw.values()):
            raise ValueError
        return cls(**raw)
