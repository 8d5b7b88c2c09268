"""The proof of rules: each finds its examples, is quick on hostile text, and claims nothing that another must miss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mapkeeper.classify.strays import Stray, strays
from mapkeeper.rules import prove, slow
from mapkeeper.scan.rules import Scope


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not hold, without a word of the example that shows it."""

    rule: str  # its id
    says: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.says}"


def faults(scopes: Sequence[Scope], pattern: str | None, begun: Callable[[str], None]) -> Iterator[Fault]:
    """Prove the rules that are meant by an id or a glob; all, if none is given. ``begun`` is told what is at hand.

    A rule of one's own has to hold against the misses of all rules. An installed rule only against those of installed
    ones: what others make of it, its author could not know.
    """
    for scope in scopes:
        own = set(scope.holding.files)
        off = {rule.id for rule in scope.holding.off}
        told = [rule for rule in scope.told(pattern) if rule.id not in off]
        quick = []
        for rule in told:
            begun(rule.id)
            if says := slow(rule):
                yield from (Fault(rule.id, one) for one in says)
                continue  # its examples could take as long
            quick.append(rule.id)
            yield from (Fault(rule.id, one) for one in prove(rule))
        if not quick:
            continue
        begun("what each must miss")
        looked_at = [rule for rule in scope.holding.on if rule.id not in own or own & set(quick)]
        for stray in strays(scope.holding.on, frozenset(quick), looked_at):
            if stray.rule.id in own or stray.of.id not in own:
                yield Fault(stray.rule.id, _in_words(stray))


def _in_words(stray: Stray) -> str:
    which = "one of the misses" if stray.miss is None else f"miss {stray.miss}"
    return f"{which} of {stray.of.id} is certain to be {stray.rule.category}; ask for more, or give it as a match"
