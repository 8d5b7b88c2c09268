"""The engines of a scan: one for all clients to whom the same rules apply."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from mapkeeper.classify import Engine
from mapkeeper.classify.people import People
from mapkeeper.config import OwnRules
from mapkeeper.rules import Rule
from mapkeeper.scan.rules import Rulebook

_KEPT = 16
"""Engines that are kept in a process, some 2 MB each; the one asked for longest ago is let go, and made again."""


class Engines:
    """The engine of each client, made when it is asked for.

    Goes to another process as the texts of the rules and is made again there: checks cannot go with it.
    """

    def __init__(self, own: Mapping[str | None, OwnRules]) -> None:
        """``own``: by client, the rules that hold beside the installed ones; ``None`` where no client is meant."""
        self._own = dict(own)
        self._made: dict[tuple[OwnRules, bool], Engine] = {}
        self._people = People()  # one for all: a language model is large

    def __reduce__(self) -> tuple[type[Engines], tuple[dict[str | None, OwnRules]]]:
        return Engines, (self._own,)

    def prepare(self) -> None:
        """Do what takes longest, before anybody waits for an answer."""
        self[next(iter(self._own))]

    def __getitem__(self, client: str | None) -> Engine:
        """What finds personal data of a client. Raises RuleError where a rule is wrong."""
        own = self._own[client]
        return self._engine((own, False), lambda: self._rulebook.holding(own).on)

    def for_names(self, client: str | None) -> Engine:
        """What replaces names: with the rules that are switched off, as who is not looked for is not kept either."""
        holding = self._rulebook.holding(own := self._own[client])
        if not any(rule.identifying for rule in holding.off):
            return self[client]
        return self._engine((own, True), lambda: holding)

    def _engine(self, key: tuple[OwnRules, bool], rules: Callable[[], Iterable[Rule]]) -> Engine:
        engine = self._made.pop(key, None) or Engine(rules(), self._people)
        self._made[key] = engine  # the last, as it was asked for last
        if len(self._made) > _KEPT:
            del self._made[next(iter(self._made))]
        return engine

    @cached_property
    def _rulebook(self) -> Rulebook:
        return Rulebook()
