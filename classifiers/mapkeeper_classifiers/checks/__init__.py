"""Checks: functions that say whether a value, found by its shape, holds together.

A pack names them by key. Keys with a dot are modules of python-stdnum (``fr.nir`` is ``stdnum.fr.nir``); it and
phonenumbers are imported when a check first runs. A check whose rule states no ``chance`` is a filter: it throws
out what looks alike but proves nothing about what is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mapkeeper.rules import Check
from mapkeeper_classifiers.checks import codes, drawn, numbers, online, people, places

CHECKS: Mapping[str, Check] = MappingProxyType(
    {**codes.CHECKS, **numbers.CHECKS, **online.CHECKS, **places.CHECKS, **people.CHECKS, **drawn.CHECKS}
)
"""Every check by the name that a pack gives it."""
