"""The loyalty numbers of Acme shops, as rules."""

from __future__ import annotations

from collections.abc import Iterator

from mapkeeper.categories import categories
from mapkeeper.rules import Rule, load_package


def check_digit_holds(text: str) -> bool:
    """Whether the last digit is the sum of the others, the odd ones threefold, modulo 10."""
    digits = [int(sign) for sign in text if sign in "0123456789"]
    return len(digits) == 9 and (3 * sum(digits[:8:2]) + sum(digits[1:8:2])) % 10 == digits[8]


def rules() -> Iterator[Rule]:
    """Declare the rules of ``loyalty.toml``."""
    yield from load_package("mapkeeper_acme", "acme", {"acme": check_digit_holds}, frozenset(categories()))
