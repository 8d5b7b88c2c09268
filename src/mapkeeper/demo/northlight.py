"""Northlight, the provider: its own people, and a file in the shared store that nobody filed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from mapkeeper.demo import globex, numbers, people, write
from mapkeeper.demo.chance import Draw, moments


def write_roster(folder: Path, draw: Draw, day: dt.date) -> None:
    """Write the on-call roster: the data that the provider decides on itself."""
    head = ("week", "first_name", "last_name", "work_email", "mobile", "level", "shift")
    analysts = people.people(draw, day, 14, {"CA": 0.8, "GB": 0.2}, ("northlight.example",), youngest=22)
    monday = day - dt.timedelta(days=day.weekday())
    rows = []
    for back in range(26):
        for level, who in enumerate(draw.sample(analysts, 3), 1):
            week = monday - dt.timedelta(weeks=back)
            rows.append((week, who.first, who.last, who.email, who.phone, level, draw.choice(("day", "night"))))
    write.table(folder / "on_call.csv", head, rows, day)


def write_unsorted(folder: Path, draw: Draw, day: dt.date) -> None:
    """Write a file under no client's prefix: it is booked to the provider until somebody says whose it is."""
    head = ("account", "vpn_ip", "public_ip", "connected_at", "bytes_out")
    workers = globex.staff(draw, day, 25)
    rows = []
    for moment in moments(draw, day - dt.timedelta(days=7), day, 300):
        who = draw.choice(workers).email
        address, outside = numbers.private_ip(draw), numbers.public_ip(draw)
        rows.append((who, address, outside, moment.isoformat(), draw.randrange(10_000, 9_000_000)))
    write.table(folder / "vpn-sessions.csv", head, rows, day)
