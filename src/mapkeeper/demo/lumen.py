"""Lumen, a French shop for lamps: its database, and its web server's and cashier's logs."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from mapkeeper.demo import numbers, people, weblog, write
from mapkeeper.demo.chance import Draw, digits, moments, token
from mapkeeper.demo.people import Person
from mapkeeper.demo.words import words

CUSTOMERS, ORDERS, SESSIONS, TICKETS = 1_200, 4_000, 12_000, 600

_SCHEMA = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, customer_no TEXT, first_name TEXT, last_name TEXT, email TEXT,
  phone TEXT, birth_date TEXT, street TEXT, postal_code TEXT, city TEXT, country TEXT, newsletter INTEGER,
  password_hash TEXT, loyalty_points INTEGER, created_at TEXT);
CREATE TABLE products (id INTEGER PRIMARY KEY, sku TEXT, name TEXT, ean TEXT, price_cents INTEGER,
  firmware_version TEXT, weight_g INTEGER);
CREATE TABLE orders (id INTEGER PRIMARY KEY, order_number TEXT, customer_id INTEGER REFERENCES customers (id),
  ordered_at TEXT, status TEXT, total_cents INTEGER, currency TEXT, client_ip TEXT, tracking_number TEXT);
CREATE TABLE order_lines (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id),
  product_id INTEGER REFERENCES products (id), quantity INTEGER, unit_price_cents INTEGER);
CREATE TABLE payments (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id), paid_at TEXT, method TEXT,
  amount_cents INTEGER, card_masked TEXT, holder_name TEXT, refund_iban TEXT, gateway_ref TEXT);
CREATE TABLE support_tickets (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), opened_at TEXT,
  channel TEXT, language TEXT, subject TEXT, note TEXT, agent TEXT);
CREATE TABLE app_releases (id INTEGER PRIMARY KEY, version TEXT, released_on TEXT, git_commit TEXT, min_os TEXT,
  changelog TEXT);
CREATE TABLE sessions (id INTEGER PRIMARY KEY, token TEXT, customer_id INTEGER REFERENCES customers (id), ip TEXT,
  user_agent TEXT, screen TEXT, started_at TEXT);
CREATE VIEW newsletter_recipients AS SELECT first_name, email, country FROM customers WHERE newsletter = 1;
"""


def customers(draw: Draw, day: dt.date) -> list[Person]:
    """The shop's customers, most of them French."""
    return people.people(draw, day, CUSTOMERS, {"FR": 0.7, "DE": 0.18, "GB": 0.12}, people.MAIL_HOSTS)


def write_shop(path: Path, customers: Sequence[Person], draw: Draw, day: dt.date) -> None:
    """Write the shop's SQLite database."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as shop:
        shop.executescript(_SCHEMA)
        products = _products(draw)
        _insert(shop, "customers", _customers(customers, draw, day))
        _insert(shop, "products", products)
        orders, order_lines, payments = _orders(customers, products, draw, day)
        _insert(shop, "orders", orders)
        _insert(shop, "order_lines", order_lines)
        _insert(shop, "payments", payments)
        _insert(shop, "support_tickets", _tickets(customers, draw, day))
        _insert(shop, "app_releases", _releases(draw, day))
        _insert(shop, "sessions", _sessions(draw, day))
        shop.commit()
    write.stamp(path, day)


def write_logs(folder: Path, customers: Sequence[Person], draw: Draw, day: dt.date) -> None:
    """Write the shop's web server's and cashier's logs into its part of the shared store."""
    start = day - dt.timedelta(days=21)
    pages = words()["shop"]["pages"]
    access = []
    for moment in moments(draw, start, day, 7_500):
        page = draw.choice(pages)
        if draw.random() < 0.02:  # what links in mails leave behind
            page = f"/newsletter/unsubscribe?email={draw.choice(customers).email}&c={digits(draw, 4)}"
        access.append(weblog.combined(draw, moment, "-", page, f"https://www.lumen.example{draw.choice(pages)}"))
    write.rotated(folder / "access.log", access, day)

    cashier = []
    for moment in moments(draw, start, day, 400):
        order, said = digits(draw, 16), draw.random()
        if said < 0.15:  # a debug switch that somebody left on
            what = f"payment.DEBUG: authorising card {numbers.card(draw)} for order {order}"
        elif said < 0.9:
            what = f"payment.INFO: order {order} settled in {draw.randrange(80, 900)} ms"
        else:
            what = f"payment.WARNING: gateway slow, retry {draw.randrange(1, 4)} of 3 for order {order}"
        cashier.append(f"[{moment:%Y-%m-%d %H:%M:%S}] {what}")
    write.lines(folder / "payment.log", cashier, day)


