"""Positions on the globe."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from mapkeeper.rules import Check


def latitude_longitude(value: str) -> bool:
    """Whether two numbers, with a comma or white space between, lie on the globe and not at its zero point."""
    try:
        latitude, longitude = map(float, re.split(r"[\s,;]+", value.strip("() ")))
    except ValueError:
        return False
    return abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0.0, 0.0)


CHECKS: Mapping[str, Check] = MappingProxyType({function.__name__: function for function in (latitude_longitude,)})
