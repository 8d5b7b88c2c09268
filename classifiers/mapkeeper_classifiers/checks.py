"""Checks: functions that say whether a value, found by its shape, holds together.

A pack names them by key. Keys with a dot are modules of python-stdnum (``fr.nir`` is ``stdnum.fr.nir``); it and
phonenumbers are imported when a check first runs. A check whose rule states no ``chance`` is a filter: it throws
out what looks alike but proves nothing about what is left.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from types import MappingProxyType

from mapkeeper.rules import Check


@dataclass(frozen=True, slots=True)
class Number:
    """A check of python-stdnum, imported when first asked."""

    module: str  # below ``stdnum``: "fr.nir"

    def __call__(self, value: str) -> bool:
        """Whether the library takes the value for a number of this kind."""
        return bool(import_module(f"stdnum.{self.module}").is_valid(value))


NUMBERS = (
    "at.vnr", "be.nn", "bg.egn", "bic", "bitcoin", "br.cpf", "ca.sin", "ch.ssn", "cz.rc", "de.idnr", "dk.cpr",
    "ee.ik", "es.dni", "es.nie", "fi.hetu", "fr.nir", "gb.nhs", "gr.amka", "hr.oib", "iban", "ie.pps", "imei",
    "in_.aadhaar", "in_.pan", "it.codicefiscale", "jp.in_", "kr.rrn", "mx.curp", "nl.bsn", "no.fodselsnummer",
    "pl.pesel", "pt.nif", "ro.cnp", "se.personnummer", "us.ssn", "za.idnr",
)  # fmt: skip


@cache
def _words(name: str) -> frozenset[str]:
    """A list of ``words.toml``."""
    return frozenset(tomllib.loads(files("mapkeeper_classifiers").joinpath("words.toml").read_text("utf-8"))[name])


_ISSUERS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}"  # Visa
    r"|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners Club
    r"|6(?:011|4[4-9]\d|5\d{2})\d{12}"  # Discover
    r"|(?:2131|1800|35\d{3})\d{11}"  # JCB
    r"|62\d{14,17}"  # UnionPay
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}"  # Maestro
)


def card(value: str) -> bool:
    """Whether a known issuer's prefix, a length that it uses and the Luhn digit go together."""
    digits = value.replace(" ", "").replace("-", "")
    return bool(_ISSUERS.fullmatch(digits)) and len(set(digits)) > 1 and _luhn(digits)


def _luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B; digits may be of any script, which python-stdnum refuses."""
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0


def phone(value: str) -> bool:
    """Whether a number in international form is one that its country could have given out."""
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value))
    except phonenumbers.NumberParseException:
        return False


@cache
def _top_level_domains() -> frozenset[str]:
    from tldextract import TLDExtract

    # Without addresses and cache it reads the list that ships with the library: no network, no files.
    known = TLDExtract(cache_dir=None, suffix_list_urls=()).tlds
    return frozenset(suffix.rpartition(".")[2] for suffix in known) | _words("private_domain")


def mail_domain(value: str) -> bool:
    """Whether an e-mail address ends in a domain that exists, or in one that people use inside their own networks."""
    domain = value.rpartition("@")[2].lower()
    if ".." in domain or value.startswith("://"):
        return False
    return "." not in domain or domain.rpartition(".")[2] in _top_level_domains()


def ipv4(value: str) -> bool:
    """Whether it is four octets that a host may have: no netmask, not 0.0.0.0."""
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        return False
    return not address.is_unspecified and not value.startswith("255.")


def ipv6(value: str) -> bool:
    """Whether it is an IPv6 address of a host; eight pairs of digits are taken for a hardware address."""
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return not address.is_unspecified and not re.fullmatch(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){7}", value)


def mac(value: str) -> bool:
    """Whether it is six octets, not all the same."""
    digits = re.sub(r"[:.-]", "", value)
    return len(digits) == 12 and len({digits[i : i + 2] for i in range(0, 12, 2)}) > 1


_VIN_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def vin(value: str) -> bool:
    """Whether the ninth character is the check digit of a vehicle identification number (ISO 3779, 49 CFR 565)."""
    value = value.upper()
    try:
        total = sum(int(_VIN_VALUES.get(c, c)) * w for c, w in zip(value, _VIN_WEIGHTS, strict=True))
    except ValueError:
        return False
    return len(set(value)) > 3 and not value.isdigit() and value[8] == "0123456789X"[total % 11]


_NUMBERED = re.compile(r"[\W\d_]*|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|S-1-[\d-]+")


def account(value: str) -> bool:
    """Whether it can be the name of an account: no word of the sentence around it, no bare number, UUID or SID."""
    return value.casefold() not in _words("no_account") and not _NUMBERED.fullmatch(value)


def home(value: str) -> bool:
    """Whether a folder of homes belongs to an account, not to all of them."""
    return value.casefold() not in _words("shared_home") and account(value)


_STANDS_FOR_A_SECRET = re.compile(
    r"\$\{.*|\$\(.*|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%?|\{\{.*|\{\w*\}|<.*|\[.*\]|.*[()]"  # variables, templates, calls
    r"|(?:os|process|config|settings|self|this|params|env|request)\..*|getenv.*"
)


def secret(value: str) -> bool:
    """Whether it can be a secret: no placeholder, mask, variable or call that stands for one."""
    bare = value.strip("\"'<>[](){}*. ").casefold()
    return bare not in _words("no_secret") and len(set(bare)) > 2 and not _STANDS_FOR_A_SECRET.fullmatch(value)


def numbered(value: str) -> bool:
    """Whether it has the digits of a number that somebody was given, and is no date or time."""
    return len(re.findall(r"[\dX*]", value)) > 3 and any(c.isdigit() for c in value) and not _DATE.fullmatch(value)


_DATE = re.compile(r"(?:19|20)\d{2}(?:[-/.]\d{1,2}(?:[-/.]\d{1,2})?)?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{2}|\d{4})")


def password(value: str) -> bool:
    """Whether a word after "password" is one: letters mixed with digits or signs, and `secret`."""
    mixed = any(c.isalpha() for c in value) and re.search(r"[\d!@#$%^&*+=~]", value) is not None
    return mixed and secret(value)


def latitude_longitude(value: str) -> bool:
    """Whether two numbers, with a comma or white space between, lie on the globe and not at its zero point."""
    try:
        latitude, longitude = map(float, re.split(r"[\s,;]+", value.strip("() ")))
    except ValueError:
        return False
    return abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0.0, 0.0)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {name: Number(name) for name in NUMBERS}
    | {
        function.__name__: function
        for function in (
            card,
            phone,
            mail_domain,
            ipv4,
            ipv6,
            mac,
            vin,
            account,
            home,
            secret,
            password,
            numbered,
            latitude_longitude,
        )
    }
)
"""Every check by the name that a pack gives it."""
