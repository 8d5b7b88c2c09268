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
from mapkeeper_classifiers.checks.formulas import quick

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
    """Make every ``PatternRecognizer`` that Presidio ships, those too that it leaves switched off, in order of name.

    The one for e-mail addresses asks the network for the list of public suffixes, so it is given the list that
    tldextract ships.
    """
    logging.getLogger("presidio-analyzer").disabled = True
    from presidio_analyzer import PatternRecognizer, predefined_recognizers
    from tldextract import TLDExtract

    class EmailRecognizer(predefined_recognizers.EmailRecognizer):
        domains = TLDExtract(suffix_list_urls=(), cache_dir=None)

        def validate_result(self, pattern_text: str) -> bool:
            return bool(self.domains(pattern_text).fqdn)

    for _, kind in sorted(vars(predefined_recognizers).items()):
        if isinstance(kind, type) and issubclass(kind, PatternRecognizer):
            make: Any = EmailRecognizer if kind is predefined_recognizers.EmailRecognizer else kind
            yield make()  # each fills in its own arguments


def _rule(recognizer: Any, entity: str, meaning: Mapping[str, Any]) -> Rule:
    country = str(getattr(type(recognizer), "COUNTRY_CODE", None) or "")
    check = _check(recognizer)
    words = (*(recognizer.context or ()), *meaning.get("context", ()))
    return Rule(
        id=f"presidio/{entity.casefold()}",
        version=version("presidio-analyzer"),
        title=meaning["title"],
        category=meaning["category"],
        entity=entity,
        find=tuple(_find(recognizer, meaning)),
        names=tuple(meaning.get("names", ())),
        context=tuple(dict.fromkeys(word.strip().casefold() for word in words)),
        check=quick(f"presidio.{entity.casefold()}", check) if check else None,
        check_name=type(recognizer).__name__ if check else None,
        chance=meaning.get("chance"),
        types=frozenset(meaning.get("types", ("text",))),
        countries=(_COUNTRIES.get(country, country.upper()),) if country else (),
        identifying=meaning.get("identifying", False),
        everywhere=check is not None,
    )


def _find(recognizer: Any, meaning: Mapping[str, Any]) -> Iterator[Pattern]:
    best = max(pattern.score for pattern in recognizer.patterns)
    most = meaning.get("score", best)
    for number, pattern in enumerate(recognizer.patterns, 1):
        if number not in meaning.get("without", ()):
            score = most if pattern.score == best else min(pattern.score, most)
            for expression in (
                _ends(pattern.regex) if recognizer.supported_entities == ["IBAN_CODE"] else [pattern.regex]
            ):
                yield Pattern(_spelled(expression, recognizer), score)


def _ends(expression: str) -> Iterator[str]:
    """An expression as often as it has groups: its value is all of it, or ends with an earlier group.

    Where the check refuses an IBAN, Presidio tries it again without its last group, which may be the next word.
    """
    ahead, tail = expression.index("("), expression.rindex("(?!")
    start = expression.index(")", ahead) + 1  # what must not stand before
    ends = [start + end for end in _closed(expression[start:tail])]
    for end in reversed(ends):
        yield f"{expression[:start]}(?P<value>{expression[start:end]}){expression[end:]}"


def _closed(expression: str) -> Iterator[int]:
    """Where each outermost group of an expression ends."""
    depth = 0
    for at, char in enumerate(expression):
        depth += (char == "(") - (char == ")")
        if char == ")" and depth == 0:
            yield at + 1


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
            if validates and (said := recognizer.validate_result(value)) is not None and not said:
                return False
            return not (invalidates and recognizer.invalidate_result(value))
        except Exception:
            # A validator that stumbles has not said that it holds, and its error would quote the value.
            return False

    return holds if validates or invalidates else None
