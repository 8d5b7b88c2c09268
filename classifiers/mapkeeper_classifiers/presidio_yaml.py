"""Presidio's YAML files as rules: a user's own recognizers, read and validated by Presidio itself.

Both of its forms are read: the list that ``RecognizerRegistry.add_recognizers_from_yaml`` takes, and the
configuration of ``RecognizerRegistryProvider``, alone or inside that of the whole analyzer
(https://microsoft.github.io/presidio/analyzer/recognizer_registry_provider/). Custom recognizers become rules. Of
predefined ones there are rules already: one that is enabled changes nothing, one that is not switches them off.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from mapkeeper.errors import RuleError
from mapkeeper.rules import Foreign, Pattern, Rule
from mapkeeper_classifiers import presidio

_FLAGS = {"IGNORECASE": 2, "MULTILINE": 8, "DOTALL": 16}
_USUAL = sum(_FLAGS.values())

_BESIDE = frozenset({"global_regex_flags", "version"})
"""Keys of a custom recognizer that only ``PatternRecognizer`` itself takes."""

_BY_PATTERN = tuple(f"presidio_analyzer.predefined_recognizers.{part}." for part in ("generic", "country_specific"))
"""Where the recognizers are that need no language model."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One recognizer of a file."""

    called: str
    conf: Mapping[str, Any]
    where: str  # as errors begin
    custom: bool

    @property
    def enabled(self) -> bool:
        return self.conf.get("enabled", True) is not False


def read(text: str, name: str, prefix: str, entities: Mapping[str, str]) -> Foreign:
    """Make rules of a YAML file of Presidio's.

    Args:
        text: What the file holds.
        name: What people call it; errors begin with it.
        prefix: Of the ids of its rules.
        entities: The category of every entity that is known.

    Raises:
        RuleError: names the file, the recognizer, the key; or every entity that has no category.
    """
    logging.getLogger("presidio-analyzer").disabled = True
    registry = _registry(text, name)
    entries = list(_entries(registry["recognizers"], name))
    predefined = [entry for entry in entries if not entry.custom]
    off = _recognized(entry for entry in predefined if not entry.enabled)
    off -= _recognized(entry for entry in predefined if entry.enabled)
    made = {entry.where: _recognizers(entry, registry) for entry in entries if entry.custom and entry.enabled}
    mine = [entry for entry in entries if entry.where in made]
    found = dict.fromkeys(made[entry.where][0].supported_entities[0] for entry in mine)
    if unknown := [entity for entity in found if entity not in entities]:
        wanted = ", ".join(f'{entity} = "…"' for entity in unknown)
        raise RuleError(f"{name}: no rule says which category {unknown[0]} is; say it in [rules.entities]: {wanted}")
    rules: dict[str, Rule] = {}
    for entry in mine:
        rule = _rule(_free(prefix, entry, rules), entry, made[entry.where], entities)
        rules[rule.id] = rule
    return Foreign(tuple(rules.values()), frozenset(off), tuple(_notes(mine, off, name)))


def _registry(text: str, name: str) -> Mapping[str, Any]:
    """The part of a file that lists recognizers."""
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise RuleError(f"{name}: not valid YAML{f', line {mark.line + 1}' if mark else ''}") from None
    if isinstance(data, dict) and isinstance(data.get("recognizer_registry"), dict):
        data = data["recognizer_registry"]
    if not isinstance(data, dict) or not isinstance(data.get("recognizers"), list) or not data["recognizers"]:
        raise RuleError(f"{name}: holds no list 'recognizers', as Presidio's files do")
    return {"supported_languages": None, "global_regex_flags": _USUAL, **data}


def _entries(listed: Sequence[Any], name: str) -> Iterator[_Entry]:
    """The recognizers of a file, by Presidio's own rules of what is custom."""
    for number, one in enumerate(listed):
        conf = {"name": one} if isinstance(one, str) else one
        if not isinstance(conf, dict):
            raise RuleError(f"{name}: recognizers[{number}] is neither a name nor a table")
        conf = {key: value for key, value in conf.items() if value is not None}
        called = str(conf.get("name") or conf.get("supported_entity") or f"recognizer {number + 1}")
        where = f"{name}: recognizers[{number}] {called!r}"
        kind = conf.get("type", "custom" if conf.keys() & {"patterns", "deny_list"} else "predefined")
        if kind not in ("custom", "predefined"):
            raise RuleError(f"{where}: type is neither 'custom' nor 'predefined'")
        yield _Entry(called, conf, where, kind == "custom")


