"""The door to Presidio: its pattern recognizers as rules, with the validators that they bring.

``presidio.toml`` beside this module says what each of its entities is for us, and why some are left out. Names of
people and places are not here: Presidio finds those with a language model. Nothing here opens a connection or a file of
its own, and Presidio's logger, which can quote what it was given, is shut.
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from mapkeeper.rules import Check, Pattern, Rule

_COUNTRIES = {"uk": "GB"}
_FLAGS = {"i": 2, "m": 8, "s": 16}  # as the regex module counts them


def rules() -> Iterator[Rule]:
    """Declare a rule for each of Presidio's pattern recognizers whose entity ``presidio.toml`` gives a category.

    Importing Presidio takes about a second, so it happens here.
    """
    entities = meanings()["entity"]
    for recognizer in recognizers():
        (entity,) = recognizer.supported_entities
        if entity in entities:
            yield _rule(recognizer, entity, entities[entity])


def meanings() -> Mapping[str, Any]:
    """What ``presidio.toml`` says: ``entity`` by name, and ``left_out`` with the reason for each."""
    return tomllib.loads(files("mapkeeper_classifiers").joinpath("presidio.toml").read_text(encoding="utf-8"))


def recognizers() -> Iterator[Any]:
    """Make every ``PatternRecognizer`` that Presidio ships, those too that it leaves switched off, in order of name."""
    logging.getLogger("presidio-analyzer").disabled = True
    from presidio_analyzer import PatternRecognizer, predefined_recognizers

    for _, kind in sorted(vars(predefined_recognizers).items()):
        if isinstance(kind, type) and issubclass(kind, PatternRecognizer):
            make: Any = kind  # each fills in its own arguments
            yield make()


def _rule(recognizer: Any, entity: str, meaning: Mapping[str, Any]) -> Rule:
    country = str(getattr(type(recognizer), "COUNTRY_CODE", None) or "")
    check = _check(recognizer)
    most = meaning.get("score", 1.0)
    return Rule(
        id=f"presidio/{entity.casefold()}",
        version=version("presidio-analyzer"),
        title=meaning["title"],
        category=meaning["category"],
        entity=entity,
        find=tuple(Pattern(_spelled(p.regex, recognizer), min(p.score, most)) for p in recognizer.patterns),
        names=tuple(meaning.get("names", ())),
        context=tuple(dict.fromkeys(word.strip().casefold() for word in recognizer.context or ())),
        check=check,
        check_name=type(recognizer).__name__ if check else None,
        chance=meaning.get("chance"),
        types=frozenset(meaning.get("types", ("text",))),
        countries=(_COUNTRIES.get(country, country.upper()),) if country else (),
        identifying=meaning.get("identifying", False),
    )


def _spelled(expression: str, recognizer: Any) -> str:
    """The expression with the flags inside that Presidio hands over beside it, as far as they can matter."""
    matters = {"i": True, "m": "^" in expression or "$" in expression, "s": "." in expression}
    flags = "".join(flag for flag, bit in _FLAGS.items() if recognizer.global_regex_flags & bit and matters[flag])
    return f"(?{flags}){expression}" if flags else expression


def _check(recognizer: Any) -> Check | None:
    """What decides whether Presidio keeps a match; ``None`` where it keeps them all."""
    from presidio_analyzer import PatternRecognizer

    kind = type(recognizer)
    validates = kind.validate_result is not PatternRecognizer.validate_result
    invalidates = kind.invalidate_result is not PatternRecognizer.invalidate_result

    def holds(value: str) -> bool:
        try:
            if validates and recognizer.validate_result(value) is False:
                return False
            return not (invalidates and recognizer.invalidate_result(value))
        except Exception:
            # A validator that stumbles has not said that it holds, and its error would quote the value.
            return False

    return holds if validates or invalidates else None
