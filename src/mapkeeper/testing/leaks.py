"""The check that values stay in batches: nothing else that a connector says or leaves behind holds the canary."""

from __future__ import annotations

import io
import logging
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from mapkeeper.model import Asset
from mapkeeper.plugin import Batch, Connector, ReadPlan
from mapkeeper.testing.trial import Refused, Trial, calling

_Hear = Callable[[str, object], None]
"""Takes what was heard and where; refuses what holds the canary."""


def no_value_leaks(trial: Trial) -> None:
    """No error, gap, fact, log line, print, warning or temporary file holds the canary."""
    canary = trial.canary
    if canary is None:
        return

    def hear(where: str, said: object) -> None:
        if canary in str(said):
            raise Refused(f"{where} holds the canary, a value; say the place and what is wrong, raise from None")

    seen = False
    with _listening(hear, canary), trial.opened() as connector:
        hear("repr of the connector", repr(connector))
        hear("its target", connector.target)
        with _hearing_errors(hear, "check"):
            hear("what check yields", list(connector.check()))
        with _hearing_errors(hear, "stores"):
            hear("a store", [connector.store, *connector.stores()])
        with _hearing_errors(hear, "rights"):
            hear("rights", connector.rights())
        with calling("survey"):
            assets = list(connector.survey())
        for asset in assets:
            hear("an asset", asset)
            if asset.gap is None:
                seen |= _ask(connector, asset, hear, canary) and asset.name in trial.expect
        with calling("flows"):
            hear("a flow", list(connector.flows()))
        if trial.missing is not None:
            with _hearing_errors(hear, "open of a missing store"):
                trial.missing().open()
    if not seen:
        raise Refused("the canary was not read from any expected asset; put it into a value, or lose none")


def _ask(connector: Connector, asset: Asset, hear: _Hear, canary: str) -> bool:
    """Ask all there is to ask of an asset; whether the canary is among its values."""
    seen = False
    with _hearing_errors(hear, "mark"):
        hear("a mark", connector.mark(asset))
    with _hearing_errors(hear, "facts"):
        hear("a fact", list(connector.facts(asset)))
    with _hearing_errors(hear, "read"):
        for event in connector.read(asset, ReadPlan()):
            hear(f"repr of a {type(event).__name__}", repr(event))
            seen |= isinstance(event, Batch) and canary in str(event.data.to_pylist())
    return seen


@contextmanager
def _hearing_errors(hear: _Hear, what: str) -> Iterator[None]:
    """Listen to an error as a traceback prints it, with those behind it; whether it fits is another check's."""
    try:
        yield
    except Refused:
        raise
    except Exception as error:
        said = "".join(traceback.TracebackException.from_exception(error, limit=0).format())
        del error
    else:
        return
    hear(f"an error that {what} raised, or one behind it,", said)


@contextmanager
def _listening(hear: _Hear, canary: str) -> Iterator[None]:
    """Listen to what is logged, printed, warned of, and left in temporary files."""
    out, logged = io.StringIO(), io.StringIO()
    root = logging.getLogger()
    handler, level = logging.StreamHandler(logged), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with tempfile.TemporaryDirectory() as folder, patch.object(tempfile, "tempdir", folder):
            with redirect_stdout(out), redirect_stderr(out), warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                yield
            left = [path for path in Path(folder).rglob("*") if path.is_file()]
            if any(canary.encode() in path.read_bytes() for path in left):
                raise Refused("a temporary file that was left behind holds the canary, a value; keep values in memory")
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    hear("a log line", logged.getvalue())
    hear("what was printed", out.getvalue())
    hear("a warning", [str(one.message) for one in warned])
