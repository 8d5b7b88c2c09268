"""Verdicts: what people decided about findings, and which findings each decision is about.

They are only ever added to: of those about the same the last one counts, and the others are its history.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace

from sqlalchemy import Connection, RowMapping, select

from mapkeeper.categories import categories
from mapkeeper.inventory.database import plain
from mapkeeper.inventory.rows import finding_id, short_digest
from mapkeeper.inventory.tables import verdict as table
from mapkeeper.model import ADDED_RULE, About, Finding, KnownAsset, KnownFinding, Verdict, VerdictState

_TOKEN = re.compile(r"\\(?P<plain>.)|(?P<any>\*+)|(?P<one>\?)", re.DOTALL)
_ENTITY = "ADDED"


# In the database


def put(connection: Connection, verdicts: Iterable[Verdict]) -> None:
    """Add verdicts to those that are there; each is from now on the one that counts of what it is about."""
    for one in verdicts:
        told = {**asdict(one.about), "reason": one.reason, "author": one.author, "state": str(one.state)}
        texts = {name: value and plain(value) for name, value in told.items()}
        connection.execute(table.insert().values(id=one.id, at=one.at, expires=one.expires, **texts))


def history(connection: Connection, moment: dt.datetime) -> list[Verdict]:
    """Every verdict that had been given at a moment, in the order of writing."""
    rows = connection.execute(select(table).where(table.c.at <= moment).order_by(table.c.row))
    return [_noun(row) for row in rows.mappings()]


def standing(given: Iterable[Verdict]) -> list[Verdict]:
    """Of all that were given the last about each thing, in their order, without those that were withdrawn."""
    last: dict[str, Verdict] = {}
    for one in given:
        last.pop(one.id, None)
        last[one.id] = one
    return [one for one in last.values() if one.state is not VerdictState.WITHDRAWN]


def counts(verdict: Verdict, day: dt.date) -> bool:
    """Whether a verdict that stands has not expired."""
    return verdict.expires is None or verdict.expires >= day


def _noun(row: RowMapping) -> Verdict:
    about = About(*(row[name] for name in ("client", "source", "asset", "field", "rule", "category")))
    state = VerdictState(row["state"])
    return Verdict(row["id"], state, about, row["reason"], row["author"], row["at"], row["expires"])


# What they are about


def verdict_id(about: About) -> str:
    """The id of every verdict about these findings."""
    return f"v-{short_digest(about.client, about.source, about.asset, about.field, about.rule, about.category)}"


def literal(name: str) -> str:
    """The glob that takes this name and no other."""
    return re.sub(r"([\\*?])", r"\\\1", name)


@dataclass(frozen=True, slots=True)
class _Names:
    """A glob, ready to be asked for names."""

    glob: str
    wild: bool = field(init=False)
    letters: str = field(init=False)  # that stand in it; those of the name where it takes but one
    expression: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        expression, letters, at = "", "", 0
        for token in _TOKEN.finditer(self.glob):
            said = self.glob[at : token.start()] + (token["plain"] or "")
            wild = ".*" if token["any"] else "." if token["one"] else ""
            expression, letters, at = expression + re.escape(said) + wild, letters + said, token.end()
        letters += self.glob[at:]
        object.__setattr__(self, "expression", re.compile(expression + re.escape(self.glob[at:]), re.DOTALL))
        object.__setattr__(self, "letters", letters)
        object.__setattr__(self, "wild", any(token["plain"] is None for token in _TOKEN.finditer(self.glob)))

    @property
    def narrow(self) -> tuple[bool, int]:
        """How much it says: one that takes but one name says most."""
        return not self.wild, len(self.letters)

    def take(self, name: str) -> bool:
        return self.expression.fullmatch(name) is not None if self.wild else name == self.letters


class Aim:
    """What a verdict is about, ready to be asked for findings and assets."""

    def __init__(self, about: About) -> None:
        self.about = about
        self.source, self.asset, self.field = _Names(about.source), _Names(about.asset), _Names(about.field)
        names = (self.field.narrow, self.asset.narrow, self.source.narrow)
        self.narrow = (about.client is not None, *names, about.rule is not None, len(about.category or ""))

    def takes(self, known: KnownFinding) -> bool:
        """Whether it is about a finding."""
        about, finding = self.about, known.finding
        if about.rule is not None and about.rule != finding.rule.partition("@")[0]:
            return False
        if about.category is not None and not f"{finding.category}.".startswith(f"{about.category}."):
            return False
        return self.field.take(finding.field) and self.takes_asset(known.client, known.source, known.asset)

    def takes_asset(self, client: str, source: str, name: str) -> bool:
        """Whether it is about fields of an asset."""
        if self.about.client not in (None, client) or not self.source.take(source):
            return False
        # "auth.log" is "auth.log*" from the day on which it is rotated.
        return self.asset.take(name) or (name.endswith("*") and self.asset.take(name[:-1]))


class Verdicts:
    """Verdicts, ready to be asked which of them are about a finding."""

    def __init__(self, verdicts: Iterable[Verdict]) -> None:
        self._of_field: dict[str, list[tuple[Aim, Verdict]]] = {}
        self._of_many: list[tuple[Aim, Verdict]] = []
        self._added: list[tuple[Aim, Verdict]] = []
        for one in verdicts:
            aim = Aim(one.about)
            place = self._of_many if aim.field.wild else self._of_field.setdefault(aim.field.letters, [])
            place.append((aim, one))
            if one.state is VerdictState.ADDED:
                self._added.append((aim, one))
        self._added.sort(key=lambda each: each[0].narrow)

    def on(self, known: KnownFinding) -> list[Verdict]:
        """Every verdict about a finding; the first is the one that counts.

        That is the one that says most exactly which client, field, asset, source, rule and category it is about, in
        this order; of two that say the same of them, the later.
        """
        there = [*self._of_field.get(known.finding.field, ()), *self._of_many]
        taking = [(aim.narrow, one.at, one) for aim, one in there if aim.takes(known)]
        return [one for *_, one in sorted(taking, key=lambda each: each[:2], reverse=True)]

    def judge(self, known: Sequence[KnownFinding], assets: Callable[[], Iterable[KnownAsset]]) -> list[KnownFinding]:
        """Findings with the verdict that counts for each, and those that people added to what scans found."""
        judged = [replace(one, verdict=next(iter(self.on(one)), None)) for one in known]
        if not self._added:
            return judged
        right = {_place(one) for one in judged if one.verdict is not None and one.verdict.right}
        added: dict[str, KnownFinding] = {}
        for asset in assets():
            for aim, verdict in self._added:  # of two that say the same the narrower is kept: it comes later
                if aim.takes_asset(asset.client, asset.source, asset.name):
                    one = _added(aim, verdict, asset)
                    if _place(one) not in right:
                        added[one.id] = one
        return [*judged, *added.values()]


def _place(known: KnownFinding) -> tuple[str, ...]:
    return known.client, known.source, known.asset, known.finding.field, known.finding.category


def _added(aim: Aim, verdict: Verdict, asset: KnownAsset) -> KnownFinding:
    """What a person says that an asset holds, as a finding without any count."""
    name, category, day = aim.field.letters, aim.about.category, verdict.at.date()
    assert category is not None
    finding = Finding(
        field=name,
        category=category,
        entity=_ENTITY,
        rule=ADDED_RULE,
        confidence=1.0,
        rows=0,
        filled=0,
        hits=0,
        valid=None,
        chance=None,
        distinct=0,
        why=("added by a person",),
        special=categories()[category].special if category in categories() else None,
    )
    id = finding_id(asset.client, asset.source, asset.name, name, category, _ENTITY)
    named = (id, asset.client, asset.source, asset.name)
    return KnownFinding(*named, finding, day, max(day, asset.last_seen), verdict)
