"""Serves all of Swift (proxy with S3 API, account, container, object) in one process: `swift_server.py FOLDER PORT`."""

# ruff: noqa: E402 - eventlet has to change the standard library before anything else sees it
import eventlet

eventlet.monkey_patch()

import os
import sys
import time
from pathlib import Path
from typing import Any

import eventlet.wsgi

PARTS = ("object", "container", "account")

SWIFT = """
[swift-hash]
swift_hash_path_prefix = mapkeeper
swift_hash_path_suffix = mapkeeper
[storage-policy:0]
name = gold
default = yes
"""
PART = """
[DEFAULT]
mount_check = false
devices = {folder}/node
swift_dir = {folder}/etc
disable_fallocate = true
fallocate_reserve = 0
log_udp_host = 127.0.0.1
[pipeline:main]
pipeline = {part}-server
[app:{part}-server]
use = egg:swift#{part}
recon_cache_path = {folder}/cache
"""
FILTERS = {
    "catch_errors": "",
    "listing_formats": "",
    "bulk": "",
    "s3api": "location = us-east-1\ns3_acl = false\nallow_multipart_uploads = true",
    "tempauth": "user_test_tester = testing .admin",
    "copy": "",
    "slo": "",
    "versioned_writes": "allow_versioned_writes = true\nallow_object_versioning = true",
    "symlink": "",
}
PROXY = """
[DEFAULT]
swift_dir = {folder}/etc
log_udp_host = 127.0.0.1
[pipeline:main]
pipeline = {filters} proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
"""


class Remembered:
    """What memcached would keep, in a dictionary: without it every request asks account and container anew."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.kept: dict[str, tuple[Any, float]] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        environ["swift.cache"] = self
        return self.app(environ, start_response)

    def set(self, key: str, value: Any, serialize: bool = True, time: float = 0, **_: object) -> None:
        self.kept[key] = (value, now() + time if time else float("inf"))

    def get(self, key: str, **_: object) -> Any:
        value, until = self.kept.get(key, (None, 0.0))
        return value if until > now() else None

    def incr(self, key: str, delta: int = 1, time: float = 0) -> int:
        value = max(int(self.get(key) or 0) + int(delta), 0)
        self.set(key, value, time=time)
        return value

    def decr(self, key: str, delta: int = 1, time: float = 0) -> int:
        return self.incr(key, -delta, time)

    def delete(self, key: str, **_: object) -> None:
        self.kept.pop(key, None)

    def set_multi(self, values: dict[str, Any], *_: object, time: float = 0, **__: object) -> None:
        for key, value in values.items():
            self.set(key, value, time=time)

    def get_multi(self, keys: list[str], *_: object) -> list[Any]:
        return [self.get(key) for key in keys]


now = time.monotonic


class Silence:
    """A log that is not kept."""

    def write(self, *_: object) -> None:
        pass


def configure(folder: Path, ports: dict[str, int]) -> None:
    """Write the configuration of every part, and a ring of one device for each."""
    from swift.common import utils
    from swift.common.ring import RingBuilder

    etc = folder / "etc"
    for path in (etc, folder / "node" / "d1", folder / "cache"):
        path.mkdir(parents=True)
    (etc / "swift.conf").write_text(SWIFT)
    os.environ["SWIFT_CONF_FILE"] = utils.SWIFT_CONF_FILE = str(etc / "swift.conf")
    utils.validate_hash_conf()
    for part, port in ports.items():
        (etc / f"{part}.conf").write_text(PART.format(folder=folder, part=part))
        builder = RingBuilder(4, 1, 0)
        address = {"ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1", "replication_port": port}
        builder.add_dev({"id": 0, "region": 1, "zone": 1, "device": "d1", "weight": 1.0, "meta": "", **address})
        builder.rebalance()
        builder.get_ring().save(str(etc / f"{part}.ring.gz"))
    filters = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n{lines}\n" for name, lines in FILTERS.items())
    (etc / "proxy.conf").write_text(PROXY.format(folder=folder, filters=" ".join(FILTERS)) + filters)


def serve(folder: Path, part: str, listening: Any) -> None:
    """Answer the requests of one part, in green threads."""
    from swift.common.wsgi import SwiftHttpProtocol, loadapp

    app = loadapp(str(folder / "etc" / f"{part}.conf"), global_conf={"log_name": part})
    eventlet.spawn(
        eventlet.wsgi.server,
        listening,
        Remembered(app) if part == "proxy" else app,
        Silence(),
        protocol=SwiftHttpProtocol,
        log_output=False,
        capitalize_response_headers=False,  # or the keys of an object's metadata change their case
        custom_pool=eventlet.GreenPool(1000),
    )


def main(folder: Path, port: int) -> None:
    """Listen, configure, serve until killed."""
    listening = {part: eventlet.listen(("127.0.0.1", 0)) for part in PARTS}
    configure(folder, {part: socket.getsockname()[1] for part, socket in listening.items()})
    for part, socket in listening.items():
        serve(folder, part, socket)
    serve(folder, "proxy", eventlet.listen(("127.0.0.1", port)))
    while True:
        eventlet.sleep(3600)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
