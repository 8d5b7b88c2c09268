"""An estate of any size, grown in real servers: logs, CSV and Parquet in a bucket, tables in two databases."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psycopg
import pymysql
from sqlalchemy import make_url

from mapkeeper import config
from services.s3 import S3Server

PIECE = 100_000
"""Rows that are made at a time."""

SHARES = {"logs": 0.3, "csv": 0.2, "parquet": 0.1, "postgres": 0.3, "mariadb": 0.1}
"""Of the bytes of an estate."""

_OBJECT = 32 << 20  # bytes of a log, about


def rows(seed: int, count: int) -> pl.DataFrame:
    """Visits of people who do not exist, from addresses of the ranges for documentation and private networks."""
    chance = np.random.default_rng(seed)
    ids = np.arange(seed * PIECE, seed * PIECE + count)
    person = chance.integers(0, 5_000_000, count)
    octets = chance.integers(1, 255, (2, count))
    days = chance.integers(0, 300, count)
    return pl.DataFrame({"id": ids, "person": person, "a": octets[0], "b": octets[1], "day": days}).select(
        "id",
        email=pl.format("user.{}@mail{}.example", "person", pl.col("person") % 40),
        client_ip=pl.format("198.18.{}.{}", "a", "b"),
        visited=pl.date(2026, 1, 1) + pl.duration(days="day"),
        path=pl.format("/shop/item/{}?from=newsletter", pl.col("person") % 9000),
        amount=(pl.col("person") % 100_000) / 100,
        note=pl.when(pl.col("id") % 50 == 0)
        .then(pl.format("asked to be called back at user.{}@mail.example", "person"))
        .otherwise(pl.lit("nothing to say about this visit, the customer was content")),
    )


def _log(frame: pl.DataFrame) -> bytes:
    lines = frame.select(
        pl.format(
            '{} - - [{}:10:11:12 +0000] "GET {} HTTP/1.1" 200 {} "-" "Mozilla/5.0 (X11; Linux x86_64)"',
            "client_ip",
            pl.col("visited").dt.strftime("%d/%b/%Y"),
            "path",
            "id",
        )
    )
    return ("\n".join(lines.to_series()) + "\n").encode()


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="uncompressed")
    return buffer.getvalue()


def _pieces(size: float, form: Any, start: int) -> Iterator[tuple[int, bytes]]:
    """Numbered pieces in a form, until so many bytes are had."""
    seed = start
    while size > 0:
        data = form(rows(seed, PIECE))
        yield seed, data
        size -= len(data)
        seed += 1


def _objects(server: S3Server, bucket: str, size: int) -> None:
    client = server.client()
    held, number = b"", 0
    for _, data in _pieces(SHARES["logs"] * size, _log, 0):
        held += data
        if len(held) >= min(_OBJECT, SHARES["logs"] * size / 4):
            client.put_object(
                Bucket=bucket, Key=f"web/access-2026-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}.log", Body=held
            )
            held, number = b"", number + 1
    if held:
        client.put_object(Bucket=bucket, Key="web/access-2025-12-31.log", Body=held)
    for seed, data in _pieces(SHARES["csv"] * size, lambda frame: frame.write_csv().encode(), 10_000):
        client.put_object(Bucket=bucket, Key=f"exports/visits_{seed:06}.csv", Body=data)
    for seed, data in _pieces(SHARES["parquet"] * size, _parquet, 20_000):
        client.put_object(Bucket=bucket, Key=f"lake/visits/part-{seed:06}.parquet", Body=data)


_COLUMNS = (
    "id bigint primary key, email varchar(60), client_ip varchar(20), visited date, path varchar(80),"
    " amount numeric(10,2), note varchar(100)"
)


def _postgres(url: str, size: int, tables: int) -> None:
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for number in range(tables):
            connection.execute(f"create table visits_{number} ({_COLUMNS})".encode())
            share = SHARES["postgres"] * size / tables
            for _, data in _pieces(
                share, lambda frame: frame.write_csv(include_header=False).encode(), 30_000 + 1000 * number
            ):
                with connection.cursor().copy(f"copy visits_{number} from stdin (format csv)".encode()) as copy:
                    copy.write(data)
            connection.execute(f"analyze visits_{number}".encode())


def _mariadb(url: str, size: int, folder: Path) -> None:
    address = make_url(url)
    connection = pymysql.connect(
        host=address.host, port=address.port or 3306, user=address.username, password=address.password or "",
        database=address.database, local_infile=True, autocommit=True,
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        cursor.execute("set global local_infile = 1")
        cursor.execute(f"create table visits ({_COLUMNS})")
        path = folder / "visits.csv"
        for _, data in _pieces(
            SHARES["mariadb"] * size, lambda frame: frame.write_csv(include_header=False).encode(), 40_000
        ):
            path.write_bytes(data)
            cursor.execute(f"load data local infile '{path}' into table visits fields terminated by ','")
        path.unlink()
        cursor.execute("analyze table visits")


def grow(folder: Path, size: int, s3: S3Server, bucket: str, postgres: str, mariadb: str) -> Path:
    """Fill the stores with so many bytes in all, and make a workspace that scans them; its folder.

    The secrets are taken from the environment: ESTATE_KEY, ESTATE_SECRET, ESTATE_POSTGRES and ESTATE_MARIADB.
    """
    _objects(s3, bucket, size)
    _postgres(postgres, size, tables=4)
    _mariadb(mariadb, size, folder)
    workspace = folder / "workspace"
    config.start(workspace, "Northlight Security", "CA-QC")
    config.add_client(workspace, "globex", "Globex SA", "FR")
    with (workspace / "clients" / "globex.toml").open("a") as file:
        file.write(
            f"""
[[source]]
id = "lake"
connector = "s3"
bucket = "{bucket}"
endpoint = "{s3.endpoint_url}"
region = "{s3.region}"
access_key = "env:ESTATE_KEY"
secret_key = "env:ESTATE_SECRET"

[[source]]
id = "crm"
connector = "sql"
url = "env:ESTATE_POSTGRES"

[[source]]
id = "shop"
connector = "sql"
url = "env:ESTATE_MARIADB"
"""
        )
    return workspace
