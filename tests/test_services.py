"""The servers that other tests stand on are real, are only ours, and leave nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import OperationalError

from services import processes
from services.ceph import CephServer
from services.databases import DatabaseServer
from services.postgres_tls import TlsServer, certify
from services.s3 import S3Server

SERVERS = ("postgres_server", "mariadb_server", "moto_s3", "swift_s3", "ceph_s3", "postgres_tls")


# Buckets


def test_a_bucket_is_listed_in_pages_and_read_in_ranges(s3: S3Server, bucket: str) -> None:
    client = s3.client()
    keys = [f"a/{number:02}" for number in range(25)] + ["b/100%/é è", "c"]
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=f"the text of {key}".encode())
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 10})
    assert [[one["Key"] for one in page["Contents"]] for page in pages] == [keys[:10], keys[10:20], keys[20:]]
    below = client.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [one["Prefix"] for one in below["CommonPrefixes"]] == ["a/", "b/"]
    part = client.get_object(Bucket=bucket, Key="a/07", Range="bytes=4-7")
    assert (part["ResponseMetadata"]["HTTPStatusCode"], part["Body"].read()) == (206, b"text")


def test_every_bucket_is_another_and_empty(s3: S3Server, bucket: str) -> None:
    other = s3.create_bucket()
    assert other != bucket
    s3.client().put_object(Bucket=other, Key="a", Body=b"")
    assert s3.client().list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    s3.remove_bucket(other)
    assert other not in [one["Name"] for one in s3.client().list_buckets()["Buckets"]]


@pytest.mark.parametrize("name", ["swift_s3", "ceph_s3"])
def test_a_wrong_key_is_refused(name: str, request: pytest.FixtureRequest) -> None:
    server: S3Server = request.getfixturevalue(name)
    wrong = S3Server(server.name, server.endpoint_url, server.access_key, "wrong", server.region)
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        wrong.client().list_buckets()


def test_ceph_enforces_a_policy_on_a_second_user(ceph_s3: CephServer) -> None:
    owner, bucket = ceph_s3.client(), ceph_s3.create_bucket()
    for key in ("open/a", "closed/a"):
        owner.put_object(Bucket=bucket, Key=key, Body=b"text")
    reader = ceph_s3.another().client()
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.list_objects_v2(Bucket=bucket)
    here = f"arn:aws:s3:::{bucket}"
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": [here, f"{here}/*"]}
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": [f"{here}/closed/*"]}
    policy = {"Version": "2012-10-17", "Statement": [allowed, denied]}
    owner.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    assert reader.list_objects_v2(Bucket=bucket)["KeyCount"] == 2
    assert reader.get_object(Bucket=bucket, Key="open/a")["Body"].read() == b"text"
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.get_object(Bucket=bucket, Key="closed/a")


# Databases


@pytest.mark.parametrize("name", ["postgres_server", "mariadb_server"])
def test_a_fresh_database_keeps_any_text_and_is_dropped(name: str, request: pytest.FixtureRequest) -> None:
    server: DatabaseServer = request.getfixturevalue(name)
    with server.fresh() as url:
        engine = create_engine(url)
        assert inspect(engine).get_table_names() == []
        with engine.begin() as connection:
            connection.execute(text("create table people (name varchar(40))"))
            connection.execute(text("insert into people values (:name)"), {"name": "Zoë 🦉"})
        with engine.connect() as connection:
            assert connection.execute(text("select name from people")).scalar_one() == "Zoë 🦉"
        engine.dispose()
    with pytest.raises(OperationalError, match=engine.url.database), create_engine(url).connect():
        pass


def test_each_test_has_a_database_of_its_own(postgres_url: str, mariadb_url: str) -> None:
    for url in (postgres_url, mariadb_url):
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("create table left_here (a int)"))
        assert inspect(engine).get_table_names() == ["left_here"]
        engine.dispose()


def test_tls_is_checked_against_the_authority(postgres_tls: TlsServer, tmp_path: Path) -> None:
    engine = create_engine(postgres_tls.url)
    with engine.connect() as connection:
        used = text("select version from pg_stat_ssl where pid = pg_backend_pid()")
        assert connection.execute(used).scalar_one() == "TLSv1.3"
    engine.dispose()
    stranger = certify(tmp_path, os.geteuid())
    url = postgres_tls.url.replace(str(postgres_tls.ca), str(stranger))
    with pytest.raises(OperationalError, match="SSL error"), create_engine(url).connect():
        pass


# What is started


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_listens_on_the_loopback_alone(name: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(name)
    listening: set[str] = set()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # servers start and end processes for each connection
            found = process.net_connections("inet")
            listening |= {one.laddr.ip for one in found if one.status == psutil.CONN_LISTEN}
    assert listening <= {"127.0.0.1"}


@pytest.mark.parametrize("name", SERVERS)
def test_nothing_is_left_when_pytest_is_killed(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request.getfixturevalue(name)  # what cannot be had is said here
    killed = pytest_of(tmp_path, f"def test_it({name}):\n    print('ready', flush=True)\n    input()\n")
    assert killed.stdout is not None
    assert any(line == "ready\n" for line in killed.stdout), f"{name} did not start"
    started = [process.pid for process in psutil.Process(killed.pid).children(recursive=True)]
    assert started
    with contextlib.ExitStack() as stack:
        ends = [os.pidfd_open(pid) for pid in started]
        for end in ends:
            stack.callback(os.close, end)
        killed.kill()
        killed.communicate()
        assert all(select.select([end], [], [], 60)[0] for end in ends), "a server outlived pytest"
    shared = Path("/proc/sysvipc/shm").read_text("utf-8").splitlines()
    columns = shared[0].split()
    makers = {int(line.split()[columns.index("cpid")]) for line in shared[1:]}
    assert makers.isdisjoint(started), "shared memory outlived its server"
    folders = f"{processes.PREFIX}{killed.pid}-*"
    assert list(processes.TEMPORARY.glob(folders)) != []
    processes.sweep()
    assert list(processes.TEMPORARY.glob(folders)) == []


def test_a_server_that_cannot_start_says_what_it_said() -> None:
    with processes.Service("example") as at:
        at.start("/bin/sh", "-c", "echo no such thing; exit 3")
        with pytest.raises(RuntimeError, match=r"(?s)example did not start.*no such thing"):
            at.wait(lambda: False)


@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped"), ("true", "1 error")])
def test_a_server_that_cannot_be_had_is_a_skip_and_in_ci_a_failure(ci: str, outcome: str, tmp_path: Path) -> None:
    said = tmp_path / "apt-get"
    said.write_text("#!/bin/sh\necho 'E: no network' >&2\nexit 100\n")
    said.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    ended = pytest_of(
        tmp_path,
        "def test_it(mariadb_url): pass\n",
        {"PATH": path, "MAPKEEPER_TEST_CACHE": str(tmp_path / "cache"), "CI": ci},
    )
    output, _ = ended.communicate()
    assert outcome in output
    assert "mariadb-server-core cannot be fetched: E: no network" in output or "mariadb: needs Debian 12" in output


def test_servers_given_by_url_take_the_place_of_ours(
    moto_s3: S3Server, postgres_server: DatabaseServer, tmp_path: Path
) -> None:
    given = {
        "MAPKEEPER_TEST_S3_URL": moto_s3.endpoint_url,
        "MAPKEEPER_TEST_POSTGRES_URL": postgres_server.url,
        "AWS_ACCESS_KEY_ID": moto_s3.access_key,
        "AWS_SECRET_ACCESS_KEY": moto_s3.secret_key,
    }
    before = moto_s3.client().list_buckets()["Buckets"]
    ended = pytest_of(
        tmp_path,
        "def test_it(s3, bucket, postgres_server):\n"
        f"    assert (s3.endpoint_url, postgres_server.url) == {(moto_s3.endpoint_url, postgres_server.url)!r}\n"
        "    s3.client().put_object(Bucket=bucket, Key='a', Body=b'')\n",
        given,
    )
    output, _ = ended.communicate()
    assert "1 passed" in output
    assert moto_s3.client().list_buckets()["Buckets"] == before, "a bucket was left on a server that is not ours"


def pytest_of(folder: Path, test: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """A pytest of one test in a process of its own, with the fixtures of the servers and no server by URL."""
    (folder / "test_it.py").write_text(test)
    inherited = {name: value for name, value in os.environ.items() if not re.match("MAPKEEPER_TEST_.*_URL", name)}
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "services.fixtures", "-W", "error", "-rs", "-s", "-q", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(Path(__file__).parent), **(environment or {})},
    )
