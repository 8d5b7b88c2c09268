"""Secrets and the names of accounts: what only stands for one is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from mapkeeper.rules import Check
from mapkeeper_classifiers.words import words

_NUMBERED = re.compile(r"[\W\d_]*|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|S-1-[\d-]+")


def account(value: str) -> bool:
    """Whether it can be the name of an account: no word of the sentence around it, no bare number, UUID or SID."""
    return value.casefold() not in words("no_account") and not _NUMBERED.fullmatch(value)


def home(value: str) -> bool:
    """Whether a folder of homes belongs to an account, not to all of them."""
    return value.casefold() not in words("shared_home") and account(value)


_STANDS_FOR_A_SECRET = re.compile(
    r"\$\{.*|\$\(.*|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%?|\{\{.*|\{\w*\}|<.*|\[.*\]|.*[()]"  # variables, templates, calls
    r"|(?:os|process|config|settings|self|this|params|env|request)\..*|getenv.*"
)


def secret(value: str) -> bool:
    """Whether it can be a secret: no placeholder, mask, variable or call that stands for one."""
    bare = value.strip("\"'<>[](){}*. ").casefold()
    return bare not in words("no_secret") and len(set(bare)) > 2 and not _STANDS_FOR_A_SECRET.fullmatch(value)


def password(value: str) -> bool:
    """Whether a word after "password" is one: letters mixed with digits or signs, and `secret`."""
    mixed = any(c.isalpha() for c in value) and re.search(r"[\d!@#$%^&*+=~]", value) is not None
    return mixed and secret(value)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            account,
            home,
            secret,
            password,
        )
    }
)
