"""Inventories as fixtures: each test that asks for one runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mapkeeper.inventory import Inventory
from recording import DATABASES, empty, url
from services.databases import DatabaseServer


@pytest.fixture(scope="module")
def on_a_server(postgres_server: DatabaseServer) -> Iterator[str]:
    """The URL of an inventory on a server, made once for many tests."""
    with postgres_server.fresh() as place:
        Inventory.open(place).close()
        yield place


@pytest.fixture(params=DATABASES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an inventory that holds nothing; on a server it is the module's own, emptied."""
    if request.param == "sqlite":
        return url(tmp_path / "inventory.db")
    made: str = request.getfixturevalue("on_a_server")
    empty(made)
    return made


@pytest.fixture
def inventory(place: str) -> Iterator[Inventory]:
    """An open inventory that holds nothing."""
    with Inventory.open(place) as opened:
        yield opened
