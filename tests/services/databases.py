"""A database server as the tests see it: an address, and fresh databases on it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4


@dataclass(frozen=True)
class DatabaseServer:
    """A server on which databases may be made; `url` is a SQLAlchemy address of one that is there already."""

    url: str

    @contextlib.contextmanager
    def fresh(self) -> Iterator[str]:
        """The address of a new empty database, dropped at the end with whatever still hangs on it."""
        from sqlalchemy import make_url

        name = f"test_{uuid4().hex[:12]}"
        address = make_url(self.url)
        mysql = address.get_backend_name() in ("mysql", "mariadb")
        self._tell(f"create database {name}" + (" character set utf8mb4" if mysql else ""))
        try:
            yield address.set(database=name).render_as_string(hide_password=False)
        finally:
            self._tell(f"drop database {name}" + ("" if mysql else " with (force)"))

    def _tell(self, statement: str) -> None:
        from sqlalchemy import NullPool, create_engine, text

        engine = create_engine(self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
