"""The ``acme`` connector: the rolls of Acme tills."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from mapkeeper.plugin import Asset, Batch, Connector, Fact, Gap, Kind, ReadPlan, Reason, SourceError, secret

_AT_A_TIME = 1_000


@dataclass
class Tills(Connector):
    """Rolls of Acme tills: a folder of ``*.till`` files, one sale a line, fields between bars, names in the first.

    A folder with a file ``PIN.sha256`` is open only to who has the PIN.
    """

    folder: str
    pin: str = secret(default="")

    @classmethod
    def settings_for(cls, target: str) -> Mapping[str, Any] | None:
        """What begins with ``acme:``, followed by the folder."""
        return {"folder": target.removeprefix("acme:")} if target.startswith("acme:") else None

    @classmethod
    def within(cls, folder: Path, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """A relative folder starts at the workspace."""
        return {**settings, "folder": str(folder / settings["folder"])}

    @property
    def target(self) -> str:
        """The folder, as ``inspect`` takes it."""
        return f"acme:{self.folder}"

    def open(self) -> None:
        """See whether the folder is there and the PIN is right."""
        try:
            names = {path.name for path in Path(self.folder).iterdir()}
            seal = Path(self.folder, "PIN.sha256").read_text().strip() if "PIN.sha256" in names else None
        except (OSError, ValueError):
            raise SourceError(Reason.MISSING, f"{self.target}: no such folder; correct 'folder'") from None
        if seal is not None and seal != hashlib.sha256(self.pin.encode()).hexdigest():
            raise SourceError(Reason.DENIED, f"{self.target}: the PIN is another; correct 'pin'")

    def survey(self) -> Iterator[Asset]:
        """The rolls, by name."""
        for path in sorted(Path(self.folder).glob("*.till")):
            size = path.stat().st_size
            yield Asset(path.name, Kind.FILE, "acme", str(path), bytes=size, handle=str(path))

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        """Read sales, drawn at random where the plan leaves some out."""
        torn = 0
        try:
            with Path(str(asset.handle)).open("rb") as roll:
                names = _cells(roll.readline())
                count, chosen = _draw(roll, plan)
                roll.seek(0)
                roll.readline()
                for numbers, lines in _lines(roll, chosen, int(resume_from or 0)):
                    sales = [(number, _cells(line)) for number, line in zip(numbers, lines, strict=True)]
                    whole = [(number, cells) for number, cells in sales if len(cells) == len(names)]
                    torn += len(sales) - len(whole)
                    columns = [pa.array([cells[at] for _, cells in whole], pa.string()) for at in range(len(names))]
                    yield Batch(
                        pa.RecordBatch.from_arrays(columns, names),
                        method="all" if len(chosen) == count else "random rows",
                        random=len(chosen) < count,
                        bytes=sum(map(len, lines)),
                        positions=[number for number, _ in whole],
                        resume=str(numbers[-1]),
                    )
        except OSError:
            raise SourceError(Reason.UNREADABLE, f"{asset.name}: cannot be read; scan again") from None
        if torn:
            yield Gap(Reason.UNREADABLE, torn, "sales with another number of fields")
        if len(chosen) < count:
            yield Gap(Reason.BUDGET, count - len(chosen), "sales left out")

    def mark(self, asset: Asset) -> str | None:
        """From size and time of modification."""
        try:
            status = Path(str(asset.handle)).stat()
        except OSError:
            raise SourceError(Reason.MISSING, f"{asset.name}: is gone; scan again") from None
        return f"{status.st_size}-{status.st_mtime_ns}"

    def facts(self, asset: Asset) -> Iterable[Fact]:
        """Rolls are kept for ten years, says the maker; whether they are encrypted a till does not say."""
        yield Fact("retention", "P10Y", "metadata")
        yield Fact("encryption", None, "metadata")


def _cells(line: bytes) -> list[str]:
    return [cell.strip() for cell in line.decode("utf-8", "replace").strip().split("|")]


def _draw(roll: BinaryIO, plan: ReadPlan) -> tuple[int, Collection[int]]:
    """How many sales follow, and the numbers of those to read."""
    count, size, longest = 0, 0, 1
    for line in roll:
        count, size, longest = count + 1, size + len(line), max(longest, len(line))
    most = count if plan.rows is None else min(count, plan.rows)
    if plan.bytes is not None and size > plan.bytes:
        most = min(most, plan.bytes // longest)  # so that no sale has less of a chance for standing late
    return count, range(1, count + 1) if most == count else set(
        random.Random(plan.seed).sample(range(1, count + 1), most)
    )


def _lines(roll: BinaryIO, chosen: Collection[int], after: int) -> Iterator[tuple[list[int], list[bytes]]]:
    """The chosen sales after a number, so many at a time, with their numbers."""
    numbers: list[int] = []
    lines: list[bytes] = []
    for number, line in enumerate(roll, 1):
        if number > after and number in chosen:
            numbers.append(number)
            lines.append(line)
        if len(lines) == _AT_A_TIME:
            yield numbers, lines
            numbers, lines = [], []
    if lines:
        yield numbers, lines
