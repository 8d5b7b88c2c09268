"""Random texts of regular expressions, and the surroundings that texts of the world have."""

from __future__ import annotations

import functools
import importlib
import random
import string
from typing import Any

import regex

_parser: Any = importlib.import_module("re._parser")
_ops: Any = importlib.import_module("re._constants")
_PRINTABLE = [chr(code) for code in range(32, 127)]
_CLASSES = {"DIGIT": string.digits, "WORD": string.ascii_letters + string.digits + "_", "SPACE": " "}
_ACROSS = 8
"""How much more than its least number of times a part is repeated, at most."""


def drawn(expression: str, rng: random.Random) -> str:
    """A random text of an expression: every branch, member and length as likely as the next.

    What must or must not stand around a text is left to the expression itself to find.
    """
    return _made(_parsed(expression), rng, {})


@functools.cache
def _parsed(expression: str) -> Any:
    plain = expression.replace(r"\p{L}", "a-z").replace(r"\p{N}", "0-9")
    return _parser.parse(regex.sub(r"\(\?[ims]+\)", "", plain))


@functools.cache
def _members(key: str, items: Any) -> list[str]:
    """The printable ASCII characters of a class."""
    found: set[str] = set()
    negated = False
    for op, value in items:
        if op is _ops.NEGATE:
            negated = True
        elif op is _ops.LITERAL:
            found.add(chr(value))
        elif op is _ops.RANGE:
            found |= {chr(code) for code in range(value[0], min(value[1], 126) + 1)}
        else:
            found |= set(_CLASSES[str(value).removeprefix("CATEGORY_")])
    return sorted(set(_PRINTABLE) - found if negated else found)


def _made(tree: Any, rng: random.Random, groups: dict[int, str]) -> str:
    out = ""
    for op, value in tree:
        if op is _ops.LITERAL:
            out += chr(value)
        elif op is _ops.NOT_LITERAL:
            out += rng.choice([char for char in _PRINTABLE if ord(char) != value])
        elif op is _ops.ANY:
            out += rng.choice(_PRINTABLE)
        elif op is _ops.IN:
            out += rng.choice(_members(repr(value), tuple(value)))
        elif op is _ops.BRANCH:
            out += _made(rng.choice(value[1]), rng, groups)
        elif op is _ops.SUBPATTERN:
            groups[value[0]] = _made(value[3], rng, groups)
            out += groups[value[0]]
        elif op is _ops.ATOMIC_GROUP:
            out += _made(value, rng, groups)
        elif op is _ops.GROUPREF:
            out += groups[value]
        elif op in (_ops.MAX_REPEAT, _ops.MIN_REPEAT, _ops.POSSESSIVE_REPEAT):
            low, high, inner = value
            out += "".join(_made(inner, rng, groups) for _ in range(rng.randint(low, min(high, low + _ACROSS))))
        else:
            assert op in (_ops.AT, _ops.ASSERT, _ops.ASSERT_NOT), op
    return out
