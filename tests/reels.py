"""A connector that keeps the contract, for the acceptance kit to accept; broken ones are made of it.

It is a module of its own so that another process finds it.
"""

from __future__ import annotations

import itertools
import json
import os
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from mapkeeper.plugin import (
    Access,
    Asset,
    Batch,
    Connector,
    Fact,
    Flow,
    Gap,
    Kind,
    ReadPlan,
    Reason,
    SourceError,
    Store,
    secret,
)

CANARY = "canary.bird@example.com"
ROWS = 240


@dataclass
class Reels(Connector):
    """A folder of reels, one JSON object a line."""

    folder: str
    password: str = secret(default="open sesame")

    BATCH: ClassVar[int] = 40

    @classmethod
    def settings_for(cls, target: str) -> Mapping[str, Any] | None:
        return {"folder": target.removeprefix("reels:")} if target.startswith("reels:") else None

    @property
    def target(self) -> str:
        return self.folder

    def open(self) -> None:
        if not Path(self.folder).is_dir():
            raise SourceError(Reason.MISSING, f"{self.folder}: no such folder; correct 'folder'")

    def survey(self) -> Iterator[Asset]:
        for path in sorted(Path(self.folder).glob("*.reel")):
            yield Asset(path.name, Kind.FILE, "file", str(path), bytes=path.stat().st_size, handle=str(path))

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        self.pace.requests()
        rows = self.rows(asset)
        chosen = self.choose(rows, plan)
        for start in range(int(resume_from or 0), len(chosen), self.BATCH):
            numbers = chosen[start : start + self.BATCH]
            yield self.batch(rows, numbers, len(chosen) < len(rows), str(start + len(numbers)))
        if len(chosen) < len(rows):
            yield Gap(Reason.BUDGET, len(rows) - len(chosen), "rows left out")

    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        try:
            return [json.loads(line) for line in Path(str(asset.handle)).read_text().splitlines()]
        except OSError:
            raise SourceError(Reason.MISSING, f"{asset.name}: is gone; scan again") from None
        except ValueError:
            raise SourceError(Reason.UNREADABLE, f"{asset.name}: a line is no JSON; mend the reel") from None

    def choose(self, rows: Sequence[dict[str, Any]], plan: ReadPlan) -> list[int]:
        order = random.Random(plan.seed).sample(range(len(rows)), min(len(rows), plan.rows or len(rows)))
        sizes = itertools.accumulate(len(json.dumps(rows[number])) for number in order)
        kept = sum(plan.bytes is None or size <= plan.bytes for size in sizes)
        return sorted(order[:kept])

    def batch(self, rows: Sequence[dict[str, Any]], numbers: Sequence[int], part: bool, resume: str | None) -> Batch:
        taken = [rows[number] for number in numbers]
        return Batch(
            pa.RecordBatch.from_pydict(
                {key: [row.get(key) for row in taken] for key in ("id", "mail", "tags", "town")}
            ),
            method="random rows" if part else "all",
            random=part,
            bytes=sum(len(json.dumps(row)) for row in taken),
            unit="line",
            positions=[number + 1 for number in numbers],
            resume=resume,
        )

    def mark(self, asset: Asset) -> str | None:
        try:
            status = Path(str(asset.handle)).stat()
        except OSError:
            raise SourceError(Reason.MISSING, f"{asset.name}: is gone; scan again") from None
        return f"{status.st_size} {status.st_mtime_ns}"

    def facts(self, asset: Asset) -> Iterable[Fact]:
        yield Fact("encryption", None, "metadata")

    def flows(self) -> Iterable[Flow]:
        yield Flow("reels:one.reel", "reels:two.reel", "configured", 1.0)

    def requests(self, asset: Asset, plan: ReadPlan) -> int | None:
        return 1

    def check(self) -> Iterable[Access]:
        yield Access(f"read {self.folder}", os.access(self.folder, os.R_OK), "to list its reels")
        yield Access("a projector", False, "tells how fast they turn", needed=False)
        yield Access("light", None, "only reading would tell")

    def rights(self) -> str | None:
        return f"chmod o+rx {self.folder}"

    @property
    def store(self) -> str | None:
        return f"reels:{self.folder}"

    def stores(self) -> Iterable[Store]:
        for folder in (self.folder, f"{self.folder}-of-old"):
            yield Store(f"reels:{folder}", {"connector": "reels", "folder": folder}, "a shelf")

    def lookup(self, asset: Asset, field: str, values: Sequence[str]) -> Iterator[Batch]:
        rows = self.rows(asset)
        if numbers := [number for number, row in enumerate(rows) if row.get(field) in values]:
            yield self.batch(rows, numbers, False, None)


@dataclass
class MarksTheProcess(Reels):
    """Its marks are those of one process."""

    def mark(self, asset: Asset) -> str | None:
        return f"{super().mark(asset)} {os.getpid()}"


@dataclass
class EndsWorkers(Reels):
    """A process that it is opened in, other than the first, ends."""

    def open(self) -> None:
        if parent_process() is not None:
            os._exit(1)


@dataclass
class ResumesFromMemory(Reels):
    """Its points to resume from mean something in one process only."""

    REACHED: ClassVar[dict[str, str]] = {}

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        yield from super().read(asset, plan, self.REACHED.get(resume_from or ""))

    def batch(self, rows: Sequence[dict[str, Any]], numbers: Sequence[int], part: bool, resume: str | None) -> Batch:
        batch = super().batch(rows, numbers, part, resume)
        self.REACHED[f"cursor {resume}"] = resume or ""
        return replace(batch, resume=f"cursor {resume}")


def fill(folder: Path, rows: int = ROWS) -> None:
    lines = [json.dumps({"id": n, "mail": f"person{n}@example.com", "tags": ["a", str(n)]}) for n in range(rows)]
    lines[rows // 2] = json.dumps({"id": rows // 2, "mail": CANARY})
    folder.joinpath("one.reel").write_text("\n".join(lines) + "\n")
    folder.joinpath("two.reel").write_text('{"id": 1, "town": "Lyon"}\n')
    folder.joinpath("void.reel").write_text("")
    folder.joinpath("worn.reel").write_text(f'{{"mail": {CANARY}\n')
