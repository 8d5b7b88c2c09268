"""The rules that come with mapkeeper, and an engine of them: read and made once, as that takes seconds."""

from __future__ import annotations

import functools

from mapkeeper.classify import Engine
from mapkeeper.rules import Rule
from mapkeeper_classifiers import presidio, standard


@functools.cache
def standard_rules() -> tuple[Rule, ...]:
    """Those of our packs."""
    return tuple(standard.rules())


@functools.cache
def presidio_rules() -> tuple[Rule, ...]:
    """Those of Presidio's recognizers."""
    return tuple(presidio.rules())


@functools.cache
def engine() -> Engine:
    """An engine of all of them. It keeps no value, so that tests cannot disturb each other."""
    return Engine([*standard_rules(), *presidio_rules()])
