"""A whole workspace of generated data to try mapkeeper on: four clients, their stores, and nobody real.

Everything depends on the seed and the day alone, except the clients' keys, which are drawn anew each time.
What lies in it is told in ``docs/demo.md``; what a perfect scan would find is the table ``tests/demo_truth.toml``.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from mapkeeper.demo import boreal, globex, lumen, northlight, workspace
from mapkeeper.demo.chance import draw
from mapkeeper.errors import UsageError

__all__ = ["SEED", "build"]

SEED = 2026


def build(folder: Path, day: dt.date, seed: int = SEED) -> None:
    """Write the workspace into an empty or new folder: configuration, keys and ``stores/``.

    Args:
        folder: made where it does not exist; nothing is scanned.
        day: the last day of the data; every date is counted back from it.
        seed: same seed and day, same bytes (but for ``keys/``).

    Raises:
        UsageError: the folder holds something already, or is not one.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder; name one that is empty or does not exist yet")
    workspace.write(folder, day)
    stores = folder / "stores"
    customers = lumen.customers(draw(seed, "lumen customers"), day)
    lumen.write_shop(stores / "lumen.db", customers, draw(seed, "lumen shop"), day)
    lumen.write_logs(stores / "siem" / "lumen", customers, draw(seed, "lumen logs"), day)
    boreal.write_exports(stores / "boreal", draw(seed, "boreal"), day)
    globex.write_logs(stores / "siem" / "globex", customers, draw(seed, "globex"), day)
    northlight.write_roster(stores / "northlight", draw(seed, "northlight"), day)
    northlight.write_unsorted(stores / "siem" / "unsorted", draw(seed, "unsorted"), day)
