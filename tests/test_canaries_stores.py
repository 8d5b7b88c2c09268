"""No value of a database server or a bucket is ever kept, shown, or told to another: canaries at every position."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from calling import Run, add_source
from canaries import CARD, DIAGNOSIS, IBAN, MAIL, PERSON, PHONE, ROW, SECRET, WORD, Search
from mapkeeper.cli.progress import Watch
from mapkeeper.inventory import tables
from mapkeeper.scan import examine
from services.databases import DatabaseServer
from services.s3 import S3Server
from tape import Tape
from test_overnight import start

PASSWORD = "hush-Canary/pass%word@x"
"""Of every login; in a URL it stands percent-encoded."""

BESIDE = "beside.canary@other-nightingale.example"
"""In the name of a database that no source covers."""

HIDDEN = (PASSWORD, quote(PASSWORD, safe=""), BESIDE)


def tell(url: str, *statements: str) -> None:
    """Tell a database something, each statement by itself."""
    engine = sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement.replace("%", "%%"))


def with_password(url: str, user: str | None = None, password: str = PASSWORD) -> str:
    """The URL as somebody has it who logs in with a password; the test servers trust everybody."""
    parsed = sa.make_url(url)
    return parsed.set(username=user or parsed.username, password=password).render_as_string(hide_password=False)


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


VALUES = ", ".join(text(value) for value in ROW.values())

POSTGRES = [
    f'create role "{MAIL}"',
    f'create table people ({", ".join(f""""{key}" text""" for key in ROW)})',
    *[f"insert into people values ({VALUES})"] * 3,
    f"comment on table people is 'asks {MAIL}, calls {PHONE}, pays from {IBAN}'",
    f"""comment on column people."{MAIL}" is 'as {PERSON} has it, {WORD}, {MAIL}'""",
    f'grant select on people to "{MAIL}"',
    f'create schema "schema of {MAIL}"',
    f'create table "schema of {MAIL}"."table ""of"" {MAIL}" as select * from people',
    f'alter table "schema of {MAIL}"."table ""of"" {MAIL}" owner to "{MAIL}"',
    f"create type \"kind of {MAIL}\" as enum ('{WORD}', '{MAIL}', '{PERSON}')",
    f"create domain mailbox as text default '{WORD}' check (value <> '{WORD} {MAIL}')",
    f"""create table odd (
        id int primary key generated always as identity,
        kind "kind of {MAIL}" default '{WORD}',
        box mailbox,
        tags text[] default array['{WORD}', '{MAIL}'],
        deep text[][],
        document jsonb,
        bytes bytea default '\\x{MAIL.encode().hex()}',
        made text generated always as ('{WORD}' || '{PERSON}') stored,
        "call {PHONE}" text check ("call {PHONE}" <> '{WORD}'),
        constraint "check of {MAIL}" check (id < 4915901234567)
    )""",
    f"""insert into odd (box, deep, document, "call {PHONE}") select '{MAIL}', array[array['{MAIL}', '{WORD}']],
        '{{"{MAIL}": {{"{IBAN}": "{WORD}"}}, "names": ["{PERSON}"]}}', '{SECRET}' from generate_series(1, 9)""",
    f'create index "index of {MAIL}" on odd (box) where box <> {text(WORD)}',
    f"""create table orders (id int primary key, "of {MAIL}" int, constraint "key of {MAIL}"
        foreign key ("of {MAIL}") references odd)""",
    f"""create table parted (who text, what text) partition by
        list ((case when who = '{WORD}' then '{MAIL}' else who end))""",
    f"create table \"part of {MAIL}\" partition of parted for values in ('{MAIL}', '{WORD}')",
    f"insert into parted values ('{MAIL}', '{PERSON}')",
    f"""create view quoting as select 'it''s {WORD}' as "it's {MAIL}", E'back\\\\slash '' {WORD}' as b,
        4915901234567 as c, {CARD} as d, u.* from people u where email = '{MAIL}' and name in ('{PERSON}', '{WORD}')
        and iban ~ '^{IBAN}' and phone like '%{PHONE[1:]}%' and note <> $tag${DIAGNOSIS}$tag$
        and id::int = any ('{{4915901234567}}'::int8[])""",
    f"create materialized view kept as select *, '{WORD}' as word from people where email = '{MAIL}'",
    f"create view dividing as select 1 / (length(email) - length('{MAIL}')) as x from people",
    "create view casting as select email::int from people",
    "create view casting_card as select card::int2 from people",
    "create view casting_json as select note::json from people",
    """create function saying(what text) returns text language plpgsql as
        $$begin raise exception 'no %', what using errcode = '22023', detail = what, hint = what; end$$""",
    "create view raising as select saying(email) from people",
    "create view dying as select email, pg_terminate_backend(pg_backend_pid()) from people",
    f'create policy "policy of {MAIL}" on people using (email <> {text(WORD)})',
    f'create foreign data wrapper "wrapper of {MAIL}"',
    f"""create server "server of {MAIL}" foreign data wrapper "wrapper of {MAIL}"
        options (host '{MAIL}', dbname '{IBAN}', password '{SECRET}')""",
    f"""create foreign table far (email text) server "server of {MAIL}"
        options (table_name 'of {MAIL}', filter '{WORD}')""",
]
LARGE = [
    "create table large (id int, email text, pad text)",
    "alter table large alter pad set storage external",
    f"""insert into large select n, '{MAIL}', repeat(md5(n::text), 40000) || ' {WORD} {SECRET} {PERSON}'
        from generate_series(1, 30) n""",
]


@pytest.fixture
def in_postgres(postgres_url: str) -> Iterator[str]:
    """A database with canaries in every place, as reached with a password."""
    tell(postgres_url, *POSTGRES, f'create database "{BESIDE}"')
    yield with_password(postgres_url)
    tell(
        postgres_url,
        f'drop database "{BESIDE}"',
        f'drop owned by "{MAIL}" cascade',
        f'drop role "{MAIL}"',
    )


MARIADB = [
    f"create table people ({', '.join(f'`{key}` text' for key in ROW)})"
    f" comment 'asks {MAIL}, calls {PHONE}, pays {IBAN}'",
    *[f"insert into people values ({VALUES})"] * 3,
    f"alter table people modify email varchar(99) comment 'as {PERSON} has it, {WORD}, {MAIL}'",
    f"create table `table of {MAIL}` as select * from people",
    f"""create table odd (
        id int auto_increment primary key,
        kind enum('{WORD}', '{MAIL}', '{PERSON}') default '{WORD}',
        kinds set('{WORD}', '{MAIL}') default '{MAIL}',
        box varchar(99) default '{WORD}' check (box <> '{WORD} {MAIL}'),
        document json,
        bytes varbinary(99) default '{MAIL}',
        made varchar(99) generated always as (concat('{WORD}', '{PERSON}')) stored,
        `call {PHONE}` text,
        `it's {MAIL}` text,
        constraint `check of {MAIL}` check (length(box) < 4915901234567),
        key `index of {MAIL}` (box)
    )""",
    f"""insert into odd (box, document, `call {PHONE}`) values
        ('{MAIL}', '{{"{MAIL}": {{"{IBAN}": "{WORD}"}}, "names": ["{PERSON}"]}}', '{SECRET}')""",
    f"""create table orders (id int primary key, `of {MAIL}` int, constraint `key of {MAIL}`
        foreign key (`of {MAIL}`) references odd (id))""",
    f"""create table parted (who varchar(60), what text) partition by list columns (who)
        (partition `part of {MAIL}` values in ('{MAIL}', '{WORD}'), partition other values in ('{PERSON}'))""",
    f"insert into parted values ('{MAIL}', '{PERSON}')",
    "create table keyed (who varchar(99) primary key, what text)",
    f"insert into keyed values ('{MAIL}', '{WORD}'), ('{PERSON}', '{SECRET}'), ('{WORD}', '{IBAN}')",
    f"""create view quoting as select 'it''s {WORD}' as `it's {MAIL}`, '{WORD}' as `"b"`,
        'back\\\\slash \\' {WORD}' as b, 4915901234567 as c, 0x{WORD.encode().hex()} as x,
        x'{MAIL.encode().hex()}' as y, _latin1'{WORD}' as l, u.*
        from people u where email = '{MAIL}' and name in ('{PERSON}', "{WORD}") and iban regexp '^{IBAN}'
        and phone like '%{PHONE[1:]}%' and note <> '{DIAGNOSIS}' and card <> {CARD}""",
    f"create view naming as select '{MAIL}', email = '{MAIL}', '{IBAN} of {PHONE}' from people",
    "create view overflowing as select exp(710 + length(email)) from people",
    "create view many as select (select email from people) as x",
    "create table gone (email text)",
    f"create view broken as select email, '{WORD}' as word from gone",
    "drop table gone",
    """create function saying(what text) returns text deterministic
        begin signal sqlstate '45000' set message_text = what; return what; end""",
    "create view raising as select saying(email) from people",
    """create function dying(what text) returns text deterministic begin kill connection_id(); return what; end""",
    "create view killed as select dying(email) from people",
    f"create user '{MAIL}'@'%'",
    f"grant select on people to '{MAIL}'@'%'",
    f"grant select on odd to '{MAIL}'@'%'",
    f"create definer = '{MAIL}'@'%' sql security definer view foreigner as"
    f" select * from people where email <> '{MAIL}'",
]


@pytest.fixture
def in_mariadb(mariadb_url: str) -> Iterator[str]:
    """A database with canaries in every place, as reached with a password."""
    tell(mariadb_url, *MARIADB, f"create database `{BESIDE}`")
    yield mariadb_url
    tell(mariadb_url, f"drop database `{BESIDE}`", f"drop user '{MAIL}'@'%'")


KEYS = [
    f"people of {MAIL}/profile.csv",
    f"{MAIL}.csv",
    *(f"tails/{MAIL}{tail}" for tail in ("-backup.tar.gz", "_2026.csv", ".bak-1", "--x.zip", "-a-b-c" * 9)),
    f"{quote(MAIL)}/{quote(quote(MAIL))}.csv",
    *(f"mail/canary.qzx{number}@nightingale-leak.example.csv" for number in range(7, 9)),
    *(f"day/{MAIL}-2026-01-0{number}.csv" for number in range(1, 3)),
    *(f"drawn/canary.qzx7@nightingale-leak.example-{number:032x}.csv" for number in range(1 << 99, (1 << 99) + 2)),
    *(f"tenant/zyxwvana.canaryson@{number:032x}.example.csv" for number in range(1 << 99, (1 << 99) + 2)),
    *(f"tenant2/zyxwvana.canaryson@m{number}.example.csv" for number in range(123456, 123458)),
    *(f"tenant3/zyxwvana.canaryson@2026-01-0{number}.example.csv" for number in range(1, 3)),
    *(f"iban/{IBAN[:-1]}{number}.csv" for number in range(7, 9)),
    *(f"iban2/of {IBAN}-{number:04}.csv" for number in range(7, 9)),
    *(f"phone/{PHONE}-{number:04}.csv" for number in range(7, 9)),
    *(f"phone2/{PHONE[:-1]}{number}.csv" for number in range(7, 9)),
    *(f"many/canary.qzx7@nightingale-leak.example of {number}.csv" for number in range(4)),
    *(f"who={MAIL}/dt=2026-01-0{number}/part-0.csv" for number in range(1, 3)),
]


UNKNOWN = {
    "moto": ("put_bucket_logging",),
    "ceph": ("put_bucket_replication", "put_bucket_logging", "put_bucket_website"),
}
"""The settings that a store does not take."""


def broken() -> dict[str, bytes]:
    """Objects that cannot be read to their end, each with canaries where it breaks."""
    rows = "".join(f"{MAIL},{WORD},{PERSON}\n" for _ in range(400)).encode()
    packed = gzip.compress(rows)
    table = io.BytesIO()
    pq.write_table(pa.table({key: [value] * 3 for key, value in ROW.items()}), table)
    with io.BytesIO() as zipped:
        with zipfile.ZipFile(zipped, "w") as archive:
            archive.writestr(f"{MAIL}.csv", rows)
        contents = zipped.getvalue()
    return {
        "broken/cut.csv.gz": packed[: len(packed) // 2],
        "broken/cut.parquet": table.getvalue()[: -len(table.getvalue()) // 3],
        "broken/garbled.parquet": table.getvalue().replace(b"snappy", WORD.encode()[:6])[:4]
        + rows
        + table.getvalue()[-99:],
        "broken/bytes.csv": b"email,word\n" + rows + b"\xff\xfe" + WORD.encode() + b"\x00\n",
        "broken/deep.json": b'{"' + MAIL.encode() + b'":' + b"[" * 5000 + WORD.encode(),
        "broken/mixed.jsonl": f'{{"{MAIL}": 1}}\n{{"broken": "{WORD}", \n{WORD}\n[1]\n"{MAIL}"\n'.encode(),
        "broken/ragged.csv": f'a,b\n1,2,3,{MAIL}\n"{WORD}\n{PERSON}'.encode(),
        "broken/archive.zip": contents,
        "broken/cut.zip": contents[: len(contents) // 2],
        "broken/word.bin": b"\x00\x01" + WORD.encode(),
        "plain/word.txt": WORD.encode(),  # whose ETag is its MD5
    }


POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": f"Of{PHONE[1:]}",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::BUCKET/people of {MAIL}/*",
            "Condition": {"StringLike": {"aws:Referer": f"*{WORD}*"}},
        },
        {
            "Sid": "Named",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:user/" + MAIL},
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::BUCKET/*",
            "Condition": {"StringEquals": {f"s3:ExistingObjectTag/{MAIL}": WORD}},
        },
    ],
}


def fill(server: S3Server) -> str:
    """A bucket with canaries in every place that this store has; its name."""
    client, bucket = server.client(), server.create_bucket()
    body = "\n".join([",".join(ROW), *[",".join(f'"{value}"' for value in ROW.values())] * 3]).encode()
    for key, contents in {**dict.fromkeys(KEYS, body), **broken()}.items():
        client.put_object(Bucket=bucket, Key=key, Body=contents, Metadata={"of": MAIL, WORD: SECRET})
    settings: dict[str, dict[str, Any]] = {
        "put_object_tagging": {"Key": KEYS[0], "Tagging": {"TagSet": [{"Key": MAIL, "Value": WORD}]}},
        "put_bucket_tagging": {"Tagging": {"TagSet": [{"Key": MAIL, "Value": WORD}]}},
        "put_bucket_policy": {"Policy": json.dumps(POLICY).replace("BUCKET", bucket)},
        "put_bucket_lifecycle_configuration": {
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "ID": f"of {MAIL}",
                        "Status": "Enabled",
                        "Expiration": {"Days": 9},
                        "Filter": {"And": {"Prefix": f"people of {MAIL}/", "Tags": [{"Key": MAIL, "Value": WORD}]}},
                    }
                ]
            }
        },
        "put_bucket_versioning": {"VersioningConfiguration": {"Status": "Enabled"}},
        "put_bucket_replication": {
            "ReplicationConfiguration": {
                "Role": "arn:aws:iam::123456789012:role/" + WORD,
                "Rules": [
                    {
                        "ID": f"to {MAIL}",
                        "Status": "Enabled",
                        "Priority": 1,
                        "Filter": {"Prefix": f"people of {MAIL}/"},
                        "Destination": {"Bucket": f"arn:aws:s3:::{bucket}"},
                    }
                ],
            }
        },
        "put_bucket_logging": {
            "BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": f"of {MAIL}/"}}
        },
        "put_bucket_website": {
            "WebsiteConfiguration": {"IndexDocument": {"Suffix": f"{MAIL}.html"}, "ErrorDocument": {"Key": MAIL}}
        },
        "put_bucket_cors": {
            "CORSConfiguration": {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": [f"https://{MAIL}"]}]}
        },
    }
    for call, setting in settings.items():
        if call not in UNKNOWN[server.name]:
            getattr(client, call)(Bucket=bucket, **setting)
    return bucket


@dataclass(frozen=True)
class Estate:
    """A workspace with one source full of canaries."""

    workspace: Path
    target: str  # the same, as `inspect` takes it


def hold(workspace: Path, connector: str, **settings: Any) -> None:
    """Declare the source."""
    add_source(workspace, "globex", "held", connector, **settings)


def hold_database(workspace: Path, **settings: Any) -> None:
    """Declare a database whose address, with its password, is in the environment."""
    hold(workspace, "sql", url="env:STORE", statement_timeout=0.5, **settings)


@pytest.fixture
def estate(request: pytest.FixtureRequest, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Estate:
    """In each of the stores, by the fixture's parameter."""
    monkeypatch.setattr(examine, "PAUSES", (0.0,))  # of connections that canaries cut
    if request.param in ("postgres", "mariadb"):
        monkeypatch.setenv("STORE", request.getfixturevalue(f"in_{request.param}"))
        hold_database(workspace)
        return Estate(workspace, "env:STORE")
    server: S3Server = request.getfixturevalue(f"{request.param}_s3")
    bucket = fill(server)
    for name, value in (("ACCESS_KEY_ID", server.access_key), ("SECRET_ACCESS_KEY", server.secret_key)):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", server.region)
    hold(workspace, "s3", bucket=bucket)
    return Estate(workspace, f"s3://{bucket}")


