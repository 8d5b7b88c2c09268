"""The case for names of people in running text: what a language model saw in a sample, weighed against chance."""

from __future__ import annotations

from mapkeeper.classify.case import Case
from mapkeeper.classify.chance import divergence
from mapkeeper.classify.evidence import Seen
from mapkeeper.classify.table import Table
from mapkeeper.classify.tally import InText
from mapkeeper.classify.weights import Weights
from mapkeeper.rules import Rule

CATEGORY = "identity.name"


def in_text(found: InText, seen: Seen, table: Table, weights: Weights, otherwise: bool) -> Case:
    """What is claimed of a field by whom its sample names.

    Args:
        found: What the language model saw.
        seen: The field.
        table: Where it stands.
        weights: The judgement's numbers.
        otherwise: Whether the field's name clearly says something else.
    """
    told = seen.told
    cells = max(found.likely, round(told * found.likely / found.drawn))
    tally = found.names
    tally.hits = tally.tried = tally.proved = min(told, cells)
    tally.valid = float(tally.hits)
    case = Case(_rule(found.model), tally, seen, table, weights)
    case.limit = min(case.limit, weights["limits", "people"])
    case.add(weights["people", "start"])
    case.why.append(
        f"names of people in {found.likely} of {found.running} sampled texts (language model {found.model})"
    )
    if not found.all:
        case.why.append(f"so in some {tally.hits} of {told} cells, extrapolated")
    case.add(min(weights["people", "most"], max(_gain(found, weights))))
    different = tally.distinct.count()
    if different < weights["values", "few_distinct"] and found.running >= weights["values", "few_cells"]:
        case.add(weights["values", "few_values"], "too few values to be sure")
        case.limit = min(case.limit, weights["limits", "few_values"])
    if otherwise:
        case.add(weights["names", "other"], "the name says something else")
    if table.thing is not None:
        case.add(weights["tables", "things_values"], f"in a table of {table.thing}")
    return case


def _gain(found: InText, weights: Weights) -> tuple[float, float]:
    """How far above chance likely names are, and certain ones, in nats: the exponent of Chernoff's bound."""
    gains = []
    for count, chance in (
        (found.likely, weights["people", "chance"]),
        (found.certain, weights["people", "chance_certain"]),
    ):
        rate = count / found.running
        gains.append(found.running * divergence(rate, chance) if rate > chance else 0.0)
    return gains[0], gains[1]


def _rule(model: str) -> Rule:
    name, _, version = model.partition("@")
    return Rule(f"ner/{name}", version, "Name of a person in running text", CATEGORY, "PERSON")
