"""Marks of tables and views of MariaDB or MySQL: never the same after a change, sometimes another without one.

A table's mark is when it was made and when each of its partitions last changed. InnoDB keeps the latter in memory
only: it forgets it when it restarts and when it makes room, and it counts in seconds. Where it does not tell, or the
change is so fresh that another might fall into the same second, the number of the last byte that InnoDB wrote to its
log takes its place: that grows with every change of any table of the server, and while nothing is written it stays.

Aria and other engines tell their time late or never, so their tables have no mark. A view's mark is its definition and
the marks of what it reads. All marks hold one server's own identity: a replica that took its place has others. They
trust its clock not to be put back to the very second of an earlier change, and cannot tell apart two tables that were
made in one second, last changed in another, and then traded names.
"""

from __future__ import annotations

import hashlib
import json

from mapkeeper_connectors.sql.mariadb.catalog import Catalog, Relation
from mapkeeper_connectors.sql.mariadb.session import Session

SETTLED = 2
"""Seconds after which no further change falls into the second of one that the server tells of."""

_TIMED = frozenset({"InnoDB", "MyISAM"})
_LOG = ("Innodb_lsn_current", "Innodb_redo_log_current_lsn")  # of MariaDB, of MySQL
_IDENTITY = ("server_uid", "server_uuid", "server_id", "hostname", "port", "datadir")


def mark(session: Session, catalog: Catalog, of: Relation) -> str | None:
    """What changes whenever the contents do; ``None``: the server cannot tell.

    Raises:
        pymysql.Error: the server refuses, or is lost.
    """
    state = _state(session, catalog, of)
    if state is None:
        return None
    told = session.select(
        f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({', '.join(['%s'] * len(_IDENTITY))})", *_IDENTITY
    )
    return hashlib.sha256(json.dumps([sorted(told), state]).encode()).hexdigest()[:32]


def _state(session: Session, catalog: Catalog, of: Relation) -> list[object] | None:
    row = catalog.table(of)
    if row is None:
        return None
    columns = [(column.name, column.spelled, column.comment) for column in catalog.columns(of)]
    if of.view:
        under = catalog.under(of)
        states = [_state(session, catalog, source) for source in under or ()]
        if under is None or None in states:
            return None
        return [columns, (catalog.view(of) or {}).get("VIEW_DEFINITION"), states]
    if row["ENGINE"] not in _TIMED:
        return None
    ((now,),) = session.select("SELECT NOW()")
    times = [part["UPDATE_TIME"] for part in catalog.parts(of)]
    made = [row["CREATE_TIME"], row["AUTO_INCREMENT"], *(part["CREATE_TIME"] for part in catalog.parts(of))]
    settled = all(
        time is not None and abs((now - time).total_seconds()) > SETTLED for time in [row["CREATE_TIME"], *times]
    )
    if not settled:
        number = _log(session) if row["ENGINE"] == "InnoDB" else None
        if number is None:
            return None
        times = [number]
    return [columns, [str(time) for time in made], [str(time) for time in times]]


def _log(session: Session) -> int | None:
    """How far InnoDB has written its log."""
    found = session.select("SHOW GLOBAL STATUS WHERE Variable_name IN (%s, %s)", *_LOG)
    return max((int(number) for _, number in found), default=None)
