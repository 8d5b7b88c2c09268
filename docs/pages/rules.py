"""The page of rules: every rule of this distribution, family of categories by family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from itertools import groupby

from mapkeeper import discover
from mapkeeper.categories import categories
from mapkeeper.rules import Rule
from pages.markdown import code, table

_OURS = "mapkeeper_classifiers."


def by_family() -> str:
    """A table of rules for each family of categories, and before them how many there are."""
    rules = sorted(_ours(), key=_place)
    families = {family: list(held) for family, held in groupby(rules, key=_family)}
    links = ", ".join(f"[{family}](#{family}) {len(held)}" for family, held in families.items())
    return f"{len(rules)} rules: {links}.\n\n" + "\n".join(_tables(families))


def _tables(families: Mapping[str, list[Rule]]) -> Iterator[str]:
    head = ("rule", "title", "category", "looks at", "check", "chance", "identifying")
    for family, held in families.items():
        yield f"### {family}\n\n{table(head, map(_row, held))}"


def _row(rule: Rule) -> tuple[str, ...]:
    sees = {"values": rule.find, "whole values": rule.fit, "a list": rule.values, "names": rule.names}
    looks_at = ", ".join(word for word, has in sees.items() if has)
    check = (rule.check_name or "").replace("_", " ")
    chance = "" if rule.chance is None else f"{rule.chance:.2%}"
    return (
        code(rule.ref), rule.title, code(rule.category), looks_at, check, chance, "yes" if rule.identifying else ""
    )  # fmt: skip


def _ours() -> list[Rule]:
    """The rules of the classifiers that come with mapkeeper."""
    ours = tuple(f"{entry.name}/" for entry in entry_points(group=discover.CLASSIFIERS) if _OURS in entry.value)
    return [rule for rule in discover.rules() if rule.id.startswith(ours)]


def _family(rule: Rule) -> str:
    return rule.category.partition(".")[0]


def _place(rule: Rule) -> tuple[str, int, str]:
    return _family(rule), list(categories()).index(rule.category), rule.id
