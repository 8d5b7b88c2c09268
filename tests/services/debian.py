"""Debian packages, unpacked into a cache with what they need: no root, and nothing installed on the machine."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from services import Unavailable
from services.processes import tied

RELEASE = "bookworm"
MULTIARCH = f"{platform.machine()}-linux-gnu"


def unpacked(name: str, *packages: str, without: tuple[str, ...] = ()) -> Path:
    """The folder that holds the packages and those they depend on that are not installed here.

    Fetched once from the machine's own package sources, by one process at a time; what is half unpacked is done again.
    `without` names dependencies that the servers do not need to run.

    Raises Unavailable: not on Debian 12, or the packages cannot be fetched; the text says which.
    """
    cache = Path(os.environ.get("MAPKEEPER_TEST_CACHE") or Path.home() / ".cache" / "mapkeeper-test").resolve()
    asked = hashlib.sha256(repr((platform.machine(), packages, without)).encode()).hexdigest()[:8]
    whole = cache / f"{name}-{asked}"
    if whole.is_dir():
        return whole
    if f"VERSION_CODENAME={RELEASE}\n" not in _read(Path("/etc/os-release")) or shutil.which("apt-get") is None:
        raise Unavailable(f"{name}: needs Debian 12, whose packages are unpacked for it")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.is_dir():
            for left in cache.glob("part-*"):
                shutil.rmtree(left, ignore_errors=True)  # what unpacked into it may be in its last moments
            part = Path(tempfile.mkdtemp(prefix="part-", dir=cache))
            (part / "packages").mkdir()
            _fetch(cache / "apt", part / "packages", packages, without)
            for package in sorted((part / "packages").iterdir()):
                subprocess.run(tied(("dpkg-deb", "-x", package, part / "root"), os.geteuid()), check=True)
            (part / "root").rename(whole)
            shutil.rmtree(part, ignore_errors=True)
    return whole


def libraries(root: Path, *more: str) -> dict[str, str]:
    """The environment in which programs of an unpacked folder find their libraries; `more` lie below its own."""
    own = root / "usr" / "lib" / MULTIARCH
    return {"LD_LIBRARY_PATH": ":".join(map(str, (own, *(own / name for name in more), root / "lib" / MULTIARCH)))}


def _fetch(state: Path, folder: Path, packages: tuple[str, ...], without: tuple[str, ...]) -> None:
    """Download the packages with a package list of our own, as an ordinary user can."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State": state / "state",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": state / "cache",
        "Dir::Cache::pkgcache": "",  # with the next two lines the package lists take a tenth of the room
        "Dir::Cache::srcpkgcache": "",
        "Acquire::GzipIndexes": "true",
        "Debug::NoLocking": 1,  # ours is the lock of the cache
        "APT::Sandbox::User": "",
        "Acquire::http::Timeout": 20,
    }
    apt = ["apt-get", "-q", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
    said: list[str] = []

    def run(*words: str) -> str:
        command = tied((*apt, *words), os.geteuid())
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        said.append(done.stderr)
        if done.returncode != 0:
            reasons = [line for line in "".join(said).splitlines() if line.startswith(("E:", "Err:", "W:"))]
            first_and_last = dict.fromkeys((*reasons[:1], *reasons[-1:]))
            raise Unavailable(f"{' '.join(packages)} cannot be fetched: {'; '.join(first_and_last)}")
        return done.stdout

    run("update")
    plan = run("install", "--simulate", "--assume-yes", "--no-install-recommends", *packages)
    missing = set(re.findall(r"^Inst (\S+)", plan, re.MULTILINE)) - set(without)
    run("download", *sorted(missing | set(packages)))  # what is asked for is wanted here even if it is installed


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""