def everything(reports: Path) -> Iterator[list[str]]:
    """Every command that reads, lists or prints."""
    yield ["scan", "--depth", "full", "--workers", "1"]
    yield ["scan", "--fresh", "--workers", "1"]
    yield ["scan", "--plan", "--fresh", "--format", "json"]
    yield from (["findings", "--all", "--format", format] for format in ("table", "json", "csv"))
    yield from (["coverage", "--format", format] for format in ("table", "json"))
    yield from (["history"], ["history", "1"], ["history", "2", "--format", "json"])
    yield from (["sources", "--format", "json"], ["sources", "--check", "--rights"])
    yield ["db", "current"]
    for format in ("html", "csv", "json", "xlsx"):
        yield ["register", "--client", "globex", "--format", format, "-o", str(reports / format)]


@pytest.mark.parametrize("estate", ["postgres", "mariadb", "moto", "ceph"], indirect=True)
def test_no_canary_of_a_store_is_kept_or_shown(estate: Estate, mapkeeper: Run, tmp_path: Path) -> None:
    search, reports = Search(HIDDEN), tmp_path / "reports"
    reports.mkdir()
    commands = [[*command, "--workspace", str(estate.workspace)] for command in everything(reports)]
    commands += [["inspect", estate.target, "--all", "--format", "json"]]
    commands += [["db", "backup", str(reports / "backup.db"), "--workspace", str(estate.workspace)]]
    for command in commands:
        ran = mapkeeper(*command, "--debug")
        assert ran.exit in (0, 1), ran.err
        search.look(ran.out, f"stdout of {command}")
        search.look(ran.err, f"stderr of {command}")
    search.look_in(estate.workspace)
    search.look_in(reports)
    with zipfile.ZipFile(reports / "xlsx") as book:
        for name in book.namelist():
            search.look(book.read(name), f"{name} of the workbook")
    assert search.nothing()
    found = {row["category"] for row in mapkeeper("findings", "--workspace", estate.workspace, "--format", "json").rows}
    assert {"contact.email", "contact.phone", "financial.bank_account", "credential.secret"} <= found
    assert b"zyxwvana" not in b"".join(path.read_bytes() for path in estate.workspace.glob("inventory.db*")).lower()


