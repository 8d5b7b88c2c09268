"""What a connector must not show: its secret settings."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from mapkeeper.plugin import Connector, is_secret
from mapkeeper.testing.trial import Refused

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


def refuse_secrets(connector: Connector, where: str, text: str) -> None:
    """Refuse a text that shows a secret setting of a connector, or an address with its password.

    An address may be shown once its login is cut out; where it has none it is shown as it is.
    """
    for name, value in _secrets(connector):
        if any(part in text for part in (_within(value) if "://" in value else [value])):
            raise Refused(f"{where} shows the secret setting {name!r}; leave it out")
    if _LOGIN.search(text):
        raise Refused(f"{where} shows an address with its password; declare the setting with secret(), cut it out")


def refuse_settings(connector: Connector, where: str, text: str) -> None:
    """Refuse a text that shows a secret setting of a connector, be it an address without a login."""
    for name, value in _secrets(connector):
        if value in text:
            raise Refused(f"{where} shows the secret setting {name!r}; leave it out")
    refuse_secrets(connector, where, text)


def _secrets(connector: Connector) -> Iterator[tuple[str, str]]:
    for setting in settings_of(type(connector)).values():
        value = getattr(connector, setting.name) if is_secret(setting) else None
        if isinstance(value, str) and value:
            yield setting.name, value


def _within(address: str) -> Iterator[str]:
    """The secrets in an address: its password, and options that sound like one."""
    found = [*_LOGIN.findall(address), *(value for name, value in _OPTION.findall(address) if SOUNDS_SECRET.search(name))]
    for one in found:
        yield from {one, unquote(one)}
