"""What a connector must not show: its secret settings."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from mapkeeper.plugin import Connector, is_secret
from mapkeeper.testing.trial import Refused, calling

SOUNDS_SECRET = re.compile(r"(?i)passw|passphrase|secret|token|credential|(?:api|private|access|account)_?key")
"""A name that only a secret has."""

_LOGIN = re.compile(r"://[^/@\s]*:(?!\*+@)([^/@\s]+)@")
"""An address with its password, unless stars stand for it."""

_OPTION = re.compile(r"[?&;]([^=&;\s]+)=([^&;\s]+)")


def settings_of(cls: Any) -> dict[str, dataclasses.Field[Any]]:
    """The settings of a connector by name."""
    if not dataclasses.is_dataclass(cls):
        raise Refused("the connector is no dataclass; decorate its class with @dataclass: its fields are its settings")
    return {setting.name: setting for setting in dataclasses.fields(cls) if setting.init}


def refuse_secrets(connector: Connector, where: str, text: str, addresses: bool = True) -> None:
    """Refuse a text that shows a secret setting of a connector, or an address with its password.

    ``addresses``: a secret that is an address may be shown once its login is cut out, or as it is where it has none.
    """
    for setting in settings_of(type(connector)).values():
        value = getattr(connector, setting.name) if is_secret(setting) else None
        if not isinstance(value, str) or not value:
            continue
        if any(part in text for part in (_within(value) if addresses and "://" in value else [value])):
            raise Refused(f"{where} shows the secret setting {setting.name!r}; leave it out")
    if _LOGIN.search(text):
        raise Refused(f"{where} shows an address with its password; declare the setting with secret(), cut it out")


def refuse_shown(connector: Connector, whose: str = "") -> None:
    """Refuse a connector whose repr or target shows a secret; ``whose`` tells which connector, in a refusal."""
    with calling("repr and target"):
        shown, target = repr(connector), str(connector.target or "")
    if not target:
        raise Refused("target is empty; return the address of the source as people know it")
    refuse_secrets(connector, f"repr{whose}", shown, addresses=False)
    refuse_secrets(connector, f"target{whose}", target)


def _within(address: str) -> Iterator[str]:
    """The secrets in an address: its password, and options that sound like one."""
    found = [
        *_LOGIN.findall(address),
        *(value for name, value in _OPTION.findall(address) if SOUNDS_SECRET.search(name)),
    ]
    for one in found:
        yield from {one, unquote(one)}