@pytest.mark.parametrize("estate", ["postgres", "mariadb"], indirect=True)
def test_the_names_of_other_databases_are_told_only_to_whom_asks_for_them(estate: Estate, mapkeeper: Run) -> None:
    ran = mapkeeper("sources", "discover", "--workspace", estate.workspace, "--debug")
    assert BESIDE in ran.out  # or nobody could paste the entry
    search = Search(HIDDEN)
    search.look(ran.out.replace(BESIDE, "").replace(quote(BESIDE), ""), "stdout")
    search.look(ran.err, "stderr")
    search.look_in(estate.workspace)
    assert search.nothing()


@pytest.mark.parametrize("estate", ["postgres", "mariadb"], indirect=True)
def test_what_breaks_in_the_middle_costs_itself_only(estate: Estate, mapkeeper: Run) -> None:
    sleep = {"postgresql": "pg_sleep(9)::text", "mysql": "sleep(9)"}[os.environ["STORE"].partition("+")[0]]
    tell(os.environ["STORE"], f"create view sleeping as select email, {sleep} from people")
    ran = mapkeeper("scan", "--depth", "full", "--workspace", estate.workspace, "--debug")
    search = Search(HIDDEN)
    search.look(ran.out + ran.err, "what a scan says")
    search.look_in(estate.workspace)
    assert search.nothing()
    rows = mapkeeper("coverage", "--workspace", estate.workspace, "--format", "json").rows
    gaps = {row["asset"].rpartition(".")[2]: {gap["reason"] for gap in row["gaps"]} for row in rows}
    broken = {"dividing", "casting", "casting_card", "casting_json", "sleeping", "raising", "dying", "far", "killed"}
    broken |= {"overflowing", "many", "broken", "foreigner"}
    assert {name for name, reasons in gaps.items() if reasons} <= broken
    assert [gaps.get(name) for name in ("raising", "sleeping")] == [{"unreadable"}, {"timeout"}]
    assert gaps.get("dying", gaps.get("killed")) == {"unreachable"}


