"""The standard rules: every pack beside this module, with its checks."""

from __future__ import annotations

from collections.abc import Iterator

from mapkeeper.categories import categories
from mapkeeper.rules import Rule, load_package
from mapkeeper_classifiers.checks import CHECKS


def rules() -> Iterator[Rule]:
    """Declare the standard rules; their ids begin with ``standard/``."""
    yield from load_package("mapkeeper_classifiers.packs", "standard", CHECKS, frozenset(categories()))
