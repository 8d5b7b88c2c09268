"""Finds plug-ins by entry point: connectors, classifiers, readers of rule files. The built-in ones come in likewise."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Protocol, cast, get_args, get_type_hints

from mapkeeper.categories import categories
from mapkeeper.errors import MapkeeperError, PluginError, RuleError
from mapkeeper.plugin import Classifier, Connector, is_secret
from mapkeeper.rules import Foreign, Rule

CONNECTORS = "mapkeeper.connectors"
CLASSIFIERS = "mapkeeper.classifiers"
RULE_FILES = "mapkeeper.rule_files"


class RuleReader(Protocol):
    """Reads rules from a file of another tool's: what an entry point of ``mapkeeper.rule_files`` names."""

    def __call__(self, text: str, name: str, prefix: str, entities: Mapping[str, str]) -> Foreign:
        """Make rules of a file.

        Args:
            text: What it holds.
            name: What people call it; errors begin with it.
            prefix: Of the ids of its rules: "globex/recognizers".
            entities: The category of every entity that is known.

        Raises:
            RuleError: names the file, the rule, the key; which entities have no category.
        """
        ...


@dataclass(frozen=True, slots=True)
class Plugin:
    """An installed plug-in, loaded or not."""

    kind: str  # "connector" or "classifier"
    name: str
    distribution: str
    version: str
    module: str
    says: str  # first line of its docstring, the number of its rules, or why it cannot be loaded
    works: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an installed rule comes from."""

    classifier: str
    distribution: str
    version: str
    file: str  # the pack, or the module that declares it


def catalogue() -> Mapping[str, Callable[[], Mapping[str, bool]]]:
    """For every installed connector, what gives its settings by name and whether each is secret."""
    return {entry.name: partial(settings, entry.name) for entry in entry_points(group=CONNECTORS)}


def connector(name: str) -> type[Connector]:
    """The connector of this name. Raises PluginError where it is not installed or cannot be loaded."""
    entries = {entry.name: entry for entry in entry_points(group=CONNECTORS)}
    if name not in entries:
        close = get_close_matches(name, entries, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"installed are {', '.join(sorted(entries))}"
        raise PluginError(f"connector {name!r} is not installed; {hint}")
    return _connector(entries[name])


def settings(name: str) -> Mapping[str, bool]:
    """A connector's settings by name, and whether each is secret."""
    return {field.name: is_secret(field) for field in dataclasses.fields(_dataclass(connector(name))) if field.init}


