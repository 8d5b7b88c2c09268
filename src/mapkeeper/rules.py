"""Rules: what recognizes an entity, as data. A classifier declares them, the engine runs them.

A rule says what its values look like in three ways, each optional: ``find`` recognizes a value anywhere in
a text by itself; ``fit`` is what a whole value must look like where the field's name already speaks for the rule;
``values`` is a closed list (sexes, marital states). ``names`` and ``context`` are the words that speak for it.
A group named ``value`` in a ``find`` regex is the value; without one the whole match is. A pack is a TOML file of
rules with their examples inside; `prove` runs the examples.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import regex

from mapkeeper.errors import RuleError

Check = Callable[[str], bool]
"""Says whether a value holds together. One that also has ``many(values)``, for a Polars series of texts to an array
of booleans, is asked for all values at once."""

CHANCY = 0.01
"""Share of random values that a check lets pass, from which a match says little by itself."""

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
    everywhere: bool = False  # looked for in every text as long as it has a check, however little that proves
    match: tuple[str, ...] = ()  # examples that it recognizes
    miss: tuple[str, ...] = ()  # and near ones that it must not

    @property
    def ref(self) -> str:
        """Id and version, as findings quote it."""
        return f"{self.id}@{self.version}"

    @property
    def weak(self) -> bool:
        """Whether a match says little by itself: the engine asks for context before it looks."""
        if any(pattern.score >= 0.3 for pattern in self.find):
            return False
        return self.check is None or (not self.everywhere and (self.chance or 0.0) >= CHANCY)


@dataclass(frozen=True, slots=True)
class Foreign:
    """What a file of another tool's says, in our terms."""

    rules: tuple[Rule, ...] = ()
    off: frozenset[str] = frozenset()  # entities that the installed rules are not to recognize
    notes: tuple[str, ...] = ()  # what of it has no meaning here, a sentence each


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


def load_file(text: str, name: str, pack: str, checks: Mapping[str, Check], known: frozenset[str]) -> list[Rule]:
    """Read a pack that a user wrote: `load`, but nothing is taken for granted, and errors begin with the file's name.

    Raises:
        RuleError: names the file, the rule, the key and what it should be.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{name}: not valid TOML: {error}") from None
    if stray := set(data) - {"rule"}:
        raise RuleError(f"{name}: unknown key {min(stray)!r}; a pack is a list of [[rule]]")
    raws = data.get("rule")
    if not isinstance(raws, list) or not raws or not all(isinstance(raw, dict) for raw in raws):
        raise RuleError(f"{name}: holds no rule; a pack is a list of [[rule]]")
    for number, raw in enumerate(raws, 1):
        for key, value in raw.items():
            if key in _FORMS and not _FORMS[key][1](value):
                raise RuleError(
                    f"{name}: rule {pack}/{raw.get('id', f'rule {number}')}: {key} must be {_FORMS[key][0]}"
                )
    try:
        return list(load(text, pack, checks, known))
    except RuleError as error:
        raise RuleError(f"{name}: {error}") from None


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


_FORMS: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "id": (
        "a word of letters, digits, '.', '_' and '-'",
        lambda v: isinstance(v, str) and bool(regex.fullmatch(r"[\w.-]+", v)),
    ),
    "version": ("a whole number or a text", lambda v: isinstance(v, int | str) and not isinstance(v, bool)),
    "find": ("a text or a list of texts", lambda v: isinstance(v, str) or _are_texts(v)),
    "score": ("a number from 0 to 1", _is_share),
    "chance": ("a number from 0 to 1", _is_share),
    **dict.fromkeys(("identifying", "everywhere"), ("true or false", lambda v: isinstance(v, bool))),
    **dict.fromkeys(("title", "category", "entity", "fit", "check"), ("a text", lambda v: isinstance(v, str))),
    **dict.fromkeys(
        ("values", "names", "context", "types", "countries", "match", "miss"), ("a list of texts", _are_texts)
    ),
}
"""What the keys of a rule hold, in words and as a test."""


_LISTS = ("names", "context", "countries", "match", "miss")
_KEYS = frozenset({*_LISTS, "id", "version", "title", "category", "entity", "find", "score", "fit", "values"})
_KEYS |= {"check", "chance", "types", "identifying", "everywhere"}


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
        everywhere=raw.get("everywhere", False),
        **{key: tuple(raw.get(key, ())) for key in _LISTS},
    )


def found(rule: Rule, text: str) -> Iterator[str]:
    """What a rule, left alone with a text as a field's whole value, finds in it.

    The plain meaning of a rule, one regex at a time; the engine must come to the same.
    """
    for pattern in rule.find:
        for match in regex.finditer(pattern.regex, text):
            value = match["value"] if "value" in match.groupdict() else match.group()
            if value and (rule.check is None or rule.check(value)):
                yield value
    if rule.fit and regex.fullmatch(rule.fit, text) and (rule.check is None or rule.check(text)):
        yield text
    if text.strip().casefold() in rule.values:
        yield text


def recognizes(rule: Rule, text: str) -> bool:
    """Whether a rule finds anything in a text."""
    return next(found(rule, text), None) is not None


def prove(rule: Rule) -> list[str]:
    """Run a rule's own examples; returns what fails, in words, without quoting the examples."""
    failures = [f"match {n} is not recognized" for n, text in enumerate(rule.match, 1) if not recognizes(rule, text)]
    failures += [f"miss {n} is recognized" for n, text in enumerate(rule.miss, 1) if recognizes(rule, text)]
    return failures


_REPEATS = 300
"""How often a hostile text repeats a piece: enough for an expression that takes cubic time to be felt."""

_ALWAYS = ("0", "a", "A", " ", "-", ".", "0 ", "a ")
"""Pieces to repeat for a rule without examples."""

_MOST = 24
"""Pieces of a rule's examples that are repeated."""


def slow(rule: Rule, seconds: float = 0.25) -> list[str]:
    """Try a rule's expressions on hostile texts; returns which take longer, in words, without quoting them."""
    texts = [*(piece * _REPEATS + "\x00" for piece in _ALWAYS), *_hostile(rule.match)]
    named = [(f"find {number}", pattern.regex) for number, pattern in enumerate(rule.find, 1)]
    failures = []
    for name, expression in (*named, *([("fit", rule.fit)] if rule.fit else [])):
        compiled = regex.compile(expression)
        try:
            for text in texts:
                compiled.search(text, timeout=seconds)
                compiled.fullmatch(text, timeout=seconds)
        except TimeoutError:
            failures.append(f"{name} is slow on hostile text; its repeats must not match the same text")
    return failures


def _hostile(examples: Iterable[str]) -> Iterator[str]:
    """Texts that begin like an example, repeat a piece of it, break off, and end almost like one."""
    seen: set[str] = set()
    for example in examples:
        for end in range(1, len(example) + 1):
            for piece in (example[end - 1 : end], example[max(0, end - 2) : end]):
                # Digits are alike to an expression, and so are letters: one of a kind is enough.
                kind = regex.sub(r"[a-z]", "a", regex.sub(r"[A-Z]", "A", regex.sub(r"\d", "0", piece)))
                if kind not in seen and len(seen) < _MOST:
                    seen.add(kind)
                    yield f"{example[:end]}{piece * _REPEATS}\x00{example}\x00"
