"""A web server's log in the combined format of Apache and nginx."""

from __future__ import annotations

import datetime as dt

from mapkeeper.demo import numbers
from mapkeeper.demo.chance import Draw
from mapkeeper.demo.words import words

# Spelled out, because strftime's depend on the machine's language.
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def combined(draw: Draw, moment: dt.datetime, user: str, path: str, referer: str) -> str:
    """One request."""
    status = draw.choices((200, 304, 302, 404, 500), (80, 10, 5, 4, 1))[0]
    method = "POST" if draw.random() < 0.1 else "GET"
    when = f"{moment:%d}/{MONTHS[moment.month - 1]}/{moment:%Y:%H:%M:%S} +0000"
    size = 0 if status == 304 else draw.randrange(180, 60_000)
    came_from = referer if draw.random() < 0.6 else "-"
    agent = draw.choice(words()["web"]["agents"])
    address = numbers.public_ip(draw)
    return f'{address} - {user} [{when}] "{method} {path} HTTP/1.1" {status} {size} "{came_from}" "{agent}"'
