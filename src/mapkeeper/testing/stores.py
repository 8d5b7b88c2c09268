"""Checks of stores: those of the account or server, each with the settings that would cover it."""

from __future__ import annotations

import dataclasses
from collections import Counter

from mapkeeper.plugin import Connector, Store, is_secret
from mapkeeper.testing.hiding import refuse_secrets, settings_of
from mapkeeper.testing.trial import Refused, Trial, calling, place, source_error

_CONNECTOR = "connector"
"""What an entry says beside the settings of its connector."""


def stores_can_be_covered(trial: Trial) -> None:
    """Every store once, with settings to paste, and among them the one that this source covers."""
    own = _own(trial)
    with trial.opened() as connector:
        if type(connector).stores is Connector.stores:
            return
        try:
            found: list[object] = list(connector.stores())
        except Exception as error:
            source_error(error, "stores")
            return  # the account may not list them
        with calling("store"):
            if connector.store != own:
                raise Refused("store is another once the connector is open; make it from the settings alone")
    names = [_sound(connector, store).name for store in found]
    if again := [name for name, count in Counter(names).items() if count > 1]:
        raise Refused(f"stores yields {len(again)} names more than once; yield each store once, by a name of its own")
    if own is not None and not any(name == own or name.startswith(f"{own}/") for name in names):
        raise Refused("stores does not yield the name that store has; both name a store the same way, or store is None")


def _own(trial: Trial) -> str | None:
    connector = trial.made()
    try:
        own: object = connector.store
    except Exception as error:
        raise Refused(
            f"store raised {type(error).__name__} at {place(error)} while not open; "
            "make it from the settings alone, or return None"
        ) from None
    if own is None:
        return None
    if not isinstance(own, str) or not own.strip():
        raise Refused(f"store is a {type(own).__name__} without text; give the name that stores has for it, or None")
    refuse_secrets(connector, "store", own)
    return own


def _sound(connector: Connector, store: object) -> Store:
    if not isinstance(store, Store):
        raise Refused(f"stores yielded a {type(store).__name__}; yield Store only")
    if not str(store.name or "").strip():
        raise Refused("a Store has no name; give it one that is the same from whichever source it is seen")
    takes = settings_of(type(connector))
    if strange := set(store.settings) - {*takes, _CONNECTOR}:
        raise Refused(
            f"a Store has {len(strange)} settings that the connector does not take; use the names of its fields"
        )
    for name, setting in takes.items():
        needed = setting.default is dataclasses.MISSING and setting.default_factory is dataclasses.MISSING
        if needed and not is_secret(setting) and name not in store.settings:
            raise Refused(f"a Store leaves out the setting {name!r}, without which no source covers it; add it")
    refuse_secrets(connector, "a Store", f"{store.name} {store.says} {dict(store.settings)}")
    return store