def test_an_inventory_on_a_server_keeps_no_canary_and_shows_no_password(
    in_postgres: str, postgres_server: DatabaseServer, workspace: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examine, "PAUSES", ())
    monkeypatch.setenv("STORE", in_postgres)
    hold_database(workspace)
    search = Search(HIDDEN)
    with postgres_server.fresh() as inventory:
        monkeypatch.setenv("KEEP", with_password(inventory))
        keep_in(workspace, "env:KEEP")
        for command in (["scan", "--depth", "full"], ["scan"], ["sources"], ["db", "current"], ["db", "backup", "x"]):
            ran = mapkeeper(*command, "--workspace", workspace, "--debug")
            assert ran.exit == (3 if "backup" in command else 0), ran.err
            search.look(ran.out, f"stdout of {command}")
            search.look(ran.err, f"stderr of {command}")
        kept = 0
        with sa.create_engine(inventory, poolclass=NullPool).connect() as connection:
            for table in tables.metadata.sorted_tables:
                for row in connection.exec_driver_sql(f'select * from "{table.name}"'):
                    for cell in row:
                        search.look(cell if isinstance(cell, bytes) else str(cell), f"the inventory's {table.name}")
                        kept += 1
    assert kept > 1000
    assert search.nothing()


@pytest.mark.parametrize(
    ("place", "options"),
    [
        ("127.0.0.1:1", ""),
        ("no-such-host.invalid", ""),
        ("SERVER", "?sslmode=verify-full&sslrootcert=/nowhere"),
        ("SERVER", f"?bogus={quote(PASSWORD, safe='')}"),
        ("SERVER", f"?options=-c%20search_path={quote(PASSWORD, safe='')}"),
        (f"SERVER{quote(PASSWORD, safe='')}", ""),
    ],
)
def test_no_error_about_an_inventory_or_a_source_on_a_server_shows_its_password(
    place: str,
    options: str,
    postgres_server: DatabaseServer,
    workspace: Path,
    mapkeeper: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = sa.make_url(postgres_server.url)
    place = place.replace("SERVER", f"{server.host}:{server.port}")
    url = f"postgresql+psycopg://reader:{quote(PASSWORD, safe='')}@{place}/no_such{options}"
    monkeypatch.setenv("URL", url)
    add_source(workspace, "globex", "held", "sql", url="env:URL")
    add_source(workspace, "globex", "other", "sql", url="env:MYSQL")
    monkeypatch.setenv("MYSQL", url.replace("postgresql+psycopg", "mysql+pymysql"))
    search = Search(HIDDEN)
    commands = [[word, "--workspace", str(workspace)] for word in ("scan", "sources")]
    commands += [["sources", "--check", "--workspace", str(workspace)], ["inspect", url], ["inspect", "env:MYSQL"]]
    for kept_there in (False, True):
        if kept_there:
            keep_in(workspace, "env:URL")
            commands += [["db", word, "--workspace", str(workspace)] for word in ("current", "upgrade")]
            commands += [["findings", "--workspace", str(workspace)]]
        for command in commands:
            ran = mapkeeper(*command, "--debug")
            search.look(ran.out, f"stdout of {command[0]}")
            search.look(ran.err, f"stderr of {command[0]}")
            assert "fault of mapkeeper" not in ran.err
    search.look_in(workspace)
    assert search.nothing()


@pytest.mark.parametrize(
    "target",
    [
        "gopher://ada:x://PASSWORD@host/x",
        "gopher://host?password=a@PASSWORD",
        "gopher://host;password=PASSWORD",
        "gopher:ada:PASSWORD@host",
        "ada:PASSWORD://host",
        "postgresql://ada:PASSWORD@host:port/x",
        "postgresql+nothing://ada:PASSWORD@host/x",
    ],
)
def test_a_target_that_nothing_reads_is_not_quoted(target: str, mapkeeper: Run, workspace: Path) -> None:
    for command in (["inspect"], ["sources", "discover", "--workspace", str(workspace)]):
        ran = mapkeeper(*command, target.replace("PASSWORD", "hushcanary"), "--debug")
        assert ran.exit in (2, 3)
        assert "hushcanary" not in ran.out + ran.err


def test_progress_does_not_show_the_password_of_what_is_inspected(
    postgres_url: str, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(postgres_url, *POSTGRES[1:5])
    shown: list[str] = []
    monkeypatch.setattr(Watch, "_show", lambda self, source, asset: shown.append(f"{source} {asset}"))
    assert mapkeeper("inspect", with_password(postgres_url)).exit in (0, 1)
    search = Search(HIDDEN)
    search.look("\n".join(shown), "progress")
    assert shown
    assert search.nothing()


def test_a_checkpoint_that_holds_a_key_of_a_table_tells_nothing(
    in_mariadb: str, workspace: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The point to go on from is the last key that was read, and here that is somebody's address."""
    tell(in_mariadb, "insert into keyed select concat(seq, who), what from keyed, seq_1_to_9000")
    monkeypatch.setenv("STORE", in_mariadb)
    hold_database(workspace, include=["*.keyed"])
    with (workspace / "clients" / "globex.toml").open("a") as file:
        file.write("limits = { rows = 600 }\n")
    assert mapkeeper("scan", "--depth", "full", "--workspace", workspace).exit == 0
    with closing(sqlite3.connect(workspace / "inventory.db")) as inventory:
        assert inventory.execute("select count(*) from checkpoint").fetchone() == (1,)
    search = Search(HIDDEN)
    search.look_in(workspace)
    assert search.nothing()


def test_a_server_is_told_values_of_the_table_that_it_reads_only(
    in_mariadb: str, workspace: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last key that was read stands in the statement that goes on behind it: the table is told its own value."""
    tell(in_mariadb, "insert into keyed select concat(seq, who), what from keyed, seq_1_to_9000")
    tell(in_mariadb, "set global log_output = 'TABLE'", "truncate mysql.general_log", "set global general_log = 1")
    monkeypatch.setattr(examine, "PAUSES", ())
    monkeypatch.setenv("STORE", in_mariadb)
    hold_database(workspace)
    try:
        for depth in ("full", "sample"):
            mapkeeper("scan", "--fresh", "--depth", depth, "--workspace", workspace)
    finally:
        tell(in_mariadb, "set global general_log = 0", "set global log_output = default")
    with sa.create_engine(in_mariadb, poolclass=NullPool).connect() as connection:
        said = [str(one) for (one,) in connection.exec_driver_sql(LOGGED)]
    assert len(said) > 50
    telling = [one for one in said if any(value in one for value in (WORD, PERSON, SECRET, PASSWORD))]
    assert telling  # or the test does not look where it should
    assert [one for one in telling if "`keyed`" not in one] == []


LOGGED = "select argument from mysql.general_log where argument not like '%%general_log%%'"


def test_postgres_is_told_no_value_and_no_command_line_holds_a_password(
    postgres_url: str, workspace: Path, tmp_path: Path
) -> None:
    tell(postgres_url, *LARGE)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    hold(workspace, "sql", url="env:STORE")
    search, queries, lines = Search(HIDDEN), set[str](), set[str]()
    environment = {"STORE": with_password(postgres_url), "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "mapkeeper", "scan", "--depth", "full", "--workspace", str(workspace), "--debug"]
    engine = sa.create_engine(postgres_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with (
        subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as scan,
        engine.connect() as connection,
    ):
        while scan.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                scan.wait(0.05)
            with suppress(psutil.Error):
                processes = [one := psutil.Process(scan.pid), *one.children(recursive=True)]
                lines |= {" ".join(one.cmdline()) for one in processes}
            queries |= {f"{name} {query}" for name, query in connection.exec_driver_sql(RUNNING)}
            search.look_in(temporary)
        out, err = scan.communicate()
    assert scan.returncode == 0, err
    assert len(lines) > 2  # with workers
    assert any("FROM ONLY" in one for one in queries)
    told = {"a command line": "\n".join(lines), "a query": "\n".join(queries), "stdout": str(out), "stderr": str(err)}
    for where, what in told.items():
        search.look(what, where)
    search.look_in(workspace)
    assert list(temporary.iterdir()) == []
    assert search.nothing()


RUNNING = "select application_name, query from pg_stat_activity where application_name like 'mapkeeper%%'"


def test_a_scan_killed_within_an_asset_leaves_no_value(workspace: Path, tmp_path: Path) -> None:
    tape = Tape(workspace, tmp_path / "tape")
    tape.write({"users": {"batches": 24, "waits_at": 20}})
    killed = start(workspace, tape)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    with closing(sqlite3.connect(workspace / "inventory.db")) as inventory:
        assert inventory.execute("select count(*) from checkpoint").fetchone() == (1,)
    search = Search([f"user.{number}@mail.example.org" for number in (0, 1, 7_999, 8_000, 15_999, 16_000, 19_999)])
    search.look_in(workspace)
    assert search.nothing()


LOUD = f"""
import logging, os, sys, threading, warnings
from dataclasses import dataclass
import pyarrow as pa
from mapkeeper.plugin import Asset, Batch, Connector, Kind

VALUE = "{MAIL} {WORD}"

class Lost:
    def __del__(self):
        raise ValueError(VALUE)

def failing():
    raise ValueError(VALUE)

@dataclass
class Loud(Connector):
    "Says what it reads in every way that a library may."
    large: bool
    target = "loud"

    def survey(self):
        for name in "ab":
            yield Asset(name, Kind.FILE, "loud", name, bytes=64 << 20 if self.large else 1)

    def read(self, asset, plan, resume_from=None):
        logging.getLogger("library").error(VALUE)
        try:
            failing()
        except ValueError:
            logging.getLogger("library").critical("", exc_info=True)
        warnings.warn(VALUE, UserWarning)
        Lost()
        thread = threading.Thread(target=failing, name=VALUE)
        thread.start()
        thread.join()
        if self.large:
            print(VALUE)
            os.write(2, VALUE.encode())
        yield Batch(pa.record_batch({{"email": [VALUE]}}), bytes=5)
        if asset.name == "b":
            class PanicException(BaseException):
                pass
            raise PanicException(VALUE)
"""


@pytest.mark.parametrize("large", [False, True])
def test_what_a_library_says_by_itself_is_not_shown(
    large: bool, workspace: Path, tmp_path: Path, mapkeeper: Run
) -> None:
    """In this process it cannot print; in one of its own nothing that it writes is heard."""
    info = tmp_path / "plugin" / "loud-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[mapkeeper.connectors]\nloud = loud:Loud\n")
    (tmp_path / "plugin" / "loud.py").write_text(LOUD)
    hold(workspace, "loud", large=large)
    ran = mapkeeper("scan", "--workspace", workspace, "--debug", env={"PYTHONPATH": str(info.parent)})
    assert ran.exit == 0, ran.err
    assert ran.err == ""
    search = Search()
    search.look(ran.out, "stdout")
    search.look_in(workspace)
    assert search.nothing()


def keep_in(workspace: Path, url: str) -> None:
    """Let the inventory lie elsewhere."""
    path = workspace / "mapkeeper.toml"
    before = path.read_text()
    path.write_text(before.replace('"sqlite:///inventory.db"', json.dumps(url)))
    assert path.read_text() != before
