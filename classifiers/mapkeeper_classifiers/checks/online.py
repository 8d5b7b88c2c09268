"""Addresses of the network: mail, IP, hardware."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from mapkeeper.rules import Check
from mapkeeper_classifiers.checks.formulas import quick
from mapkeeper_classifiers.words import words


@cache
def _top_level_domains() -> frozenset[str]:
    from tldextract import TLDExtract

    # Without addresses and cache it reads the list that ships with the library: no network, no files.
    known = TLDExtract(cache_dir=None, suffix_list_urls=()).tlds
    return frozenset(suffix.rpartition(".")[2] for suffix in known) | words("private_domain")


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


_CHECKS: Mapping[str, Check] = {"mail_domain": mail_domain, "ipv4": ipv4, "ipv6": ipv6, "mac": mac}

CHECKS: Mapping[str, Check] = MappingProxyType({name: quick(name, check) for name, check in _CHECKS.items()})
