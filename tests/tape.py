"""A connector for tests, installed beside a test's workspace: it reads as a script says, and tells what it did.

The script is a JSON file: by asset the number of batches, and at which of them what happens. Batches have a thousand
rows with an e-mail address each, and a column of 8 MiB that nothing is looked for in, so that an asset is soon large.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from calling import add_source

SOURCE = '''
import json, os, time
from dataclasses import dataclass
from pathlib import Path
import pyarrow as pa
from mapkeeper.plugin import Asset, Batch, Connector, Kind, Reason, SourceError

ROWS = 1000

@dataclass
class Tape(Connector):
    "Reads as a script says."
    script: str
    target = "tape"

    def open(self):
        self.assets = json.loads(Path(self.script).read_text())

    def told(self, *what):
        with open(self.script + ".log", "a") as log:
            print(*what, file=log, flush=True)

    def once(self, asset, what):
        """Whether it did not happen yet."""
        done = Path(f"{self.script}.{asset}.{what}")
        if done.exists():
            return False
        done.touch()
        return True

    def survey(self):
        for name, script in self.assets.items():
            size = script.get("says", script["batches"] << 23)
            yield Asset(name, Kind.TABLE, "tape", name, rows=script["batches"] * ROWS, bytes=size)

    def mark(self, asset):
        return self.assets[asset.name].get("mark", "1")

    def requests(self, asset, plan):
        return self.assets[asset.name]["batches"]

    def read(self, asset, plan, resume_from=None):
        script = self.assets[asset.name]
        for number in range(int(resume_from or 0), script["batches"]):
            if number == script.get("hangs_at"):
                time.sleep(3600)
            dies_once = number == script.get("dies_once_at") and self.once(asset.name, "died")
            if dies_once or number == script.get("dies_at"):
                os._exit(9)
            if number == script.get("swells_at"):
                swollen = bytearray(os.urandom(1 << 20) * 2048)
                time.sleep(3600)
            if number == script.get("waits_at"):
                Path(self.script + ".reached").touch()
                while not Path(self.script + ".go").exists():
                    time.sleep(0.02)
            if number == script.get("drops_once_at") and self.once(asset.name, "dropped"):
                raise SourceError(Reason.UNREACHABLE, "tape: the connection was lost")
            if number == script.get("drops_at"):
                raise SourceError(Reason.UNREACHABLE, "tape: the connection was lost")
            self.told(asset.name, number)
            mails = [f"user.{number * ROWS + row}@mail.example.org" for row in range(ROWS)]
            pad = pa.array([bytes(8388)] * ROWS, pa.binary())
            data = pa.record_batch({"email": pa.array(mails), "pad": pad})
            resume = str(number + 1) if script.get("resumes", True) else None
            yield Batch(data, bytes=8 << 20, first=number * ROWS + 1, resume=resume)
'''


class Tape:
    """The script of a source ``tape`` in a workspace, and what was read by it."""

    def __init__(self, workspace: Path, folder: Path) -> None:
        self.folder = folder
        self.script = folder / "script.json"
        info = folder / "tape-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tape\nVersion: 1\n")
        (info / "entry_points.txt").write_text("[mapkeeper.connectors]\ntape = tape_connector:Tape\n")
        (folder / "tape_connector.py").write_text(SOURCE)
        self.env = {"PYTHONPATH": str(folder)}
        add_source(workspace, "globex", "tape", "tape", script=str(self.script))

    def write(self, assets: Mapping[str, Mapping[str, Any]]) -> None:
        """Put down what there is and what happens, and forget what was read."""
        self.script.write_text(json.dumps(assets))
        self.log.unlink(missing_ok=True)

    @property
    def log(self) -> Path:
        return Path(f"{self.script}.log")

    def read(self, asset: str) -> list[int]:
        """The batches of an asset that were read, in this order."""
        lines = [line.split() for line in self.log.read_text().splitlines()] if self.log.exists() else []
        return [int(number) for name, number in lines if name == asset]

    def go(self) -> None:
        """Let it read on behind where it waits."""
        Path(f"{self.script}.go").touch()

    @property
    def waits(self) -> bool:
        return Path(f"{self.script}.reached").exists()
