"""Checks of settings: declared as a dataclass, secrets unseen, and recognised in what a user types."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mapkeeper.plugin import Connector, is_secret
from mapkeeper.testing.hiding import SOUNDS_SECRET, refuse_shown, settings_of
from mapkeeper.testing.trial import Refused, Trial, calling

_NONSENSE = ("", " ", "\x00", "mapkeeper-nonsense://nobody/nothing")
_ANY_TEXT = (
    *_NONSENSE,
    *("x" * 10_000, "/" * 5_000, "a\x00b", "\udcff", "🙂", "\n", "-", "--help", "*", "%zz", "~nobody", ".", "..", "//"),
    *(
        "/no/such/place/at all",
        "C:\\no\\such",
        "\\\\host\\share",
        ":",
        "://",
        "a:b:c",
        "env:",
        "file:",
        "s3://",
        "s3:///k",
    ),
    *(
        "http://[",
        "http://[::1",
        "sqlite://",
        "sqlite:///",
        "postgresql://u:p@/d",
        "postgresql://:99999999/",
        "nope+nope://x",
    ),
)


def it_is_a_dataclass_that_hides_its_secrets(trial: Trial) -> None:
    """Its fields are its settings; a secret one is declared so, and no text about the connector shows it."""
    connector = trial.made()
    refuse_shown(connector)
    for setting in settings_of(type(connector)).values():
        if not is_secret(setting) and SOUNDS_SECRET.search(setting.name):
            raise Refused(f"setting {setting.name!r} sounds like a secret; declare it with secret()")
    with trial.opened(connector):
        refuse_shown(connector, " of the open connector")


def it_takes_any_text_for_a_target(trial: Trial) -> None:
    """``settings_for`` says None to what is not its own and raises at nothing; what it claims can be opened."""
    cls = type(trial.made())
    for text in _ANY_TEXT:
        claimed = _claimed(cls, text)
        if claimed is not None and text in _NONSENSE:
            raise Refused(f"settings_for claims {text!r}; return None for what is not yours")
    if trial.target is None:
        return
    if (found := _claimed(cls, trial.target)) is None:
        raise Refused("settings_for returns None for the target of the trial; recognise it")
    with calling("making a connector with what settings_for and within returned"):
        connector = cls(**cls.within(Path.cwd(), found))
    with trial.opened(connector, " of a connector made with what settings_for returned"):
        listed = trial.assets(connector)
    if not set(trial.expect) <= set(listed):
        raise Refused("what settings_for returns for the target of the trial does not reach every expected asset")


def _claimed(cls: type[Connector], text: str) -> Mapping[str, Any] | None:
    with calling("settings_for, called with any text,"):
        found = cls.settings_for(text)
        strange = set(found or ()) - set(settings_of(cls))
    if strange:
        raise Refused("settings_for returned what are no settings; return a mapping from names of fields to values")
    return found
