"""Names count as values: what identifies somebody in a name is replaced before the name is kept."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

from mapkeeper.classify import Engine
from mapkeeper.model import Asset, AssetResult, Fact, Gap


class Free:
    """Gives each name once: the second that asks for one gets it with a number.

    Two names come to the same where what tells them apart is replaced, ``Ada@example.org`` and ``ada@example.org``,
    or where a source has two things of one name.
    """

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def __call__(self, name: str) -> str:
        """The name, numbered where it is taken."""
        self._given[name] = number = self._given.get(name, 0) + 1
        return name if number == 1 else self(f"{name} ({number})")


class Names:
    """Replaces the identifying parts of names by tokens under one client's key: ``{email:7f3a09c1d2e4}``.

    The same part gives the same token under one key, so that rescans find their asset again; under another
    key, or without one, it means nothing.
    """

    def __init__(self, engine: Engine, key: bytes) -> None:
        self._engine = engine
        self._key = key

    def token(self, kind: str, part: str) -> str:
        """What stands for a part of a name: 48 bits of HMAC-SHA256."""
        digest = hmac.new(self._key, f"name:{kind}:{part.casefold()}".encode(errors="surrogatepass"), hashlib.sha256)
        return f"{{{kind}:{digest.hexdigest()[:12]}}}"

    def keep(self, name: str) -> str:
        """The name as it may be kept."""
        return self._engine.redact(name, self.token)

    def told(self, text: str, target: str | None) -> str:
        """What a source says, as it may be shown. Its own address, ``target``, is no name that was found there."""
        if not target:
            return self.keep(text)
        return target.join(map(self.keep, text.split(target)))

    def mark(self, mark: str | None) -> str | None:
        """A mark as it may be kept: a connector may make it of names and times, which could be guessed."""
        if mark is None:
            return None
        return hmac.new(self._key, f"mark:{mark}".encode(errors="surrogatepass"), hashlib.sha256).hexdigest()

    def asset(self, asset: Asset, name: str) -> Asset:
        """The asset under the name that is kept, with its other names as they may be kept, and without its handle."""
        gap = self._gap(asset.gap) if asset.gap is not None else None
        return replace(asset, name=name, dataset=self.keep(asset.dataset), gap=gap, handle=None)

    def result(self, result: AssetResult, name: str) -> AssetResult:
        """A result with every name in it as it may be kept; ``name`` is that of the asset."""
        gaps = tuple(self._gap(gap) for gap in result.coverage.gaps)
        coverage = replace(result.coverage, method=self.keep(result.coverage.method), gaps=gaps)
        free = Free()
        fields = {field.name: free(self.keep(field.name)) for field in result.fields}
        return replace(
            result,
            asset=self.asset(result.asset, name),
            fields=tuple(
                replace(field, name=fields[field.name], type=self.keep(field.type)) for field in result.fields
            ),
            findings=tuple(
                replace(
                    finding,
                    field=fields[finding.field],
                    why=tuple(self.keep(reason) for reason in finding.why),
                    where=tuple(self.keep(position) for position in finding.where),
                )
                for finding in result.findings
            ),
            coverage=coverage,
            facts=tuple(self._fact(fact) for fact in result.facts),
            mark=self.mark(result.mark),
            values={(fields[field], category): seen for (field, category), seen in result.values.items()},
        )

    def _fact(self, fact: Fact) -> Fact:
        value = self.keep(fact.value) if isinstance(fact.value, str) else fact.value
        return Fact(self.keep(fact.name), value, self.keep(fact.method))

    def _gap(self, gap: Gap) -> Gap:
        example = None if gap.example is None else self.keep(gap.example)
        return replace(gap, says=self.keep(gap.says), example=example)
