"""Chance that repeats itself: one independent draw for each store, so that changing one leaves the others alone."""

from __future__ import annotations

import datetime as dt
import random
import string

Draw = random.Random


def draw(seed: int, what: str) -> Draw:
    """The draw for one part of the demo."""
    return random.Random(f"{seed}/{what}")  # noqa: S311 - data for show, not secrets


def digits(draw: Draw, count: int) -> str:
    """So many decimal digits."""
    return "".join(draw.choices(string.digits, k=count))


def token(draw: Draw, count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """So many characters of an alphabet."""
    return "".join(draw.choices(alphabet, k=count))


def moments(draw: Draw, start: dt.date, end: dt.date, count: int) -> list[dt.datetime]:
    """Points in time from the start of one day to the start of another, in order."""
    midnight = dt.datetime.combine(start, dt.time())
    span = (end - start).days * 86_400
    return [midnight + dt.timedelta(seconds=second) for second in sorted(draw.choices(range(span), k=count))]
