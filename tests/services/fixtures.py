"""The servers as fixtures: started when a test first asks, one of each a session; see docs/testing.md."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import pytest
from botocore import loaders

from services import Unavailable
from services.ceph import CephServer, ceph
from services.databases import DatabaseServer
from services.mariadb import mariadb
from services.moto import moto
from services.postgres import postgres
from services.postgres_tls import TlsServer, postgres_tls
from services.s3 import S3Server, elsewhere
from services.swift import swift

T = TypeVar("T")

S3_SERVERS = ("endpoint",) if os.environ.get("MAPKEEPER_TEST_S3_URL") else ("moto", "swift", "ceph")


@contextlib.contextmanager
def had(service: AbstractContextManager[T]) -> Iterator[T]:
    """Start a service, or skip the test and say why; with CI=true a server that cannot be had is a failure."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(service)
        except Unavailable as why:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(why))
        yield server


def named(variable: str) -> AbstractContextManager[DatabaseServer] | None:
    """The database server whose address an environment variable has, if it has one."""
    url = os.environ.get(variable)
    return nullcontext(DatabaseServer(url)) if url else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[DatabaseServer]:
    """PostgreSQL 18; `url` is of the database `postgres`, for its superuser."""
    with had(named("MAPKEEPER_TEST_POSTGRES_URL") or postgres()) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: DatabaseServer) -> Iterator[str]:
    """The address of a fresh empty database on PostgreSQL."""
    with postgres_server.fresh() as url:
        yield url


@pytest.fixture(scope="session", name="postgres_tls")
def start_postgres_tls() -> Iterator[TlsServer]:
    """PostgreSQL 15 with TLS and an authority of its own."""
    with had(postgres_tls()) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[DatabaseServer]:
    """MariaDB 10.11; `url` is of the database `mysql`, for root."""
    with had(named("MAPKEEPER_TEST_MARIADB_URL") or mariadb()) as server:
        yield server


@pytest.fixture
def mariadb_url(mariadb_server: DatabaseServer) -> Iterator[str]:
    """The address of a fresh empty database on MariaDB."""
    with mariadb_server.fresh() as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def botocore_reads_its_data_once() -> Iterator[None]:
    """For all connections of the tests; each would read it anew, which takes most of the time that they take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaders, "create_loader", functools.cache(loaders.create_loader))
        yield


@pytest.fixture(scope="session")
def moto_s3() -> Iterator[S3Server]:
    """Moto: emulates the calls of AWS, checks no key."""
    with had(moto()) as server:
        yield server


@pytest.fixture(scope="session")
def swift_s3() -> Iterator[S3Server]:
    """Swift: objects and listings by the S3 API, hardly anything of a bucket's posture."""
    with had(swift()) as server:
        yield server


@pytest.fixture(scope="session")
def ceph_s3() -> Iterator[CephServer]:
    """Ceph: enforces what is configured; `another()` makes a second user."""
    with had(ceph()) as server:
        yield server


@pytest.fixture(scope="module", params=S3_SERVERS)
def s3(request: pytest.FixtureRequest) -> S3Server:
    """Each S3 server in turn, or the endpoint of MAPKEEPER_TEST_S3_URL in place of them all."""
    server: S3Server = elsewhere() if request.param == "endpoint" else request.getfixturevalue(f"{request.param}_s3")
    return server


@pytest.fixture
def bucket(s3: S3Server) -> Iterator[str]:
    """The name of a fresh empty bucket on `s3`; the local servers forget theirs when they end."""
    name = s3.create_bucket()
    yield name
    if s3.name == "endpoint":
        s3.remove_bucket(name)
