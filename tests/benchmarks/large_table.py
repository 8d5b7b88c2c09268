"""A PostgreSQL with a thousand tables and one of fifty million rows: how long it takes to plan and sample, how kindly.

Run it as ``python tests/benchmarks/large_table.py --rows 50000000``; it starts its own server.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import psycopg
from sqlalchemy import make_url

from mapkeeper import config
from services.postgres import postgres

MAPKEEPER = (sys.executable, "-m", "mapkeeper")


def fill(connection: psycopg.Connection, tables: int, rows: int) -> None:
    """Make many small tables and a large one."""
    for number in range(tables):
        connection.execute(f"create table small_{number} (id int primary key, email text, city text)".encode())
        made = "select i, 'user' || i || '@mail.example', 'Lyon' from generate_series(1, 50) i"
        connection.execute(f"insert into small_{number} {made}".encode())
    connection.execute("create table large (id bigint primary key, email text, client_ip inet, note text)")
    connection.execute(
        "insert into large select i, 'user' || i || '@mail.example',"
        " ('198.18.' || i %% 250 || '.' || i / 250 %% 250)::inet, 'nothing to say' from generate_series(1, %s) i",
        (rows,),
    )
    connection.execute("vacuum analyze")


def counters(connection: psycopg.Connection) -> dict[str, int]:
    """What the server has counted: sequential scans of the large table, and whatever was written."""
    connection.execute("select pg_stat_force_next_flush()")
    row = connection.execute(
        "select (select seq_scan from pg_stat_user_tables where relname = 'large'),"
        " (select seq_tup_read from pg_stat_user_tables where relname = 'large'),"
        " (select sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint from pg_stat_user_tables),"
        " temp_files, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
        " from pg_stat_database where datname = current_database()"
    ).fetchone()
    assert row is not None
    names = ("sequential scans of it", "rows read by these", "rows written", "temporary files", "bytes of WAL")
    return dict(zip(names, row, strict=True))


def main() -> None:
    """Fill, plan, sample, and print what the server says of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--tables", type=int, default=1_000)
    chosen = parser.parse_args()
    with postgres() as server, server.fresh() as url, tempfile.TemporaryDirectory() as folder:
        dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(dsn, autocommit=True) as connection:
            begun = time.monotonic()
            fill(connection, chosen.tables, chosen.rows)
            print(f"{chosen.tables} tables and one of {chosen.rows:,} rows made in {time.monotonic() - begun:.0f} s")
            workspace = Path(folder) / "workspace"
            config.start(workspace, "Northlight Security", "CA-QC")
            config.add_client(workspace, "globex", "Globex SA", "FR")
            with (workspace / "clients" / "globex.toml").open("a") as file:
                file.write('\n[[source]]\nid = "crm"\nconnector = "sql"\nurl = "env:LARGE_URL"\n')
            before = counters(connection)
            for words in (["scan", "--plan"], ["scan"], ["scan"], ["coverage", "--asset", "*large"]):
                begun = time.monotonic()
                done = subprocess.run(
                    [*MAPKEEPER, *words, "--workspace", str(workspace)],
                    env={**os.environ, "LARGE_URL": url}, capture_output=True, text=True, check=False,
                )  # fmt: skip
                print(f"{' '.join(words)}: {time.monotonic() - begun:.1f} s, exit {done.returncode}", flush=True)
                print(done.stdout.rstrip(), done.stderr.rstrip(), sep="\n")
            after = counters(connection)
            for name, count in before.items():
                print(f"{name:24} {after[name] - count}")


if __name__ == "__main__":
    main()
