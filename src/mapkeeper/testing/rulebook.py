"""Accepts rules: each proves itself, is well formed, and is quick on hostile text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import regex

from mapkeeper.categories import categories
from mapkeeper.rules import TYPES, Rule, prove
from mapkeeper.testing.trial import Refused

_ID = re.compile(r"[\w.-]+(?:/[\w.-]+)+")
_ENTITY = re.compile(r"[A-Z][A-Z0-9_]*")

_REPEATS = 300
"""How often a hostile text repeats a piece of an example: enough for a regex that takes cubic time to be felt."""

_PIECES = 24
"""Pieces to repeat, of all examples of a rule."""

_ODD = ("", " ", "\x00", "-", "0" * 64, "x" * 64, "é", "٣٤٥", "½²", "\udcff", "🙂", "\n", "A-1/2.3_4")


def accept_rules(rules: Iterable[Rule], *, seconds: float = 0.25) -> None:
    """Check a pack of rules, as its classifier declares them.

    Args:
        rules: All the rules of the pack.
        seconds: Of processor time that a regex may take for one hostile text, which is made from the rule's examples
            and has a few hundred characters.

    Raises:
        Refused: a rule does not hold; the text has a line for every fault, with the rule's id.
    """
    pack = list(rules)
    faults = [] if pack else ["the classifier declares no rule"]
    faults += [
        f"{id}: declared {n} times; ids are unique" for id, n in Counter(rule.id for rule in pack).items() if n > 1
    ]
    faults += [f"{rule.id}: {fault}" for rule in pack for fault in _faults(rule, seconds)]
    if faults:
        raise Refused("\n".join([f"{len(faults)} faults in {len(pack)} rules", *faults]))


def _faults(rule: Rule, seconds: float) -> list[str]:
    """What is wrong with a rule; it is run only where it is well formed, and proved only where it is quick."""
    return [*_malformed(rule)] or [*_slow(rule, seconds)] or [*_untrue(rule)]


def _malformed(rule: Rule) -> Iterator[str]:
    if not _ID.fullmatch(rule.id):
        yield "id must be the pack's prefix and a name: 'acme/loyalty'"
    if not rule.version or re.search(r"[@\s]", rule.version):
        yield "version must be there, without '@' or space: findings quote it as 'id@version'"
    if not rule.title:
        yield "title is empty; say what the rule recognizes"
    if not _ENTITY.fullmatch(rule.entity):
        yield "entity must be in capitals: 'EMAIL_ADDRESS'"
    if rule.category not in categories():
        yield f"{rule.category!r} is no category; mapkeeper.categories has the table"
    if not (rule.find or rule.fit or rule.values):
        yield "recognizes nothing; give it find, fit or values"
    if not rule.match or not rule.miss:
        yield "has no examples to match, or none to miss; give it both"
    if not all(0 <= pattern.score <= 1 for pattern in rule.find):
        yield "a score is not between 0 and 1"
    if (rule.check is None) != (rule.check_name is None):
        yield "check and check_name go together: the name tells when the check was changed"
    if rule.chance is not None and (rule.check is None or not 0 <= rule.chance <= 1):
        yield "chance is the share of random texts that pass the check: between 0 and 1, and only with a check"
    if not rule.types or not rule.types <= TYPES:
        yield f"types must be among {', '.join(sorted(TYPES))}"
    if any(not re.fullmatch("[A-Z]{2}", country) for country in rule.countries):
        yield "countries must be ISO 3166-1 codes of two letters: 'FR'"
    if any(name != " ".join(name.lower().replace("_", " ").split()) for name in rule.names):
        yield "names must be in lower case, with one space between words: 'date of birth'"
    if any(value != value.casefold() for value in rule.values):
        yield "values must be casefolded"
    for expression in _expressions(rule):
        try:
            regex.compile(expression)
        except regex.error as error:
            yield f"{expression!r} is no regular expression: {error}"


def _slow(rule: Rule, seconds: float) -> Iterator[str]:
    texts = list(_hostile(rule.match))
    for expression in _expressions(rule):
        compiled = regex.compile(expression)
        try:
            for text in texts:
                compiled.search(text, timeout=seconds)
                compiled.fullmatch(text, timeout=seconds)
        except TimeoutError:
            yield f"{expression!r} is too slow on hostile text; its repeats must not match the same text"


def _untrue(rule: Rule) -> Iterator[str]:
    for pattern in rule.find:
        if regex.fullmatch(pattern.regex, "") is not None:
            yield f"{pattern.regex!r} matches the empty text; let it need a character"
    if rule.check is not None:
        for text in (*rule.match, *rule.miss, *_ODD):
            try:
                answer: object = rule.check(text)
            except Exception as error:
                yield f"check {rule.check_name!r} raises {type(error).__name__} on some text; return False instead"
                break
            if not isinstance(answer, bool):
                yield f"check {rule.check_name!r} returns a {type(answer).__name__}; return True or False"
                break
    for failure in prove(rule):
        yield f"{failure}; mend the rule or the example"


def _hostile(examples: Sequence[str]) -> Iterator[str]:
    """Texts that begin like an example, repeat a piece of it, break off, and end in what makes a regex look at all."""
    seen: set[str] = set()
    for example in examples:
        for end in range(1, len(example) + 1):
            for length in (1, 2):
                piece = example[max(0, end - length) : end]
                # Digits are alike to a regex, and so are letters: one of a kind is enough.
                kind = re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", re.sub(r"\d", "0", piece)))
                if kind not in seen and len(seen) < _PIECES:
                    seen.add(kind)
                    yield f"{example[:end]}{piece * _REPEATS}\x00{example}"


def _expressions(rule: Rule) -> list[str]:
    return [*(pattern.regex for pattern in rule.find), *([rule.fit] if rule.fit else [])]
