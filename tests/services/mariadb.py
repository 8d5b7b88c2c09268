"""MariaDB 10.11 of Debian 12."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from services import debian
from services.databases import DatabaseServer
from services.processes import Service, free_port

SYSTEM_TABLES = (
    "mysql_system_tables.sql",
    "mysql_performance_tables.sql",
    "mysql_system_tables_data.sql",
    "maria_add_gis_sp_bootstrap.sql",
)
PASSWORD = "mapkeeper"


@contextlib.contextmanager
def mariadb() -> Iterator[DatabaseServer]:
    """Unpack and start MariaDB; `root` has all rights, by password over TCP."""
    root = debian.unpacked("mariadb", "mariadb-server-core")
    with Service("mariadb") as at:
        at.environment.update(debian.libraries(root))
        share, data, port = root / "usr" / "share" / "mysql", at.folder / "data", free_port()
        data.mkdir()
        server: tuple[str | Path, ...] = (
            root / "usr" / "sbin" / "mariadbd",
            "--no-defaults",
            f"--basedir={root / 'usr'}",
            f"--datadir={data}",
            f"--lc-messages-dir={share / 'english'}",
            "--innodb-log-file-size=8M",
            "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=0",
            "--character-set-server=utf8mb4",
            *(["--user=root"] if os.geteuid() == 0 else []),
        )
        tables = "".join((share / name).read_text("utf-8") for name in SYSTEM_TABLES)
        start = "create database mysql;\nuse mysql;\nset @auth_root_socket=NULL;\n"  # a statement a line, or it fails
        at.run(*server, "--bootstrap", "--skip-networking", given=start + tables)
        rights = at.folder / "rights.sql"
        rights.write_text(
            f"create or replace user root@127.0.0.1 identified by '{PASSWORD}';\n"
            "grant all on *.* to root@127.0.0.1 with grant option;\n"
        )
        at.start(
            *server,
            "--bind-address=127.0.0.1",
            f"--port={port}",
            "--skip-name-resolve",
            "--socket=socket",  # in the data folder, by a short name: a long one is refused
            f"--pid-file={at.folder / 'pid'}",
            f"--init-file={rights}",
        )
        at.wait(lambda: _lets_in(port))
        yield DatabaseServer(f"mysql+pymysql://root:{PASSWORD}@127.0.0.1:{port}/mysql?charset=utf8mb4")


def _lets_in(port: int) -> bool:
    import pymysql

    pymysql.connect(host="127.0.0.1", port=port, user="root", password=PASSWORD).close()
    return True
