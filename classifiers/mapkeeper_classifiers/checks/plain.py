"""Plain: what some checks say of columns of texts in ASCII, in expressions of Polars.

Each says of every text what the check of the same name says, or null where only that knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from mapkeeper_classifiers.checks.vector import full

if TYPE_CHECKING:
    import polars as pl

    Says = Callable[[pl.Series], pl.Series]

OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
"""For Rust: a part of an IPv4 address, without zeros before it, as `ipaddress` takes it."""


def shaped(expression: str, drops: str = "") -> Says:
    """Says whether a text is of a shape, once what may stand between its characters is gone."""

    def says(texts: pl.Series) -> pl.Series:
        for char in drops:
            texts = texts.str.replace_all(char, "", literal=True)
        return full(texts, expression)

    return says


def known(expression: str, verdict: bool) -> Says:
    """Says the same of all texts of a shape, and nothing of others."""

    def says(texts: pl.Series) -> pl.Series:
        import polars as pl

        return pl.select(pl.when(full(texts, expression)).then(pl.lit(verdict))).to_series()

    return says


def _mac(texts: pl.Series) -> pl.Series:
    """Twelve characters, the first two not six times."""
    import polars as pl

    digits = pl.col("digits")
    frame = pl.DataFrame({"digits": texts.str.replace_all("[:.-]", "")})
    return frame.select(
        (digits.str.len_bytes() == 12) & (digits != pl.concat_str([digits.str.slice(0, 2)] * 6))
    ).to_series()


def _presidio_mac(texts: pl.Series) -> pl.Series:
    digits = texts.str.replace_all("[:.-]", "")
    return full(digits, "[0-9A-Fa-f]{12}") & ~full(digits, "0+|[Ff]+")


def _plate_of_the_uk(texts: pl.Series) -> pl.Series:
    """Of the current kind only with the two digits of a half-year; others in any case."""
    plate = texts.str.replace_all("-", "", literal=True).str.replace_all(" ", "", literal=True)
    return ~full(plate, r"(?s)[A-Za-z]{2}[0-9]{2}.{3}") | full(plate, r"(?s)..(?:0[2-9]|[1267][0-9]|5[1-9])...")


def _numbered(texts: pl.Series) -> pl.Series:
    date = r"(?:19|20)\d{2}(?:[-/.]\d{1,2}(?:[-/.]\d{1,2})?)?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{2}|\d{4})"
    return full(texts, r"(?s)(?:.*[0-9X*]){4}.*") & texts.str.contains("[0-9]") & ~full(texts, date)


def _licence_of_south_africa(texts: pl.Series) -> pl.Series:
    texts = texts.str.to_uppercase()
    length = texts.str.len_bytes()
    long = (length >= 10) & (length <= 14)
    return long & full(texts, "[0-9]{6,10}[A-Z0-9]{2,5}") & texts.str.contains("[A-Z]")


def _plate_of_south_africa(texts: pl.Series) -> pl.Series:
    """A province at its end, a letter before that."""
    plate = texts.str.replace_all("[ -]", "").str.to_uppercase()
    provinces = "(?:GP|ZN|WP|EC|NC|FS|LP|MP|NW)"
    return full(plate, f"(?s).{{3,}}{provinces}") & full(plate, f"(?s).*[A-Z].*{provinces}")


def _licence_of_the_uk(texts: pl.Series) -> pl.Series:
    """The family name in five places, filled up with nines."""
    return full(texts.str.slice(0, 5).str.to_uppercase(), r"[A-Z]+9*\n?")


def _ipv4(texts: pl.Series) -> pl.Series:
    return full(texts, rf"{OCTET}(?:\.{OCTET}){{3}}") & ~full(texts, r"(?s)255\..*|0\.0\.0\.0")


def _ipv6(texts: pl.Series) -> pl.Series:
    """RFC 4291, section 2.2: eight groups, or fewer with one run of zeros left out; none that all are zero."""
    import polars as pl

    group = "[0-9A-Fa-f]{1,4}"
    whole = full(texts, f"{group}(?::{group}){{7}}")
    cut = full(texts, f"(?:{group}(?::{group})*)?::(?:{group}(?::{group})*)?")
    cut &= texts.str.count_matches(group) <= 7
    held = (whole | cut) & ~full(texts, "[0:]+") & ~full(texts, "[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){7}")
    # With an IPv4 address at its end, or a zone, it is for the library.
    return pl.select(pl.when(~texts.str.contains(r"[.%]")).then(held)).to_series()


SAYS: Mapping[str, Says] = MappingProxyType(
    {
        "ipv4": _ipv4,
        "ipv6": _ipv6,
        "mac": _mac,
        "numbered": _numbered,
        "presidio.crypto": known(r"(?s)[13].*[^1-9A-HJ-NP-Za-km-z].*", False),  # a digit that base58 does not have
        "presidio.in_vehicle_registration": known("[A-Za-z0-9 -]+", True),
        "presidio.ip_address": known(rf"{OCTET}(?:\.{OCTET}){{3}}", True),
        "presidio.it_fiscal_code": known("[A-Za-z0-9]+", True),
        "presidio.kr_driver_license": shaped("(?:1[1-9]|2[0-68])[0-9]{10}", drops="- "),
        "presidio.kr_frn": shaped("[0-9]{13}", drops="-"),
        "presidio.kr_rrn": shaped("[0-9]{13}", drops="-"),
        "presidio.mac_address": _presidio_mac,
        "presidio.tr_license_plate": shaped("(?s)(?:0[1-9]|[1-7][0-9]|8[01]).+|.{0,2}|[^0-9].*|.[^0-9].*", drops="- "),
        "presidio.uk_driving_licence": _licence_of_the_uk,
        "presidio.uk_vehicle_registration": _plate_of_the_uk,
        "presidio.za_driver_license": _licence_of_south_africa,
        "presidio.za_income_tax_number": shaped("[01239][0-9]{9}"),
        "presidio.za_license_plate": _plate_of_south_africa,
        "presidio.za_passport": shaped("[ADMTadmt][0-9]{8}"),
    }
)
"""By the name of a check, what it says; ``presidio.`` and the entity for Presidio's."""
