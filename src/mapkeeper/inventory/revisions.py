"""The revision of an inventory: which migration made its tables, and how it comes to the newest."""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy import Connection, inspect, text

from mapkeeper.inventory.database import Database
from mapkeeper.inventory.tables import REVISION, VERSION_TABLE, metadata

_MIGRATIONS = "mapkeeper_migrations"  # by name: the house does not import it


def revision(database: Database, connection: Connection) -> str | None:
    """The revision of the tables, ``None`` for an empty database.

    Raises:
        InventoryError: the database holds something else, or was written by a newer mapkeeper.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if VERSION_TABLE not in tables:
        raise database.refuse("is the database of something else; name another file in [inventory] url")
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - our own name
    if found is not None and found > REVISION:
        newer = f"is of revision {found} and this mapkeeper knows up to {REVISION}"
        raise database.refuse(f"{newer}; update mapkeeper, or restore a backup")
    return found


def upgrade(database: Database) -> tuple[str | None, str]:
    """Bring the tables to the newest revision, in one transaction; returns the revisions before and after."""
    with database.reading() as connection:
        if (before := revision(database, connection)) == REVISION:
            return before, REVISION
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files(_MIGRATIONS)).replace("%", "%%"))
    with database.altering() as connection:
        before = revision(database, connection)  # again: another process may have been quicker
        config.attributes.update(connection=connection, metadata=metadata, version_table=VERSION_TABLE)
        command.upgrade(config, "head")
    return before, REVISION
