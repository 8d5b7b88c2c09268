"""Moto, an emulator of the shapes of AWS: knows every call about a bucket's posture, checks no key and no policy."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from services.processes import Service, answers, free_port
from services.s3 import S3Server


@contextlib.contextmanager
def moto() -> Iterator[S3Server]:
    """Start moto in a process of its own: in ours it would share the interpreter's lock with what is measured."""
    with Service("moto") as at:
        port = free_port()
        at.start(sys.executable, "-P", "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port))
        at.wait(lambda: answers(f"http://127.0.0.1:{port}/moto-api/"))
        yield S3Server("moto", f"http://127.0.0.1:{port}", "mapkeeper", "mapkeeper", "us-east-1")