def _insert(shop: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    marks = ", ".join("?" * (len(rows[0]) + 1))
    numbered = ((number, *row) for number, row in enumerate(rows, 1))
    shop.executemany(f"INSERT INTO {table} VALUES ({marks})", numbered)  # noqa: S608 - our own table names


def _customers(customers: Sequence[Person], draw: Draw, day: dt.date) -> list[tuple[object, ...]]:
    joined = moments(draw, day - dt.timedelta(days=1_500), day, len(customers))
    return [
        (
            f"L-{100_000 + 7 * number}",
            who.first,
            who.last,
            who.email,
            who.phone if draw.random() < 0.8 else None,
            who.birth.isoformat() if draw.random() < 0.6 else None,
            who.street,
            who.postal_code,
            who.city,
            who.country,
            int(draw.random() < 0.4),
            numbers.bcrypt(draw),
            draw.randrange(0, 2_000, 5),
            moment.isoformat(" "),
        )
        for number, (who, moment) in enumerate(zip(customers, joined, strict=True))
    ]


def _products(draw: Draw) -> list[tuple[object, ...]]:
    shop = words()["shop"]
    return [
        (
            f"LU-{draw.randrange(1_000, 10_000)}-{finish[:2].upper()}",
            f"{good} {finish}",
            f"399{digits(draw, 10)}",
            draw.randrange(490, 39_900, 10),
            _version(draw),
            draw.randrange(20, 6_000),
        )
        for good in shop["goods"]
        for finish in shop["finishes"]
    ]


def _version(draw: Draw) -> str:
    """Four numbers with dots between them: a version, and just as well an address."""
    return f"10.{draw.randrange(4)}.{draw.randrange(10)}.{draw.randrange(1, 60)}"


def _orders(
    customers: Sequence[Person], products: Sequence[tuple[object, ...]], draw: Draw, day: dt.date
) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]], list[tuple[object, ...]]]:
    orders: list[tuple[object, ...]] = []
    order_lines: list[tuple[object, ...]] = []
    payments: list[tuple[object, ...]] = []
    for number, moment in enumerate(moments(draw, day - dt.timedelta(days=700), day, ORDERS), 1):
        customer = draw.randrange(len(customers))
        total = 0
        for _ in range(draw.randrange(1, 4)):
            product, quantity = draw.randrange(len(products)), draw.choice((1, 1, 1, 2, 4))
            price = products[product][3]
            assert isinstance(price, int)
            order_lines.append((number, product + 1, quantity, price))
            total += quantity * price
        status = draw.choices(("delivered", "returned", "open"), (90, 8, 2))[0]
        # The shop's order numbers are dates with digits behind them: sixteen in all, and one in ten passes Luhn.
        order_number = f"4{moment:%y%m%d}{digits(draw, 9)}"
        tracking = f"6{digits(draw, 10)}" if status != "open" else None
        orders.append(
            (
                order_number,
                customer + 1,
                moment.isoformat(" "),
                status,
                total,
                "EUR",
                numbers.public_ip(draw),
                tracking,
            )
        )
        if status != "open":
            who, card = customers[customer], numbers.card(draw)
            payments.append(
                (
                    number,
                    (moment + dt.timedelta(seconds=draw.randrange(20, 400))).isoformat(" "),
                    "card",
                    total,
                    f"{card[:6]}{'*' * (len(card) - 10)}{card[-4:]}",
                    who.name,
                    numbers.iban(draw, who.country) if status == "returned" else None,
                    f"pay_{token(draw, 14)}",
                )
            )
    return orders, order_lines, payments


def _tickets(customers: Sequence[Person], draw: Draw, day: dt.date) -> list[tuple[object, ...]]:
    shop = words()["shop"]
    agents = ("s.caron", "m.ferry", "l.adam")
    tickets: list[tuple[object, ...]] = []
    for number, moment in enumerate(moments(draw, day - dt.timedelta(days=500), day, TICKETS), 1):
        customer = draw.randrange(len(customers))
        note = draw.choice(shop["notes"])
        if number % 50 == 0:
            note = f"{note} {draw.choice(shop['notes_with_email']).format(email=customers[customer].email)}"
        channel, language = draw.choice(("mail", "chat", "telephone")), draw.choice(("fr", "fr", "fr", "de", "en"))
        subject, agent = draw.choice(shop["subjects"]), draw.choice(agents)
        tickets.append((customer + 1, moment.isoformat(" "), channel, language, subject, note, agent))
    return tickets


def _releases(draw: Draw, day: dt.date) -> list[tuple[object, ...]]:
    return [
        (
            _version(draw),
            (day - dt.timedelta(days=14 * (60 - number))).isoformat(),
            token(draw, 40, "0123456789abcdef"),
            draw.choice(("10.15.7", "11.0.0", "12.4.1")),
            draw.choice(words()["shop"]["changes"]),
        )
        for number in range(60)
    ]


def _sessions(draw: Draw, day: dt.date) -> list[tuple[object, ...]]:
    return [
        (
            token(draw, 43),
            draw.randrange(1, CUSTOMERS + 1),
            numbers.public_ip(draw),
            draw.choice(words()["web"]["agents"]),
            draw.choice(("1920x1080", "1366x768", "390x844")),
            moment.isoformat(" "),
        )
        for moment in moments(draw, day - dt.timedelta(days=90), day, SESSIONS)
    ]
