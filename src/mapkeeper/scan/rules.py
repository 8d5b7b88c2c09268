"""The rules that hold for each client: the installed ones, the workspace's and its own, but those switched off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from mapkeeper import discover
from mapkeeper.categories import categories
from mapkeeper.config import OwnRules, RuleFile, Workspace, nearest
from mapkeeper.errors import RuleError
from mapkeeper.rules import Check, Foreign, Rule, load_file


@dataclass(frozen=True, slots=True)
class Holding:
    """The rules that hold, and those that would."""

    on: tuple[Rule, ...]
    off: tuple[Rule, ...]
    files: Mapping[str, str]  # of the rules that are not installed, by id, the file they stand in
    origins: Mapping[str, discover.Origin]  # of those that are
    notes: tuple[str, ...] = ()  # what has no meaning in some file

    def __iter__(self) -> Iterator[Rule]:
        yield from self.on
        yield from self.off


class Rulebook:
    """Puts rules together, each set once."""

    def __init__(self) -> None:
        declared = discover.declared()
        self._installed = [rule for rule, _ in declared]
        self._origins = {rule.id: origin for rule, origin in declared}
        self._known: dict[OwnRules, Holding] = {}

    def holding(self, own: OwnRules) -> Holding:
        """What holds beside the installed rules, put together with them.

        Raises:
            RuleError: names the file, the rule, the key.
        """
        if own not in self._known:
            self._known[own] = self._holding(own)
        return self._known[own]

    def _holding(self, own: OwnRules) -> Holding:
        rules, files = {rule.id: rule for rule in self._installed}, dict[str, str]()
        off, notes = set[str](), list[str]()
        for file in own.files:
            read = self._read(file, own, rules.values())
            notes += read.notes
            off |= {rule.id for rule in self._installed if rule.entity in read.off}
            for rule in read.rules:
                if rule.id in rules:
                    raise RuleError(
                        f"{file.name}: rule {rule.id} is there already, in {files.get(rule.id, 'a plug-in')}"
                    )
                rules[rule.id], files[rule.id] = rule, file.name
        for where, pattern in own.off:
            meant = {id for id in rules if fnmatchcase(id, pattern)}
            if not meant:
                raise RuleError(f"{where}: {pattern!r} is no rule{nearest(pattern, rules)}")
            off |= meant
        on = tuple(rule for rule in rules.values() if rule.id not in off)
        return Holding(on, tuple(rules[id] for id in rules if id in off), files, self._origins, tuple(notes))

    def _read(self, file: RuleFile, own: OwnRules, rules: Iterable[Rule]) -> Foreign:
        if file.format == "toml":
            known = frozenset(categories())
            return Foreign(tuple(load_file(file.text, file.name, file.prefix, self._checks, known)))
        for entity, category in own.entities:
            if category not in categories():
                raise RuleError(f"rules.entities.{entity}: {category!r} is the beginning of several; give one of them")
        entities = {**{rule.entity: rule.category for rule in rules}, **dict(own.entities)}
        return discover.rule_reader(file.format)(file.text, file.name, file.prefix, entities)

    @cached_property
    def _checks(self) -> dict[str, Check]:
        """What a rule of one's own may name as its check: those of the installed rules."""
        return {rule.check_name: rule.check for rule in self._installed if rule.check and rule.check_name}


@dataclass(frozen=True, slots=True)
class Scope:
    """Rules that hold together, and those of them that are told of here, as each is told of once."""

    client: str | None  # None: those that hold for all clients
    holding: Holding
    here: frozenset[str]  # ids

    def told(self, pattern: str | None) -> list[Rule]:
        """Those that are told of here, and meant by an id, with or without version, or by a glob of ids."""
        rules = (rule for rule in self.holding if rule.id in self.here)
        return [rule for rule in rules if pattern in (None, rule.ref) or fnmatchcase(rule.id, pattern or "*")]


def scopes(workspace: Workspace | None, client: str | None) -> list[Scope]:
    """The rules of a workspace, or the installed ones: those of all clients, and what differs for each.

    With a client, all that hold for it, and nothing else.

    Raises:
        RuleError: names the file, the rule, the key.
    """
    book = Rulebook()
    if workspace is not None and client is not None:
        return [_scope(client, book.holding(workspace.rules_of(client)), None)]
    common = book.holding(OwnRules() if workspace is None else workspace.rules)
    clients = () if workspace is None else [(id, workspace.rules_of(id)) for id in workspace.clients]
    apart = (_scope(id, book.holding(own), common) for id, own in clients)
    return [_scope(None, common, None), *(scope for scope in apart if scope.here)]


def _scope(client: str | None, holding: Holding, common: Holding | None) -> Scope:
    """The rules that hold for a client; told of are those that are new or off, as against what holds for all."""
    here = {rule.id for rule in holding}
    if common is not None:
        here -= {rule.id for rule in common} - ({rule.id for rule in holding.off} - {rule.id for rule in common.off})
    return Scope(client, holding, frozenset(here))
