"""OpenStack Swift behind its S3 API: real, and of another family than Amazon's or Ceph's."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from services import Unavailable
from services.processes import Service, answers, free_port
from services.s3 import S3Server

SERVER = Path(__file__).with_name("swift_server.py")


@contextlib.contextmanager
def swift() -> Iterator[S3Server]:
    """Start all of Swift in one process."""
    if find_spec("swift") is None:
        raise Unavailable("swift: the package swift is not installed")
    with Service("swift") as at:
        try:
            os.setxattr(at.log, "user.mapkeeper", b"")
        except OSError:
            raise Unavailable(f"swift: {at.folder.parent} keeps no extended attributes: set TMPDIR") from None
        port = free_port()
        at.start(sys.executable, "-P", "-W", "ignore", SERVER, at.folder, str(port))
        at.wait(lambda: answers(f"http://127.0.0.1:{port}/info"))
        yield S3Server("swift", f"http://127.0.0.1:{port}", "test:tester", "testing", "us-east-1")
