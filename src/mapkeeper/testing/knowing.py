"""Checks of what a connector knows without reading: assets, facts, flows."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterable

from mapkeeper.model import Asset, Fact, Flow, Gap, Kind, Reason
from mapkeeper.testing.trial import Refused, Trial, calling

_FLOWS = ("declared", "configured", "derived", "inferred")
_UNKNOWN = frozenset({"", "-", "?", "n/a", "na", "none", "null", "unknown", "undefined"})


def survey_lists_what_lies_there(trial: Trial) -> None:
    """Every asset once, in a stable order, with a name and an id; what is not known is None."""
    surveys = []
    for _ in range(2):
        with trial.opened() as connector, calling("survey"):
            surveys.append(list(connector.survey()))
    first, second = surveys
    for number, asset in enumerate(first, 1):
        _refuse_misfit(asset, f"asset {number} of the survey", trial.canary)
    if [asset.name for asset in first] != [asset.name for asset in second]:
        raise Refused("survey lists other names or another order the second time; sort, and make no name up by chance")
    if first != second:
        raise Refused("survey tells other things of an unchanged asset the second time")
    for what, counted in (
        ("name", Counter(asset.name for asset in first)),
        ("namespace and dataset", Counter((asset.namespace, asset.dataset) for asset in first)),
    ):
        if again := [number for number in counted.values() if number > 1]:
            raise Refused(f"survey yields {sum(again)} assets that share a {what}; each asset has its own")
    listed = {asset.name: asset for asset in first}
    readable = {asset.name for asset in first if asset.gap is None}
    for name in trial.expect:
        if name not in listed:
            raise Refused(f"survey does not list {name!r}, which is expected")
        if name not in readable:
            raise Refused(f"survey yields {name!r} with a gap although it is expected to be readable")
    for name in trial.unreadable:
        if name not in listed:
            raise Refused(f"survey passes over {name!r}, which cannot be read; what is seen is an asset, with a gap")
    if others := len(readable - set(trial.expect) - set(trial.unreadable)):
        raise Refused(
            f"survey yields {others} readable assets that are not expected; tell them in expect, or leave them out"
        )


def facts_and_flows_say_how_they_are_known(trial: Trial) -> None:
    """A fact has a name, a plain value and a method; a flow one of the kinds; what is unknown is None."""
    with trial.opened() as connector:
        for asset in trial.assets(connector).values():
            with calling("facts"):
                facts: Iterable[object] = list(connector.facts(asset))
            for fact in facts:
                if not isinstance(fact, Fact):
                    raise Refused(f"facts yielded a {type(fact).__name__}; yield Fact only")
                if not fact.name or not fact.method:
                    raise Refused("a fact has no name or no method; say what it is and how it was learned")
                if not isinstance(fact.value, str | int | float | bool | None):
                    raise Refused(
                        f"fact {fact.name!r} holds a {type(fact.value).__name__}; give text, a number or a bool"
                    )
                if isinstance(fact.value, str) and fact.value.strip().casefold() in _UNKNOWN:
                    raise Refused(f"fact {fact.name!r} holds a word for unknown; use None: asked, and it does not say")
        with calling("flows"):
            flows: Iterable[object] = list(connector.flows())
        for flow in flows:
            if not isinstance(flow, Flow):
                raise Refused(f"flows yielded a {type(flow).__name__}; yield Flow only")
            if flow.kind not in _FLOWS or not 0 <= flow.confidence <= 1 or not (flow.source and flow.target):
                raise Refused(f"a flow needs two ends, a confidence of 0 to 1 and a kind: {', '.join(_FLOWS)}")


def _refuse_misfit(asset: object, which: str, canary: str | None) -> None:
    if not isinstance(asset, Asset):
        raise Refused(f"survey yielded a {type(asset).__name__}; yield Asset only")
    for noun in ("name", "namespace", "dataset"):
        value = getattr(asset, noun)
        if not isinstance(value, str) or not value.strip():
            raise Refused(f"{which} has no {noun}; name and OpenLineage id (namespace, dataset) are never empty")
    if not isinstance(asset.kind, Kind):
        raise Refused(f"{which} has no kind; use a member of Kind")
    for noun in ("rows", "bytes"):
        total = getattr(asset, noun)
        if total is not None and (not isinstance(total, int) or total < 0):
            raise Refused(f"{which} has a total of {noun} that is no count; use None where the store does not tell")
    if asset.objects < 1:
        raise Refused(f"{which} has fewer than 1 objects; a table or a file is one, a family as many as it has")
    gap: object = asset.gap
    if gap is not None and not (isinstance(gap, Gap) and gap.reason in set(Reason)):
        raise Refused(f"{which} has a gap without a reason code; use Gap with a member of Reason")
    try:
        handle = pickle.dumps(asset.handle)
    except Exception as error:
        raise Refused(
            f"the handle of {which} does not pickle ({type(error).__name__}); put paths or names there"
        ) from None
    if canary is not None and canary.encode() in handle:
        raise Refused(f"the handle of {which} carries a value; survey reads no contents: put paths or names there")
