"""Names count as values: what identifies somebody in a name is replaced before the name is kept."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

from mapkeeper.classify import Engine
from mapkeeper.model import Asset, AssetResult, Gap


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
        digest = hmac.new(self._key, f"name:{kind}:{part.casefold()}".encode(), hashlib.sha256)
        return f"{{{kind}:{digest.hexdigest()[:12]}}}"

    def keep(self, name: str) -> str:
        """The name as it may be kept."""
        return self._engine.redact(name, self.token)

    def asset(self, asset: Asset) -> Asset:
        """The asset with the names as they may be kept, and without its handle."""
        gap = self._gap(asset.gap) if asset.gap is not None else None
        return replace(asset, name=self.keep(asset.name), dataset=self.keep(asset.dataset), gap=gap, handle=None)

    def result(self, result: AssetResult) -> AssetResult:
        """A result with every name in it as it may be kept."""
        coverage = replace(result.coverage, gaps=tuple(self._gap(gap) for gap in result.coverage.gaps))
        return replace(
            result,
            asset=self.asset(result.asset),
            fields=tuple(replace(field, name=self.keep(field.name)) for field in result.fields),
            findings=tuple(
                replace(
                    finding,
                    field=self.keep(finding.field),
                    why=tuple(self.keep(reason) for reason in finding.why),
                    where=tuple(self.keep(position) for position in finding.where),
                )
                for finding in result.findings
            ),
            coverage=coverage,
            values={(self.keep(field), category): seen for (field, category), seen in result.values.items()},
        )

    def _gap(self, gap: Gap) -> Gap:
        example = None if gap.example is None else self.keep(gap.example)
        return replace(gap, says=self.keep(gap.says), example=example)
