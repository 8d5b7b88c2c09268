"""Looks at one target ad hoc, and keeps nothing."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from mapkeeper import discover
from mapkeeper.config import OwnRules, resolve
from mapkeeper.errors import SourceError, UsageError
from mapkeeper.model import AssetResult, Depth
from mapkeeper.plugin import Connector
from mapkeeper.scan.crew import Beat, Crew, Terms
from mapkeeper.scan.engines import Engines
from mapkeeper.scan.examine import Question
from mapkeeper.scan.hand import Job
from mapkeeper.scan.naming import Free, Names
from mapkeeper.scan.opening import guarded, opened

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")


class Inspection:
    """Looks at targets that a user typed: a file, a folder, a URL, or ``env:NAME`` that holds one."""

    def __init__(self, depth: Depth, workers: int, reveal: int = 0, rules: OwnRules | None = None) -> None:
        self._engines = Engines({None: rules or OwnRules()})
        self._names = Names(self._engines.for_names(None), secrets.token_bytes(32))  # tokens are good for this run only
        self._question = Question(depth, reveal=reveal)
        self._terms = Terms(workers)

    def look(self, target: str, beat: Beat) -> Iterator[tuple[str, AssetResult]]:
        """Read and classify what a target holds: the target without secrets, and a result an asset.

        Raises:
            UsageError: no installed connector knows what this is.
            SourceError: the target cannot be reached.
        """
        target = resolve(target, Path.cwd(), "target") if target.startswith("env:") else target
        if (found := discover.for_target(target)) is None:
            raise UsageError(f"{_shown(target)}: no installed connector reads this; 'mapkeeper plugins' lists them")
        name, settings = found
        connector = discover.connect(name, settings, Path.cwd())
        try:
            yield from self._looked(connector, lambda: discover.connect(name, settings, Path.cwd()), beat)
        except SourceError as error:  # a connector may name what it found
            raise SourceError(error.reason, self._names.told(str(error), connector.target)) from None

    def _looked(
        self, connector: Connector, fresh: Callable[[], Connector], beat: Beat
    ) -> Iterator[tuple[str, AssetResult]]:
        with opened(connector):
            shown = self._names.keep(connector.target)
            free = Free()
            with guarded():
                jobs = [Job(asset, self._question, free(self._names.keep(asset.name))) for asset in connector.survey()]
            crew = Crew(self._engines, self._terms, fresh)
            for number, result in crew.work(connector, jobs, beat):
                yield shown, self._names.result(result, jobs[number].name)


def _shown(target: str) -> str:
    """What was typed, but of a URL, or what was meant to be one, the scheme only: a password may stand anywhere."""
    scheme, separator, _ = target.partition("://")
    if separator and _SCHEME.fullmatch(scheme):
        return f"{scheme}://…"
    return "TARGET" if separator or "@" in target else target
