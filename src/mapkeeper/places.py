"""Places: which country codes exist and what people call them.

Codes are ISO 3166-1 alpha-2, for Canada and the United States also ISO 3166-2 ("CA-QC"), because Quebec's
Law 25 makes another province a destination. Names come from pycountry (Debian's iso-codes).
"""

from __future__ import annotations

from typing import Any

import pycountry

EEA = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO "  # noqa: SIM905
    "AX GF GP MQ RE YT MF".split()
)
"""EU member states; IS, LI and NO (EEA Agreement); and EU territory with a code of its own. As of 2026-11."""

_countries: Any = pycountry.countries  # pycountry has no types
_subdivisions: Any = pycountry.subdivisions


def is_country(code: str) -> bool:
    """Whether this is a country's code, or that of a province or state of Canada or the United States."""
    if code[:3] in ("CA-", "US-"):
        return _subdivisions.get(code=code) is not None
    return len(code) == 2 and code.isupper() and _countries.get(alpha_2=code) is not None


def name_of(code: str) -> str:
    """What people call it: "Quebec, Canada" for "CA-QC"; the code itself where nobody knows it."""
    country = _countries.get(alpha_2=code[:2])
    if country is None:
        return code
    name: str = getattr(country, "common_name", country.name)
    if len(code) > 2 and (part := _subdivisions.get(code=code)) is not None:
        return f"{part.name}, {name}"
    return name
