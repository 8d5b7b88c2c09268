"""A large estate scanned wholly: time, memory, a rescan, and scans that are killed at random.

Run it as ``python tests/benchmarks/overnight.py --gigabytes 0.5 5``; it starts its own servers.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil

from benchmarks.grown import grow
from services.ceph import ceph
from services.mariadb import mariadb
from services.postgres import postgres

MAPKEEPER = (sys.executable, "-m", "mapkeeper")


@dataclass
class Run:
    """How a scan went."""

    seconds: float
    memory: int  # the most that one of its processes held, in bytes
    killed: bool


def scan(workspace: Path, env: Mapping[str, str], kill_after: float | None = None) -> Run:
    """Scan, and end it after so many seconds with SIGKILL."""
    begun = time.monotonic()
    command = [*MAPKEEPER, "scan", "--depth", "full", "--workers", "2", "--workspace", str(workspace)]
    process = subprocess.Popen(command, env=dict(env), stdout=subprocess.DEVNULL)
    scanner, most, killed = psutil.Process(process.pid), 0, False
    family: list[psutil.Process] = []
    while process.poll() is None:
        with suppress(psutil.Error):
            family = [scanner, *scanner.children(recursive=True)]
            most = max(most, *(one.memory_info().rss for one in family))
        if kill_after is not None and time.monotonic() - begun > kill_after:
            process.send_signal(signal.SIGKILL)
            killed = True
        time.sleep(0.2)
    psutil.wait_procs(family, timeout=20)
    return Run(time.monotonic() - begun, most, killed)


def result(workspace: Path, env: Mapping[str, str]) -> list[dict[str, Any]]:
    """All findings and coverage, without the days."""
    rows: list[dict[str, Any]] = []
    for command in (["findings", "--all"], ["coverage"]):
        done = subprocess.run(
            [*MAPKEEPER, *command, "--format", "json", "--workspace", str(workspace)],
            env=dict(env), capture_output=True, check=True,
        )  # fmt: skip
        rows += json.loads(done.stdout)
    return [{key: value for key, value in row.items() if key not in ("first_seen", "last_seen")} for row in rows]


def forget(workspace: Path) -> None:
    """Begin with an empty inventory."""
    for path in workspace.glob("inventory.db*"):
        path.unlink()


def measure(gigabytes: float, kills: int, draw: random.Random) -> float:
    """Measure an estate of one size and print what came of it; the seconds of the first scan."""
    folder = Path(tempfile.mkdtemp(prefix="mapkeeper-overnight-"))
    with ceph() as s3, postgres() as crm, crm.fresh() as crm_url, mariadb() as shop, shop.fresh() as shop_url:
        env = {
            **os.environ, "ESTATE_KEY": s3.access_key, "ESTATE_SECRET": s3.secret_key,
            "ESTATE_POSTGRES": crm_url, "ESTATE_MARIADB": shop_url,
        }  # fmt: skip
        bucket = s3.create_bucket()
        begun = time.monotonic()
        workspace = grow(folder, int(gigabytes * 1e9), s3, bucket, crm_url, shop_url)
        print(f"{gigabytes:g} GB grown in {time.monotonic() - begun:.0f} s", flush=True)
        first = scan(workspace, env)
        print(
            f"  first scan   {first.seconds:8.1f} s  {gigabytes * 1e3 / first.seconds:6.1f} MB/s"
            f"  {first.memory / 1e6:5.0f} MB at most in one process",
            flush=True,
        )
        undisturbed = result(workspace, env)
        assert undisturbed, "nothing was found"
        again = scan(workspace, env)
        print(f"  rescan       {again.seconds:8.1f} s  {again.seconds / first.seconds:6.1%} of the first", flush=True)
        assert result(workspace, env) == undisturbed
        if kills:
            forget(workspace)
            total = 0.0
            for _ in range(kills):
                run = scan(workspace, env, kill_after=draw.uniform(0.05, 0.3) * first.seconds)
                print(
                    f"  killed after {run.seconds:8.1f} s" if run.killed else f"  ended in {run.seconds:.1f} s",
                    flush=True,
                )
                total += run.seconds
            last = scan(workspace, env)
            print(
                f"  ended in     {last.seconds:8.1f} s  {(total + last.seconds) / first.seconds:6.2f} of the first, all"
            )
            same = result(workspace, env) == undisturbed
            print(
                f"  the result is {'the same' if same else 'NOT the same'} as that of the undisturbed scan", flush=True
            )
    shutil.rmtree(folder)
    return first.seconds


def main() -> None:
    """Measure every size asked for, and compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[0.5, 5])
    parser.add_argument("--kills", type=int, default=5, help="of the scan of the largest estate")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    draw = random.Random(chosen.seed)
    sizes = sorted(chosen.gigabytes)
    seconds = [measure(size, chosen.kills if size == sizes[-1] else 0, draw) for size in sizes]
    for size, took in zip(sizes[1:], seconds[1:], strict=True):
        print(f"{size / sizes[0]:.1f} times the bytes took {took / seconds[0]:.1f} times the time")


if __name__ == "__main__":
    main()
