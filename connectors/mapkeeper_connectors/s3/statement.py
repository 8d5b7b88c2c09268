"""Statements: a bucket policy as it is written, read without regard to case where AWS has none.

The grammar is that of IAM (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LONGEST = 20 * 1024
"""Characters of a policy that is still read: what AWS allows."""

_SID = re.compile(r"[\w -]{1,64}")


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of a condition block: all lines have to hold, each for one of its values."""

    operator: str  # in lower case, as is the key
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a policy."""

    name: str  # its Sid, or else its number
    allows: bool  # else it denies
    everybody: bool  # an Allow: it is not for fixed principals only; a Deny: it spares none but fixed ones
    actions: tuple[str, ...]  # patterns in lower case
    but_actions: bool  # ``NotAction``: all but these
    resources: tuple[str, ...]  # patterns
    but_resources: bool
    conditions: tuple[Condition, ...]


def read(policy: str) -> list[Statement]:
    """The statements of a policy.

    Raises:
        ValueError: it is no policy, or one that cannot be understood; the text does not quote it.
    """
    if len(policy) > LONGEST:
        raise ValueError("too long")
    try:
        statements = json.loads(policy, object_pairs_hook=_lower)["statement"]
        listed = [statements] if isinstance(statements, dict) else statements
        return [_statement(raw, number) for number, raw in enumerate(_list(listed), 1)]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise ValueError("not a policy") from None


def fixed(value: str) -> bool:
    """Whether a value has neither wildcards nor variables."""
    return bool(value) and not any(mark in value for mark in ("*", "?", "${"))


def covers(wide: str, narrow: str) -> bool:
    """Whether a pattern of ``*`` and ``?`` matches all that another one matches; may say no where it does."""
    parts = [re.escape(part).replace(r"\?", "[^*]") for part in re.split(r"\*+", wide)]
    if len(parts) == 1:
        return re.fullmatch(parts[0], narrow, re.DOTALL) is not None
    first, *middle, last = parts
    shortest = "".join(f"(?>.*?{part})" for part in middle)  # atomic: what was passed is never tried again
    return re.fullmatch(f"{first}{shortest}.*{last}", narrow, re.DOTALL) is not None


def begins(pattern: str, text: str) -> bool:
    """Whether a pattern of ``*`` and ``?`` matches something that begins with a text."""
    head, star, _ = pattern.partition("*")
    return bool(star or len(head) >= len(text)) and all(a in (b, "?") for a, b in zip(head, text, strict=False))


def _lower(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Keys in lower case; one that comes twice has no meaning."""
    keys = {key.lower(): value for key, value in pairs}
    if len(keys) < len(pairs):
        raise ValueError("a key comes twice")
    return keys


def _list(raw: object) -> list[Any]:
    if not isinstance(raw, list) or not raw:
        raise TypeError("no list")
    return raw


def _statement(raw: dict[str, Any], number: int) -> Statement:
    if (effect := raw["effect"]) not in ("Allow", "Deny"):
        raise ValueError("no effect")
    actions, but_actions = _either(raw, "action")
    resources, but_resources = _either(raw, "resource")
    sid = raw.get("sid")
    return Statement(
        name=sid if isinstance(sid, str) and _SID.fullmatch(sid) else str(number),
        allows=effect == "Allow",
        everybody=_everybody(raw, effect == "Allow"),
        actions=tuple("s3:*" if action == "*" else action.lower() for action in actions),  # a bucket knows no others
        but_actions=but_actions,
        resources=resources,
        but_resources=but_resources,
        conditions=tuple(_conditions(raw.get("condition", {}))),
    )


def _either(raw: dict[str, Any], key: str) -> tuple[tuple[str, ...], bool]:
    """What stands under a key, or under its opposite, and whether it was the opposite."""
    if (key in raw) == (f"not{key}" in raw):
        raise ValueError("neither or both")
    return (_texts(raw[key]), False) if key in raw else (_texts(raw[f"not{key}"]), True)


def _texts(raw: object) -> tuple[str, ...]:
    listed = [raw] if isinstance(raw, str) else _list(raw)
    if not all(isinstance(one, str) for one in listed):
        raise TypeError("no texts")
    return tuple(listed)


def _everybody(raw: dict[str, Any], allows: bool) -> bool:
    if ("principal" in raw) == ("notprincipal" in raw):
        raise ValueError("neither or both")
    named: Any = raw["principal"] if "principal" in raw else raw["notprincipal"]
    by_kind = {kind: _texts(of_kind) for kind, of_kind in ({"aws": named} if isinstance(named, str) else named).items()}
    names = [name for of_kind in by_kind.values() for name in of_kind]
    if not names:
        raise ValueError("no principal")
    if "notprincipal" in raw:
        if not all(map(fixed, names)):
            raise ValueError("all but all")
        return True
    return not all(map(fixed, names)) if allows else "*" in by_kind.get("aws", ())


def _conditions(block: dict[str, dict[str, Any]]) -> Iterator[Condition]:
    for operator, lines in block.items():
        for key, values in lines.items():
            listed = values if isinstance(values, list) else [values]
            if not all(isinstance(value, str | bool | int | float) for value in listed):
                raise TypeError("no values")
            yield Condition(operator, key, tuple(str(value) for value in listed))
