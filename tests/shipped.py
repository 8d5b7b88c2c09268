"""The rules that come with mapkeeper, and an engine of them: read and made once, as that takes seconds."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from mapkeeper import discover
from mapkeeper.classify import Engine
from mapkeeper.classify.ruleset import Ruleset
from mapkeeper.classify.weights import Weights, Words
from mapkeeper.rules import Rule
from mapkeeper_classifiers import presidio, standard


@functools.cache
def standard_rules() -> tuple[Rule, ...]:
    """Those of our packs."""
    return tuple(standard.rules())


@functools.cache
def presidio_rules() -> tuple[Rule, ...]:
    """Those of Presidio's recognizers."""
    return tuple(presidio.rules())


@functools.cache
def engine() -> Engine:
    """An engine of all of them. It keeps no value, so that tests cannot disturb each other."""
    return Engine([*standard_rules(), *presidio_rules()])


def ruleset(rules: Iterable[Rule], words: Words, weights: Weights) -> Ruleset:
    """What an engine is made of: made once where it is of the installed rules and of no other, else anew.

    An installed rule is the same object as long as the process lives, so each is told from its like by its address.
    """
    asked = tuple(map(id, rules := tuple(rules)))
    if asked == tuple(map(id, discover.rules())):
        return _of_installed(asked, words.text, weights.text)
    return Ruleset(rules, words, weights)


@functools.cache
def _of_installed(addresses: tuple[int, ...], words: str, weights: str) -> Ruleset:
    """Of what is installed now, and of what is shipped: engines take no other words and weights."""
    return Ruleset(discover.rules(), Words.shipped(), Weights.shipped())
