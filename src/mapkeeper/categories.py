"""The categories of personal data: dotted keys, and what each is in the vocabularies and laws of the field.

The table is ``categories.csv`` beside this module; its head names the sources.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of personal data. Columns that do not apply are empty."""

    key: str  # "contact.email"
    title: str  # "E-mail address"
    dpv: str  # term of https://w3id.org/dpv/pd#
    fides: str  # fideslang data category
    enisa: str  # base class of the ENISA severity methodology: S, B, F or X
    gdpr_article: str  # "8", "9", "10", "87", "88" or ""
    cpra_sensitive: bool
    hipaa: str  # Safe Harbor letter, or "PHI"
    lgpd_notifiable: str  # "financial", "authentication", "sensitive", "minors" or ""
    law25_sensitive: str  # "y" by nature, "c" by context, "" not
    cnil: str  # box of the CNIL basic register
    edpb: str  # data type letter of the EDPB breach template

    @property
    def special(self) -> str | None:
        """``art9`` or ``art10`` where the GDPR sets the category apart, else ``None``."""
        return {"9": "art9", "10": "art10"}.get(self.gdpr_article)

    @property
    def unsampled(self) -> bool:
        """Whether no sample of its values may be kept, not even a masked one."""
        return self.special is not None or self.key.startswith("credential.")


@cache
def categories() -> Mapping[str, Category]:
    """Every category by key, in the order of the table."""
    text = files("mapkeeper").joinpath("categories.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    table = {}
    for row in rows:
        key = row.pop("category")
        table[key] = Category(key=key, cpra_sensitive=row.pop("cpra_sensitive") == "y", **row)
    return MappingProxyType(table)
