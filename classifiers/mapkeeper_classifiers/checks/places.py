"""Positions on the globe."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from mapkeeper.rules import Check

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


def latitude_longitude(value: str) -> bool:
    """Whether two numbers, maybe with a height, lie on the globe in either order, and not at its zero point."""
    numbers = [abs(float(number)) for number in _NUMBER.findall(value)]
    if len(numbers) not in (2, 3) or not any(numbers[:2]):
        return False
    # GeoJSON and WKT begin with the longitude.
    return min(numbers[:2]) <= 90 and max(numbers[:2]) <= 180


CHECKS: Mapping[str, Check] = MappingProxyType({function.__name__: function for function in (latitude_longitude,)})
