"""What a check is worth against chance."""

from __future__ import annotations

import math

from mapkeeper.classify.tally import RuleTally
from mapkeeper.classify.weights import Weights
from mapkeeper.rules import Rule


def worth(rule: Rule, chance: float, tally: RuleTally, weights: Weights) -> tuple[float | None, str]:
    """What a check adds, in nats, with the reason in words; ``None``: it holds no more often than chance.

    The gain is the exponent of Chernoff's bound: random values reach such a rate with a probability of e^-gain
    at the most.
    """
    # Each distinct value is one trial, however many cells hold it and however many a cell holds.
    trials, proofs = tally.trials.outcome()
    trials = max(1, trials)
    rate = min(1.0, proofs / trials)
    name = (rule.check_name or "check").replace("_", " ")
    told = f"check '{name}' holds for {proofs} of {trials} values, chance would give {round(trials * chance)}"
    chance = min(max(chance, 1e-4), 0.9999)  # so that no logarithm is infinite
    gain = trials * divergence(rate, chance) if rate > chance else 0.0
    weak = max((pattern.score for pattern in rule.find), default=1.0) < weights["values", "weak"]
    least = weights["values", "least_lift_weak" if weak else "least_lift"]
    crowd = chance >= weights["values", "lift_chance"] and not tally.supported
    crowd = crowd and (rate - chance) / (1 - chance) < least
    enough = trials > weights["values", "few_trials"] or rate <= chance
    if crowd or (enough and gain < weights["values", "least_gain"]):
        return None, told
    # A check that most values pass says little, however many they are: counters that begin alike all pass it.
    return min(weights["values", "check"] * (1 - chance), gain), told


def divergence(rate: float, chance: float) -> float:
    """Kullback-Leibler divergence of two rates, in nats a trial."""
    gain = rate * math.log(rate / chance) if rate > 0 else 0.0
    return gain + ((1 - rate) * math.log((1 - rate) / (1 - chance)) if rate < 1 else 0.0)
