"""Ceph's object gateway 16.2 of Debian 12: a real S3 that enforces keys, policies, access lists and blocks."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from services import debian
from services.processes import Service, answers, free_port
from services.s3 import S3Server

PACKAGES = ("radosgw", "ceph-mon", "ceph-osd", "ceph-common")
NOT_NEEDED = (
    "cryptsetup-bin",
    "dmeventd",
    "dmidecode",
    "gdisk",
    "hdparm",
    "libinih1",
    "libnvme1",
    "libparted2",
    "logrotate",
    "nvme-cli",
    "parted",
    "smartmontools",
    "sudo",
    "uuid-runtime",
    "xfsprogs",
)
COMMAND = Path(__file__).with_name("ceph_command.py")
USERS = ("mon.", "client.admin", "osd.0", "client.rgw")

# One monitor, one store in memory, one gateway. Proposals are made at once, as the default waits of a quorum take ten
# seconds at a start; without tcp_nodelay every small answer waits 40 ms for an acknowledgement.
CONFIGURATION = """[global]
fsid = {fsid}
monmap = {folder}/monmap
ms_bind_msgr2 = false
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_allow_insecure_global_id_reclaim = false
mon_initial_members = a
mon_data = {folder}/mon
mon_data_avail_crit = 1
mon_data_avail_warn = 1
mon_tick_interval = 1
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
mon_cluster_log_file = {folder}/cluster.log
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 8589934592
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
osd_class_dir = {libraries}/rados-classes
osd_class_load_list = *
osd_class_default_list = *
erasure_code_dir = {libraries}/ceph/erasure-code
plugin_dir = {libraries}/ceph
run_dir = {folder}
admin_socket =
pid_file =
log_file = {folder}/$name.log
crash_dir = {folder}
keyring = {folder}/keyring
rgw_data = {folder}/rgw
rgw_frontends = beast tcp_nodelay=1 endpoint=127.0.0.1:{port}
rgw_crypt_require_ssl = false
rgw_run_sync_thread = false
rgw_enable_quota_threads = false
"""


@dataclass(frozen=True)
class CephServer(S3Server):
    """A gateway on which more users can be made."""

    keys: Callable[[], tuple[str, str]] = field(kw_only=True, repr=False)

    def another(self) -> S3Server:
        """The same gateway for a new user, who owns nothing and may read only what others let them."""
        access, secret = self.keys()
        return S3Server(self.name, self.endpoint_url, access, secret, self.region)


@contextlib.contextmanager
def ceph() -> Iterator[CephServer]:
    """Unpack and start a cluster in memory."""
    root = debian.unpacked("ceph", *PACKAGES, without=NOT_NEEDED)
    programs = root / "usr" / "bin"
    with Service("ceph") as at:
        at.environment.update(debian.libraries(root, "ceph"))
        folder, port, fsid = at.folder, free_port(), str(uuid4())
        libraries = root / "usr" / "lib" / debian.MULTIARCH
        configuration = folder / "ceph.conf"
        configuration.write_text(CONFIGURATION.format(folder=folder, fsid=fsid, libraries=libraries, port=port))

        def run(program: str, *words: str | Path) -> str:
            return at.run(programs / program, "-c", configuration, *words)

        def start(program: str, *words: str | Path) -> None:
            at.start(programs / program, "-c", configuration, "-f", *words)

        def new_keys() -> tuple[str, str]:
            made = run("radosgw-admin", "user", "create", f"--uid={uuid4().hex}", "--display-name=Somebody")
            keys = json.loads(made)["keys"][0]
            return keys["access_key"], keys["secret_key"]

        for name in ("mon", "osd", "rgw"):
            (folder / name).mkdir()
        rights = [word for part in ("mon", "osd", "mgr") for word in ("--cap", part, "allow *")]
        keyring = folder / "keyring"
        keyring.touch()
        for user in USERS:
            run("ceph-authtool", keyring, "-n", user, "--gen-key", *rights)
        monitor = f"[v1:127.0.0.1:{free_port()}]"
        run("monmaptool", "--create", "--addv", "a", monitor, "--fsid", fsid, folder / "monmap")
        run("ceph-mon", "--mkfs", "-i", "a", "--monmap", folder / "monmap", "--keyring", keyring)
        start("ceph-mon", "-i", "a")
        at.run(sys.executable, "-I", "-S", COMMAND, configuration, json.dumps({"prefix": "osd new", "uuid": fsid}))
        run("ceph-osd", "-i", "0", "--mkfs", "--monmap", folder / "monmap", "--osd-uuid", fsid)
        start("ceph-osd", "-i", "0")
        start("radosgw", "-n", "client.rgw")
        at.wait(lambda: answers(f"http://127.0.0.1:{port}/"))
        yield CephServer("ceph", f"http://127.0.0.1:{port}", *new_keys(), "default", keys=new_keys)
