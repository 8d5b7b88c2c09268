"""How a printed record says a country, a day, a duration, a share and a category."""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_UP, Context

from mapkeeper.categories import categories
from mapkeeper.model import Verdict
from mapkeeper.places import name_of

_UNITS = {"Y": "year", "M": "month", "W": "week", "D": "day"}


def country(code: str) -> str:
    """ "Quebec, Canada (CA-QC)"; "EEA" as it is."""
    return code if code == "EEA" else f"{name_of(code)} ({code})"


def day(date: dt.date) -> str:
    """ "3 March 2026", the same wherever it is printed."""
    return f"{date.day} {date:%B %Y}"


def moment(when: dt.datetime) -> str:
    """ "3 March 2026, 09:05 UTC"."""
    utc = when.astimezone(dt.UTC)
    return f"{day(utc)}, {utc:%H:%M} UTC"


def duration(text: str) -> str:
    """ "1 year 6 months" for the ISO 8601 duration "P1Y6M"."""
    return " ".join(counted(int(number), _UNITS[unit]) for number, unit in re.findall(r"(\d+)([YMWD])", text))


def counted(number: int, noun: str) -> str:
    """ "1 field", "2,000 fields", "3 countries", "0 accesses"."""
    if number != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}es" if noun.endswith("ss") else f"{noun}s"
    return f"{number:,} {noun}"


def decided(verdict: Verdict) -> str:
    """ "confirmed by Ada Lovelace on 3 March 2026, until 3 March 2027: asked the owner"."""
    until = f", until {day(verdict.expires)}" if verdict.expires is not None else ""
    reason = f": {verdict.reason}" if verdict.reason else ""
    return f"{verdict.state.value} by {verdict.author} on {day(verdict.at.astimezone(dt.UTC))}{until}{reason}"


def category(key: str) -> str:
    """The title of a category; for a prefix such as "health" what it stands for."""
    if (known := categories().get(key)) is not None:
        return known.title
    return f"everything under {key}" if any(other.startswith(f"{key}.") for other in categories()) else key


def special_of(key: str) -> str | None:
    """``art9`` or ``art10`` where the GDPR sets a category apart, or anything under a prefix."""
    if (known := categories().get(key)) is not None:
        return known.special
    return next((one.special for one in categories().values() if one.key.startswith(f"{key}.") and one.special), None)


def unseen(bound: float | None) -> str:
    """What the unread part of an asset may hide."""
    if bound is None:
        return "nothing can be said of what was not read"
    if bound == 0:
        return "all of it was read"
    if bound == 1:
        return "nothing was read, so it may hold anything"
    percent = Context(prec=2, rounding=ROUND_UP).create_decimal_from_float(bound * 100).normalize()
    return f"a category in fewer than {percent:f} % of rows may be unseen"
