"""Gives a command to Ceph's monitor through librados: `ceph_command.py CONFIGURATION COMMAND`, the command in JSON.

Debian's own client needs the machine's Python; the library needs none.
"""

import ctypes
import sys

TIMEOUT = b"10"
"""Seconds to wait for the monitor, and for its answer."""


def main(configuration: str, command: str) -> None:
    """Connect as client.admin, give the command, and end with what went wrong if anything did."""
    rados = ctypes.CDLL("librados.so.2")
    cluster = ctypes.c_void_p()

    def call(name: str, *values: object) -> None:
        done = getattr(rados, name)(*values)
        if done < 0:
            sys.exit(f"{name}: error {-done}")

    call("rados_create", ctypes.byref(cluster), b"admin")
    call("rados_conf_read_file", cluster, configuration.encode())
    for option in (b"client_mount_timeout", b"rados_mon_op_timeout"):
        call("rados_conf_set", cluster, option, TIMEOUT)
    call("rados_connect", cluster)
    given = (ctypes.c_char_p * 1)(command.encode())
    nothing = (None, ctypes.c_size_t(0), None, None, None, None)
    call("rados_mon_command", cluster, given, ctypes.c_size_t(1), *nothing)
    rados.rados_shutdown(cluster)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
