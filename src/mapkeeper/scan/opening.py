"""Opens connectors, so that a fault of one costs its source and no other, and tells no value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mapkeeper import discover
from mapkeeper.config import Workspace, resolve
from mapkeeper.errors import MapkeeperError, SourceError
from mapkeeper.model import Reason
from mapkeeper.plugin import Connector, Pace


def open_source(workspace: Workspace, source: str) -> Connector:
    """The connector of a source, with its secrets looked up; not yet open."""
    entry = workspace.sources[source]
    secrets = discover.settings(entry.connector)
    given = {
        key: resolve(value, workspace.folder, key) if secrets.get(key) else value
        for key, value in entry.settings.items()
    }
    connector = discover.connect(entry.connector, given, workspace.folder)
    connector.pace = Pace(entry.limits.requests_per_second, entry.limits.rows_per_second)
    return connector


@contextmanager
def opened(connector: Connector) -> Iterator[Connector]:
    """An open connector, closed in the end whatever happened.

    Raises:
        SourceError: it cannot be opened.
    """
    try:
        with guarded():
            connector.open()
        yield connector
    finally:
        with suppress(Exception):  # what was read is read
            connector.close()


@contextmanager
def guarded() -> Iterator[None]:
    """While a connector works: what it did not mean to raise becomes an error of its source, for it may quote values.

    Raises:
        SourceError: of what type the error was, and no more.
    """
    try:
        yield
    except MapkeeperError:
        raise
    except Exception as error:
        says = f"{type(error).__name__}: a fault of the connector; report it to its author"
        raise SourceError(Reason.CRASHED, says) from None
