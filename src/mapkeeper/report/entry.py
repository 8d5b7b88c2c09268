"""A ``[[source]]`` entry for a store that no source covers, to be pasted into a client's file."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import MISSING, Field
from typing import Any

from mapkeeper.plugin import Store, is_secret
from mapkeeper.report.cells import visible

_LONGEST_ID = 63


def suggested_id(store: Store, connector: str, taken: Collection[str]) -> str:
    """An id after the last word of a store's name: "acme-logs" for "s3://acme-logs"; numbered where it is taken."""
    last = store.name.rstrip("/").rpartition("/")[2].lower()
    word = re.sub(r"[^a-z0-9_]+", "-", last).strip("-_")[:_LONGEST_ID] or connector
    number, id = 1, word
    while id in taken:
        number += 1
        id = f"{word[: _LONGEST_ID - 1 - len(str(number))]}-{number}"
    return id


def entry(id: str, connector: str, settings: Iterable[Field[Any]], store: Store, like: Mapping[str, Any]) -> str:
    """The entry as TOML, every secret as a reference.

    Args:
        id: of the source.
        connector: its name.
        settings: the connector's, as a dataclass has them.
        store: what it is to cover.
        like: the settings of the source that the store was seen from: its references to secrets hold here, too.
    """
    lines = ["[[source]]", f"id = {_toml(id)}", f"connector = {_toml(connector)}"]
    if store.says:
        lines.insert(1, f"# {visible(store.says)}")
    for setting in (one for one in settings if one.init):
        key, told = setting.name, store.settings.get(setting.name)
        needed = setting.default is MISSING and setting.default_factory is MISSING
        if not is_secret(setting):
            if told is not None:
                lines.append(f"{key} = {_toml(told)}")
        elif told is not None:
            remark = f"{visible(told)}{', with the password' if '://' in str(told) else ''}"
            lines.append(f"{key} = {_toml(_variable(id, key))}  # {remark}")
        elif key in like:
            lines.append(f"{key} = {_toml(like[key])}")
        elif needed:
            lines.append(f"{key} = {_toml(_variable(id, key))}")
    return "\n".join(lines) + "\n"


def _variable(id: str, key: str) -> str:
    name = f"{id}_{key}".replace("-", "_").upper()
    return f"env:{name}" if name.isidentifier() else f"env:SOURCE_{name}"


def _toml(value: Any) -> str:
    """A value as TOML writes it; TOML forbids control characters, and what cannot be seen is better spelt out."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_toml(str(key))} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    text = json.dumps(str(value), ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08X}" for one in text)
