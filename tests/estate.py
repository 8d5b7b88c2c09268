"""One estate of a few tables, put down in whatever store a test wants it in."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from mapkeeper.demo.numbers import iban, public_ip
from mapkeeper.demo.people import people

DAY = dt.date(2026, 11, 1)

Rows = list[dict[str, Any]]


def tables(count: int = 400) -> Mapping[str, Rows]:
    """Four tables: customers, payments, logins and tickets; the same at every call."""
    draw = random.Random(20261101)
    persons = people(draw, DAY, count, {"FR": 0.6, "DE": 0.4}, ("courriel.example", "post.example"))
    customers = [
        {
            "id": number,
            "first_name": one.first,
            "last_name": one.last,
            "email": one.email,
            "phone": one.phone,
            "birth_date": one.birth,
            "newsletter": number % 3 == 0,
        }
        for number, one in enumerate(persons, 1)
    ]
    payments = [
        {"id": number, "customer_id": number, "iban": iban(draw, one.country), "amount": Decimal(number) / 4}
        for number, one in enumerate(persons, 1)
    ]
    logins = [
        {"id": number, "username": draw.choice(persons).user, "client_ip": public_ip(draw), "ok": number % 9 != 0}
        for number in range(1, 2 * count)
    ]
    tickets = [
        {
            "id": number,
            "opened": DAY - dt.timedelta(days=number % 300),
            "note": f"Callback for {one.first}, please write to {one.email}" if number % 4 == 0 else "No answer yet",
        }
        for number, one in enumerate(persons, 1)
    ]
    return {"customers": customers, "payments": payments, "logins": logins, "tickets": tickets}


_TYPES: Mapping[type, sa.types.TypeEngine[Any]] = {
    bool: sa.Boolean(),
    int: sa.Integer(),
    str: sa.String(200),
    dt.date: sa.Date(),
    Decimal: sa.Numeric(10, 2),
}


def into_database(url: str) -> None:
    """Make and fill the tables in a database."""
    engine = sa.create_engine(url)
    metadata = sa.MetaData()
    with engine.begin() as connection:
        for name, rows in tables().items():
            columns = [sa.Column(key, _TYPES[type(value)], primary_key=key == "id") for key, value in rows[0].items()]
            table = sa.Table(name, metadata, *columns)
            table.create(connection)
            connection.execute(table.insert(), rows)
    engine.dispose()


def as_csv(rows: Rows) -> bytes:
    """Rows as a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