def _recognizers(entry: _Entry, registry: Mapping[str, Any]) -> Sequence[Any]:
    """Have Presidio validate and make a custom recognizer: one for each of its languages."""
    from presidio_analyzer.input_validation.yaml_recognizer_models import CustomRecognizerConfig
    from presidio_analyzer.recognizer_registry.recognizers_loader_utils import RecognizerListLoader
    from pydantic import ValidationError

    conf = {"name": entry.called, "type": "custom", **entry.conf}
    if isinstance(several := conf.pop("supported_entities", None), list) and several:
        conf.setdefault("supported_entity", several[0])  # as Presidio does
    flags = conf.get("global_regex_flags", registry["global_regex_flags"])
    if type(flags) is not int or flags & ~_USUAL:
        known = ", ".join(f"{bit} ({flag})" for flag, bit in _FLAGS.items())
        raise RuleError(f"{entry.where}: global_regex_flags is not the sum of some of {known}")
    try:
        valid: Any = CustomRecognizerConfig(**conf).model_dump()
        spoken = [one if isinstance(one, str) else one["language"] for one in valid["supported_languages"] or ()]
        languages = [*filter(None, [valid["supported_language"]]), *spoken] or registry["supported_languages"] or ["en"]
        listed: Any = [valid]  # declared to be something else
        return list(RecognizerListLoader.get(listed, languages, flags))
    except ValidationError as errors:
        raise RuleError(f"{entry.where}: {_in_words(errors)}") from None
    except (TypeError, ValueError) as error:
        raise RuleError(f"{entry.where}: {_without_values(str(error))}") from None


def _in_words(errors: Any) -> str:
    first = errors.errors(include_url=False, include_input=False)[0]
    path = ".".join(map(str, first["loc"]))
    return f"{path}: {_without_values(first['msg'])}" if path else _without_values(first["msg"])


def _without_values(said: str) -> str:
    """What Presidio says, in one line, but not the pattern that it says it of."""
    return " ".join(re.sub(r": [{\[].*", "", said.removeprefix("Value error, "), flags=re.DOTALL).split())


def _rule(id: str, entry: _Entry, recognizers: Sequence[Any], entities: Mapping[str, str]) -> Rule:
    first, conf = recognizers[0], entry.conf
    (entity,) = first.supported_entities
    context = [*conf.get("context", ()), *(word for one in recognizers for word in one.context or ())]
    country = str(conf.get("country_code", ""))
    return Rule(
        id=id,
        version=str(conf.get("version", 1)),
        title=entry.called,
        category=entities[entity],
        entity=entity,
        find=tuple(Pattern(presidio._spelled(regex, first), score) for regex, score in _find(first)),
        values=frozenset(word.strip().casefold() for word in first.deny_list if first.global_regex_flags & 2),
        context=tuple(dict.fromkeys(word.strip().casefold() for word in context)),
        types=frozenset({"text", "integer"}),  # Presidio is shown numbers as texts
        countries=(presidio._COUNTRIES.get(country, country.upper()),) if country else (),
    )


def _find(recognizer: Any) -> Iterator[tuple[str, float]]:
    """A recognizer's expressions. Words of a deny list are found as Presidio finds them, without looking around."""
    words = [word for word in recognizer.deny_list if re.fullmatch(r"\w(.*\w)?", word, re.DOTALL)]
    for pattern in recognizer.patterns:
        if pattern.name != "deny_list" or not recognizer.deny_list:
            yield pattern.regex, pattern.score
            continue
        if words:
            yield rf"\b(?:{'|'.join(map(re.escape, words))})\b", pattern.score
        if others := [word for word in recognizer.deny_list if word not in set(words)]:
            yield recognizer._deny_list_to_regex(others).regex, pattern.score


def _free(prefix: str, entry: _Entry, taken: Mapping[str, Rule]) -> str:
    """An id after the recognizer's name; where that is taken, with a number."""
    word = re.sub(r"\W+", "-", entry.called.casefold()).strip("-") or "recognizer"
    ids = [f"{prefix}/{word}", *(f"{prefix}/{word}-{number}" for number in range(2, len(taken) + 2))]
    return next(id for id in ids if id not in taken)


def _recognized(predefined: Iterable[_Entry]) -> set[str]:
    """What predefined recognizers recognize, as far as they need no language model."""
    from presidio_analyzer.recognizer_registry.recognizers_loader_utils import (
        PredefinedRecognizerNotFoundError,
        RecognizerListLoader,
    )

    found: set[str] = set()
    for entry in predefined:
        try:
            kind: Any = RecognizerListLoader.get_existing_recognizer_cls(entry.conf.get("class_name", entry.called))
        except PredefinedRecognizerNotFoundError:
            raise RuleError(f"{entry.where}: is no recognizer of Presidio's; write it as patterns") from None
        if any(above.__module__.startswith(_BY_PATTERN) for above in kind.__mro__):
            found.update(kind().supported_entities)  # each fills in its own arguments
    return found


def _notes(custom: Sequence[_Entry], off: Set[str], name: str) -> Iterator[str]:
    from presidio_analyzer.input_validation.yaml_recognizer_models import CustomRecognizerConfig

    if off:
        yield f"{name}: rules are off for what it disables: {', '.join(sorted(off))}"
    if any(entry.conf.keys() & {"supported_language", "supported_languages"} for entry in custom):
        yield f"{name}: languages are not told apart: its recognizers look at every text"
    if any("score_thresholds" in entry.conf for entry in custom):
        yield f"{name}: score_thresholds mean nothing here: how sure a finding is, is judged"
    for entry in custom:
        if strange := entry.conf.keys() - set(CustomRecognizerConfig.model_fields) - _BESIDE:
            yield f"{entry.where}: Presidio knows no key {', '.join(sorted(map(str, strange)))}"
