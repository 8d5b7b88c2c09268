"""Checks of a connector before and while it opens: settings, targets, pickling, a store that is not there."""

from __future__ import annotations

import dataclasses
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mapkeeper.model import Reason
from mapkeeper.plugin import Connector, ReadPlan, is_secret
from mapkeeper.testing.reading import events, read
from mapkeeper.testing.trial import Refused, Trial, calling, source_error

_SOUNDS_SECRET = re.compile(r"(?i)passw|passphrase|secret|token|credential|(?:api|private|access|account)_?key")
_LOGIN = re.compile(r"://[^/@\s]*:[^/@\s]+@")

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
    connector = _made(trial)
    with calling("repr and target"):
        shown = {"repr": repr(connector), "target": str(connector.target or "")}
    if not shown["target"]:
        raise Refused("target is empty; return the address of the source as people know it")
    for setting in _settings(type(connector)).values():
        if not is_secret(setting):
            if _SOUNDS_SECRET.search(setting.name):
                raise Refused(f"setting {setting.name!r} sounds like a secret; declare it with secret()")
            continue
        value = getattr(connector, setting.name)
        for where, text in shown.items():
            # An address may be shown once its login is cut out; where it has none it is shown as it is.
            fit = where == "target" and "://" in str(value)
            if isinstance(value, str) and value and value in text and not fit:
                raise Refused(f"{where} shows the secret setting {setting.name!r}; leave it out")
    for where, text in shown.items():
        if _LOGIN.search(text):
            raise Refused(f"{where} shows an address with its password; declare the setting with secret(), cut it out")


def it_takes_any_text_for_a_target(trial: Trial) -> None:
    """``settings_for`` says None to what is not its own and raises at nothing; what it claims can be opened."""
    cls = type(_made(trial))
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
    if not set(trial.expect) <= _listed(trial, connector, "made with what settings_for returned"):
        raise Refused("what settings_for returns for the target of the trial does not reach every expected asset")


def it_pickles_before_it_is_opened(trial: Trial) -> None:
    """Another process gets a copy of the unopened connector, and assets as survey yielded them."""
    try:
        copy = pickle.loads(pickle.dumps(_made(trial)))  # noqa: S301 - our own bytes
    except Exception as error:
        raise Refused(
            f"the unopened connector does not pickle ({type(error).__name__}); a worker needs it: connect in open, "
            "keep settings only before, define the class at the top of a module"
        ) from None
    with trial.opened() as connector:
        try:
            assets = [pickle.loads(pickle.dumps(one)) for one in trial.assets(connector).values()]  # noqa: S301
        except Refused:
            raise
        except Exception as error:
            raise Refused(
                f"an asset's handle does not pickle ({type(error).__name__}); put paths or names there"
            ) from None
    # The worker never called survey: what read needs is in the handle.
    with calling("open of a pickled copy"):
        copy.open()
    try:
        for asset in assets:
            rows, told = len(read(copy, asset).rows), trial.expect[asset.name]
            if told is not None and rows != told:
                raise Refused(
                    f"a pickled copy reads {rows:,} rows where {told:,} are expected; a worker does not call survey: "
                    "put what read needs in the handle"
                )
    finally:
        with calling("close of a pickled copy"):
            copy.close()


def it_opens_and_closes_again(trial: Trial) -> None:
    """A connector can be opened after it was closed, and a reading that is given up costs nothing."""
    connector = _made(trial)
    for times in ("once", "a second time"):
        if not set(trial.expect) <= _listed(trial, connector, f"opened {times}"):
            raise Refused(f"survey does not list every expected asset when opened {times}; open must start anew")


def a_missing_store_is_a_source_error(trial: Trial) -> None:
    """A store that is not there is told by open, as a SourceError; close works afterwards."""
    if trial.missing is None:
        return
    with calling("making a connector of a missing store"):
        connector = trial.missing()
    try:
        connector.open()
    except Exception as error:
        source_error(error, "open of a missing store", {Reason.UNREACHABLE, Reason.DENIED, Reason.MISSING})
    else:
        raise Refused("open of a missing store raised nothing; raise SourceError there, not later")
    finally:
        with calling("close after a failed open"):
            connector.close()


def _made(trial: Trial) -> Connector:
    with calling("making the connector"):
        return trial.make()


def _listed(trial: Trial, connector: Connector, how: str) -> set[str]:
    """The names of the readable assets, each read up to its first batch."""
    with calling(f"open of a connector {how}"):
        connector.open()
    try:
        assets = trial.assets(connector)
        for asset in assets.values():
            for _ in events(connector, asset, ReadPlan()):
                break  # given up, as when a scan is interrupted
        return set(assets)
    finally:
        with calling(f"close of a connector {how}"):
            connector.close()


def _claimed(cls: type[Connector], text: str) -> Mapping[str, Any] | None:
    with calling("settings_for, called with any text,"):
        found = cls.settings_for(text)
        strange = set(found or ()) - set(_settings(cls))
    if strange:
        raise Refused("settings_for returned what are no settings; return a mapping from names of fields to values")
    return found


def _settings(cls: Any) -> dict[str, dataclasses.Field[Any]]:
    if not dataclasses.is_dataclass(cls):
        raise Refused("the connector is no dataclass; decorate its class with @dataclass: its fields are its settings")
    return {setting.name: setting for setting in dataclasses.fields(cls) if setting.init}
