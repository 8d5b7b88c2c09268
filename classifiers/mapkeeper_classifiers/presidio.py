"""The door to Presidio: its pattern recognizers as rules, with the validators that they bring.

``presidio.toml`` beside this module says what each of its entities is for us, and why some are left out;
``recognizers.toml`` has what they look for, so that Presidio itself is imported by the first value that only one of
its validators can judge. Names of people and places are not here: Presidio finds those with a language model. Nothing
here opens a connection or a file of its own, and Presidio's logger, which can quote what it was given, is shut.
"""

from __future__ import annotations

import ipaddress
import logging
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from mapkeeper.rules import Check, Pattern, Rule
from mapkeeper_classifiers.checks.formulas import quick
from mapkeeper_classifiers.recognizers import Recognizer, Recognizers

_COUNTRIES = {"uk": "GB"}
_FLAGS = {"i": 2, "m": 8, "s": 16}  # as the regex module counts them


class _Flagged(Protocol):
    """What has expressions, and the flags to compile them with: a recognizer of ours or Presidio's."""

    @property
    def global_regex_flags(self) -> int: ...


def rules() -> Iterator[Rule]:
    """Declare a rule for each of Presidio's pattern recognizers whose entity ``presidio.toml`` gives a category."""
    entities = meanings()["entity"]
    shipped = Recognizers.shipped()
    for recognizer in shipped.each:
        yield _rule(recognizer, shipped.version, entities[recognizer.entity])


def meanings() -> Mapping[str, Any]:
    """What ``presidio.toml`` says: ``entity`` by name, and ``left_out`` with the reason for each."""
    return tomllib.loads(files("mapkeeper_classifiers").joinpath("presidio.toml").read_text(encoding="utf-8"))


def recognizers() -> Iterator[Any]:
    """Make every ``PatternRecognizer`` that Presidio ships, those too that it leaves switched off, in order of name."""
    for make in _kinds().values():
        yield make()  # each fills in its own arguments


@cache
def _kinds() -> Mapping[str, Any]:
    """The classes of Presidio's pattern recognizers, by name.

    Importing Presidio takes about a second, so it happens here. The one for e-mail addresses asks the network for the
    list of public suffixes, so it is given the list that tldextract ships.
    """
    logging.getLogger("presidio-analyzer").disabled = True
    from presidio_analyzer import PatternRecognizer, predefined_recognizers

    class EmailRecognizer(predefined_recognizers.EmailRecognizer):
        def validate_result(self, pattern_text: str) -> bool:
            return _ends_in_a_domain(pattern_text)

    there = sorted(vars(predefined_recognizers).items())
    kinds = {name: kind for name, kind in there if isinstance(kind, type) and issubclass(kind, PatternRecognizer)}
    return {**kinds, "EmailRecognizer": EmailRecognizer}


def _rule(recognizer: Recognizer, version: str, meaning: Mapping[str, Any]) -> Rule:
    entity, country = recognizer.entity, recognizer.country
    words = (*recognizer.context, *meaning.get("context", ()))
    return Rule(
        id=f"presidio/{entity.casefold()}",
        version=version,
        title=meaning["title"],
        category=meaning["category"],
        entity=entity,
        find=tuple(_find(recognizer, meaning)),
        names=tuple(meaning.get("names", ())),
        context=tuple(dict.fromkeys(word.strip().casefold() for word in words)),
        check=quick(f"presidio.{entity.casefold()}", _check(recognizer)) if recognizer.checks else None,
        check_name=recognizer.kind if recognizer.checks else None,
        chance=meaning.get("chance"),
        types=frozenset(meaning.get("types", ("text",))),
        countries=(_COUNTRIES.get(country, country.upper()),) if country else (),
        identifying=meaning.get("identifying", False),
        everywhere=recognizer.checks,
    )


def _find(recognizer: Recognizer, meaning: Mapping[str, Any]) -> Iterator[Pattern]:
    best = max(pattern.score for pattern in recognizer.patterns)
    most = meaning.get("score", best)
    for number, pattern in enumerate(recognizer.patterns, 1):
        if number not in meaning.get("without", ()):
            score = most if pattern.score == best else min(pattern.score, most)
            for expression in _ends(pattern.regex) if recognizer.entity == "IBAN_CODE" else [pattern.regex]:
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


def _spelled(expression: str, recognizer: _Flagged) -> str:
    """The expression with the flags inside that Presidio hands over beside it, as far as they can matter."""
    matters = {"i": True, "m": "^" in expression or "$" in expression, "s": "." in expression}
    flags = "".join(flag for flag, bit in _FLAGS.items() if recognizer.global_regex_flags & bit and matters[flag])
    return f"(?{flags}){expression}" if flags else expression


@cache
def _domains() -> Callable[[str], Any]:
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None)


def _ends_in_a_domain(address: str) -> bool:
    """What Presidio asks of an e-mail address, by the list that tldextract ships."""
    return bool(_domains()(address).fqdn)


def _is_an_interface(address: str) -> bool:
    """What Presidio asks of an IP address, which may have a mask behind it."""
    ipaddress.ip_interface(address)
    return True


_PLAIN: Mapping[str, Check] = {"EMAIL_ADDRESS": _ends_in_a_domain, "IP_ADDRESS": _is_an_interface}
"""Validators so plain, and asked so often, that Presidio is not imported for them; they may raise."""


@cache
def _installed(kind: str) -> Any:
    """The recognizer of this class, made by Presidio itself."""
    return _kinds()[kind]()


def _check(recognizer: Recognizer) -> Check:
    """What decides whether Presidio keeps a match."""

    def holds(value: str) -> bool:
        try:
            if recognizer.entity in _PLAIN:
                return _PLAIN[recognizer.entity](value)
            asked = _installed(recognizer.kind)
            said = asked.validate_result(value)
            return (said is None or bool(said)) and not asked.invalidate_result(value)
        except Exception:
            # A validator that stumbles has not said that it holds, and its error would quote the value.
            return False

    return holds
