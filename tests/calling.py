"""How tests call the command line, and how they declare sources."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    exit: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A listing that was printed as JSON."""
        found = json.loads(self.out)
        assert isinstance(found, list)
        return found


Run = Callable[..., Ran]


def add_source(workspace: Path, client: str, id: str, connector: str, **settings: str) -> None:
    """Declare a source in a client's file."""
    lines = [f"\n[[source]]\nid = {json.dumps(id)}\nconnector = {json.dumps(connector)}"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    with (workspace / "clients" / f"{client}.toml").open("a") as file:
        file.write("\n".join(lines) + "\n")


def wait_until(reached: Callable[[], bool], process: subprocess.Popen[Any]) -> None:
    """Wait until a process has come somewhere; it is looked at now and then, as looking takes the time it needs."""
    deadline = time.monotonic() + 90
    while not reached():
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            raise AssertionError(f"it ended: {process.communicate()}")
        assert time.monotonic() < deadline
