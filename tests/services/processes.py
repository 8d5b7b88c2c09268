"""The processes of a server under test: on free loopback ports, in a folder of their own, gone when pytest is gone."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.request import ProxyHandler, build_opener

from services import Unavailable

TEMPORARY = Path(tempfile.gettempdir())
"""Where the folders of the servers lie: read now, as tests change TMPDIR for what they call."""

PREFIX = "mapkeeper-test-"
LAUNCHER = Path(__file__).with_name("launcher.py")
PORTS = range(15_000, 30_000)
"""Below the range from which the kernel takes ports for outgoing connections (32768 and above on Linux)."""


class Service:
    """A server of one or more processes with a folder of its own; a context manager that ends and removes them.

    Every process is tied to this one (see `launcher`), so nothing runs on when pytest is killed; the folder that is
    then left is swept by the next run. The environment is made anew: a variable such as `PGPORT` changes no server.
    """

    def __init__(self, name: str, uid: int | None = None, ending: signal.Signals = signal.SIGKILL) -> None:
        """Name the server, its user (default: ours) and the signal that ends it."""
        if sys.platform != "linux":
            raise Unavailable(f"{name}: the servers of the tests run on Linux")
        sweep()
        self.name = name
        self.uid = os.geteuid() if uid is None else uid
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-{name}-", dir=TEMPORARY))
        self.log = self.folder / "log"
        self._ending = ending
        self._processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
        }
        self.log.touch()
        if self.uid != os.geteuid():
            os.chown(self.folder, self.uid, self.uid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in reversed(self._processes):
            process.send_signal(self._ending)
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *command: str | Path, given: str = "") -> str:
        """Run a command to its end with `given` as its input; what it prints, or RuntimeError with the log."""
        with self.log.open("ab") as log:
            try:
                done = subprocess.run(
                    tied(command, self.uid, self._ending),
                    input=given.encode(),
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd=self.folder,
                    env=self.environment,
                    timeout=60,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise self._failure(f"{Path(command[0]).name} did not end") from None
            log.write(done.stdout)
        if done.returncode != 0:
            raise self._failure(f"{Path(command[0]).name} ended with {done.returncode}")
        return done.stdout.decode()

    def start(self, *command: str | Path) -> None:
        """Start a process that stays until the service ends."""
        # The kernel sends the parent-death signal when the thread that started a process ends, not the process.
        assert threading.current_thread() is threading.main_thread(), "a server started in a thread dies with it"
        with self.log.open("ab") as log:
            started = subprocess.Popen(
                tied(command, self.uid, self._ending),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self.environment,
                start_new_session=True,  # Ctrl-C in the terminal is for pytest, which then ends us
            )
        self._processes.append(started)

    def wait(self, ready: Callable[[], object], seconds: float = 60) -> None:
        """Wait until `ready` returns something true without an error; RuntimeError with the log if it never does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(process.poll() is not None for process in self._processes):
                raise self._failure("a process ended before the server was ready")
            with contextlib.suppress(Exception):  # whatever a client says of a server that is half there
                if ready():
                    return
            time.sleep(0.03)
        raise self._failure(f"it was not ready after {seconds:g} seconds")

    def _failure(self, what: str) -> RuntimeError:
        last = self.log.read_text("utf-8", errors="replace")[-4000:]
        return RuntimeError(f"{self.name} did not start: {what}\n{last}")


def tied(command: Sequence[str | Path], uid: int, ending: signal.Signals = signal.SIGKILL) -> list[str]:
    """The command line that runs a command as a user and ends it with a signal when this process ends."""
    launcher = (sys.executable, "-I", "-S", LAUNCHER, os.getpid(), uid, int(ending))
    return [str(word) for word in (*launcher, *command)]


def sweep() -> None:
    """Remove the folders of runs that are no more: the name of each has the number of the process that made it."""
    for folder in TEMPORARY.glob(f"{PREFIX}*"):
        number = folder.name.removeprefix(PREFIX).partition("-")[0]
        if number.isdecimal() and not Path("/proc", number).exists():
            shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    for port in random.SystemRandom().sample(PORTS, 200):  # not of the seed that a test may have set
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port on 127.0.0.1")


def answers(url: str) -> bool:
    """Whether the address answers 200, asked without a proxy."""
    with build_opener(ProxyHandler({})).open(url, timeout=2) as answer:
        return bool(answer.status == 200)
