"""Connections to database servers: opened within a time, and refused in one line that says what to mend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from mapkeeper.plugin import Pace, Reason, SourceError

_EXTRAS = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql"}

Meanings = Callable[[DBAPIError], tuple[Reason, str] | None]
"""What an error of a driver means: its reason and, without any value, what is wrong and the remedy."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a server may take, and how fast it may be asked."""

    connect_timeout: float = 10.0  # seconds, for the connection to be made and its login to be answered
    statement_timeout: float = 60.0  # seconds, for one statement
    pace: Pace = Pace()  # noqa: RUF009 - the one without limits


def connect(url: URL, target: str, meanings: Meanings, **connect_args: Any) -> tuple[Engine, Connection]:
    """Connect once: no pool, no parameters in the text of errors.

    Args:
        url: With its password.
        target: The address as people know it, for errors.
        meanings: What the driver's own error means; ``None``: nothing that is known.
        connect_args: The driver's own, such as its time-out.

    Raises:
        SourceError: ``unsupported`` for a driver that is not installed or asynchronous, or a URL that does not suit it;
            else what ``meanings`` says, or ``unreachable``.
    """
    try:
        engine = create_engine(
            url, poolclass=NullPool, pool_reset_on_return=None, hide_parameters=True, connect_args=connect_args
        )  # nothing is reset: on a lost connection that fails, and SQLAlchemy logs what the driver says
    except ImportError:
        raise SourceError(Reason.UNSUPPORTED, f"{target}: {_not_installed(url)}") from None
    except (SQLAlchemyError, TypeError, ValueError) as error:
        says = f"{target}: the URL does not suit its driver ({type(error).__name__}); correct its options"
        raise SourceError(Reason.UNSUPPORTED, says) from None
    if engine.dialect.is_async:
        says = f"{target}: {url.get_driver_name()} is an asynchronous driver; name another in the URL"
        raise SourceError(Reason.UNSUPPORTED, says)
    try:
        return engine, engine.connect()
    except DBAPIError as error:
        meaning = meanings(error)
        name = type(error.orig).__name__
    except (SQLAlchemyError, OSError, RuntimeError, TypeError, ValueError) as error:
        meaning, name = None, type(error).__name__
    engine.dispose()
    reason, says = meaning or (
        Reason.UNREACHABLE,
        f"no connection ({name}); check host, port, user, password and options",
    )
    raise SourceError(reason, f"{target}: {says}")


def _not_installed(url: URL) -> str:
    extra = _EXTRAS.get(url.get_backend_name())
    remedy = f"pip install 'mapkeeper[{extra}]'" if extra else "install it beside mapkeeper"
    return f"the driver for {url.drivername} is not installed; {remedy}"