def connect(name: str, given: Mapping[str, Any], folder: Path) -> Connector:
    """Make a connector, not yet open, with settings as they stand in a workspace; secrets already looked up.

    Raises PluginError where a setting is missing or is not what the connector takes.
    """
    cls = connector(name)
    required = {
        field.name
        for field in dataclasses.fields(_dataclass(cls))
        if field.init and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    if missing := sorted(required - set(given)):
        raise PluginError(f"connector {name!r} needs the setting {missing[0]!r}")
    _check_types(name, cls, given)
    try:
        return cls(**cls.within(folder, given))
    except MapkeeperError:
        raise
    except Exception as error:  # its text may quote a setting
        raise PluginError(f"connector {name!r} does not take these settings ({type(error).__name__})") from None


_PLAIN = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _check_types(name: str, cls: type[Connector], given: Mapping[str, Any]) -> None:
    """Refuse what is of another type than the connector declares, as far as that is a plain one."""
    hints = get_type_hints(cls)
    for key, value in given.items():
        declared = [one for one in (get_args(hints.get(key)) or (hints.get(key),)) if one is not type(None)]
        if value is None or not declared or not all(one in _PLAIN for one in declared):
            continue
        if not any(type(value) is one or (one is float and type(value) is int) for one in declared):
            wanted = " or ".join(_PLAIN[one] for one in declared)
            raise PluginError(f"connector {name!r}: {key} must be {wanted}")


def for_target(target: str) -> tuple[str, Mapping[str, Any]] | None:
    """Which connector reaches what a user typed, and with which settings.

    Raises PluginError where none does and one could not be asked.
    """
    broken: PluginError | None = None
    for entry in sorted(entry_points(group=CONNECTORS), key=lambda entry: entry.name):
        try:
            if (found := _connector(entry).settings_for(target)) is not None:
                return entry.name, found
        except PluginError as error:
            broken = broken or error
    if broken is not None:
        raise broken
    return None


def rules() -> list[Rule]:
    """The rules of every installed classifier. Raises PluginError or RuleError: a scan with half its rules lies."""
    return [rule for rule, _ in declared()]


def declared() -> list[tuple[Rule, Origin]]:
    """The rules of every installed classifier, and where each comes from. Raises what `rules` raises."""
    known = categories()
    found: dict[str, tuple[Rule, Origin]] = {}
    for entry in _classifiers():
        name, version = _distribution(entry)
        package = entry.module.partition(".")[0]
        packs = dict(_packs(files(package), package))
        for rule in _rules(entry):
            if rule.id in found:
                raise RuleError(f"rule {rule.id} is declared twice, the second time by classifier {entry.name!r}")
            if rule.category not in known:
                raise RuleError(f"rule {rule.id}: {rule.category!r} is no category")
            file = packs.get(rule.id.rpartition("/")[0].rpartition("/")[2], f"{entry.module.replace('.', '/')}.py")
            found[rule.id] = rule, Origin(entry.name, name, version, file)
    return list(found.values())


def rule_reader(format: str) -> RuleReader:
    """What reads rule files of a format. Raises PluginError where it is not installed or cannot be loaded."""
    for entry in entry_points(group=RULE_FILES, name=format):
        return cast("RuleReader", _load(entry))
    raise PluginError(f"no installed plug-in reads rules of {format!r}; install mapkeeper anew")


def _packs(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    """The packs of a package by name: a pack gives its name to the ids of its rules."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _packs(entry, f"{path}/{entry.name}")
        elif entry.name.endswith(".toml"):
            yield entry.name.removesuffix(".toml"), f"{path}/{entry.name}"


def _classifiers() -> list[EntryPoint]:
    return sorted(entry_points(group=CLASSIFIERS), key=lambda entry: entry.name)


def _distribution(entry: EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist is not None else ("?", "?")


def plugins() -> Iterator[Plugin]:
    """Every installed plug-in; one that cannot be loaded says why."""
    for kind, group in (("connector", CONNECTORS), ("classifier", CLASSIFIERS)):
        for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
            try:
                if kind == "connector":
                    says = (_connector(entry).__doc__ or "").strip().split("\n")[0]
                else:
                    count = len(_rules(entry))
                    says = f"{count} rule{'s' if count != 1 else ''}"
                works = True
            except (PluginError, RuleError) as error:
                says, works = str(error), False
            name, version = _distribution(entry)
            yield Plugin(kind, entry.name, name, version, entry.value, says, works)


def _connector(entry: EntryPoint) -> type[Connector]:
    loaded = _load(entry)
    if isinstance(loaded, type) and issubclass(loaded, Connector) and hasattr(loaded, "__dataclass_fields__"):
        return loaded
    raise PluginError(f"connector {entry.name!r} ({entry.value}) is no dataclass that extends Connector")


def _rules(entry: EntryPoint) -> Sequence[Rule]:
    loaded = _load(entry)
    if not callable(loaded):
        raise PluginError(f"classifier {entry.name!r} ({entry.value}) is not a function that returns rules")
    return _declared(cast("Classifier", loaded))


@cache
def _declared(classifier: Classifier) -> Sequence[Rule]:
    """What a classifier declares: the same as long as the process lives, and slow to come by."""
    return tuple(classifier())


def _load(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as error:
        by = f" of {entry.dist.name} {entry.dist.version}" if entry.dist is not None else ""
        raise PluginError(
            f"plug-in {entry.name!r} ({entry.value}){by} cannot be loaded: {error}; mend or uninstall it"
        ) from error


def _dataclass(cls: type[Connector]) -> Any:
    """Every connector is a dataclass, which its base class cannot tell a type checker."""
    return cls
