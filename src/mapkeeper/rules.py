"""Rules: what recognizes an entity, as data. A classifier declares them, the engine runs them.

A rule says what its values look like in three ways, each optional: ``find`` recognizes a value anywhere in
a text by itself; ``fit`` is what a whole value must look like where the field's name already speaks for the rule;
``values`` is a closed list (sexes, marital states). ``names`` and ``context`` are the words that speak for it.
A group named ``value`` in a ``find`` regex is the value; without one the whole match is. A pack is a TOML file of
rules with their examples inside; `prove` runs the examples.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import regex

from mapkeeper.errors import RuleError

Check = Callable[[str], bool]

TYPES = frozenset({"text", "integer", "number", "date", "time", "boolean", "binary"})
"""The types of field a rule can ask for; an engine maps the store's types to these."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that finds a value in a text, and how far a lone match is to be believed (0 to 1)."""

    regex: str
    score: float


@dataclass(frozen=True, slots=True)
class Rule:
    """Recognizes one entity. All texts are matched case-sensitively unless a regex says ``(?i)``."""

    id: str  # "standard/contact/email"
    version: str
    title: str
    category: str  # a key of mapkeeper.categories
    entity: str  # "EMAIL_ADDRESS"
    find: tuple[Pattern, ...] = ()
    fit: str | None = None  # a regex for the whole value
    values: frozenset[str] = frozenset()  # casefolded
    names: tuple[str, ...] = ()  # words of a field's name, lower case, space-separated: "date of birth", "dob"
    context: tuple[str, ...] = ()  # words near a value, in its line, table or neighbours' names
    check: Check | None = field(default=None, repr=False, compare=False)
    check_name: str | None = None
    chance: float | None = None  # share of random texts of the pattern that pass the check
    types: frozenset[str] = frozenset({"text"})
    countries: tuple[str, ...] = ()  # ISO 3166-1, where the rule belongs to some
    identifying: bool = False  # replaced by a keyed token where a name or path holds it
    match: tuple[str, ...] = ()  # examples that it recognizes
    miss: tuple[str, ...] = ()  # and near ones that it must not

    @property
    def ref(self) -> str:
        """Id and version, as findings quote it."""
        return f"{self.id}@{self.version}"

    @property
    def weak(self) -> bool:
        """Whether a match says little by itself: the engine asks for context before it looks."""
        return self.check is None and all(pattern.score < 0.3 for pattern in self.find)


def load(text: str, pack: str, checks: Mapping[str, Check], known_categories: frozenset[str]) -> Iterator[Rule]:
    """Read the rules of a TOML pack; ``pack`` is their common prefix: "standard/contact".

    Raises:
        RuleError: names the pack, the rule, the key and what it should be.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{pack}: not valid TOML: {error}") from None
    for number, raw in enumerate(data.get("rule", ()), 1):
        yield _rule(raw, f"{pack}/{raw.get('id', f'rule {number}')}", checks, known_categories)


def load_package(package: str, prefix: str, checks: Mapping[str, Check], known: frozenset[str]) -> Iterator[Rule]:
    """Read every ``*.toml`` pack that ships beside a package's modules, in order of name."""
    for entry in sorted(files(package).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            pack = f"{prefix}/{entry.name.removesuffix('.toml')}"
            yield from load(entry.read_text(encoding="utf-8"), pack, checks, known)


_LISTS = ("names", "context", "countries", "match", "miss")
_KEYS = frozenset({*_LISTS, "id", "version", "title", "category", "entity", "find", "score", "fit", "values"})
_KEYS |= {"check", "chance", "types", "identifying"}


def _rule(raw: Mapping[str, Any], id: str, checks: Mapping[str, Check], known: frozenset[str]) -> Rule:
    def refuse(what: str) -> RuleError:
        return RuleError(f"rule {id}: {what}")

    for key in raw:
        if key not in _KEYS:
            raise refuse(f"unknown key {key!r}; known are {', '.join(sorted(_KEYS))}")
    for key in ("id", "title", "category", "entity", "match", "miss"):
        if not raw.get(key):
            raise refuse(f"{key} is missing or empty")
    if raw["category"] not in known:
        raise refuse(f"{raw['category']!r} is no category")
    if (name := raw.get("check")) is not None and name not in checks:
        raise refuse(f"check {name!r} is not among {', '.join(sorted(checks))}")
    if wrong := set(raw.get("types", ())) - TYPES:
        raise refuse(f"types {', '.join(sorted(wrong))} are not among {', '.join(sorted(TYPES))}")
    find = raw.get("find", ())
    if isinstance(find, str):
        find = (find,)
    score = float(raw.get("score", 0.5))
    for expression in (*find, *filter(None, [raw.get("fit")])):
        try:
            regex.compile(expression)
        except regex.error as error:
            raise refuse(f"not a regular expression: {error}") from None
    if not (find or raw.get("fit") or raw.get("values")):
        raise refuse("needs find, fit or values")
    return Rule(
        id=id,
        version=str(raw.get("version", 1)),
        title=raw["title"],
        category=raw["category"],
        entity=raw["entity"],
        find=tuple(Pattern(expression, score) for expression in find),
        fit=raw.get("fit"),
        values=frozenset(value.casefold() for value in raw.get("values", ())),
        check=checks[name] if name is not None else None,
        check_name=name,
        chance=raw.get("chance"),
        types=frozenset(raw.get("types", ("text",))),
        identifying=raw.get("identifying", False),
        **{key: tuple(raw.get(key, ())) for key in _LISTS},
    )


def recognizes(rule: Rule, text: str) -> bool:
    """Whether a rule, left alone with a text as a field's whole value, recognizes something in it.

    The plain meaning of a rule, one regex at a time; the engine must come to the same.
    """
    for pattern in rule.find:
        for found in regex.finditer(pattern.regex, text):
            value = found["value"] if "value" in found.groupdict() else found.group()
            if value and (rule.check is None or rule.check(value)):
                return True
    if rule.fit and regex.fullmatch(rule.fit, text) and (rule.check is None or rule.check(text)):
        return True
    return text.strip().casefold() in rule.values


def prove(rule: Rule) -> list[str]:
    """Run a rule's own examples; returns what fails, in words, without quoting the examples."""
    failures = [f"match {n} is not recognized" for n, text in enumerate(rule.match, 1) if not recognizes(rule, text)]
    failures += [f"miss {n} is recognized" for n, text in enumerate(rule.miss, 1) if recognizes(rule, text)]
    return failures
