"""The stores of the accounts and servers that sources lie in, and which of them a source covers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mapkeeper import discover
from mapkeeper.config import Workspace, resolve
from mapkeeper.errors import MapkeeperError, SourceError, UsageError
from mapkeeper.model import Reason
from mapkeeper.plugin import Connector, Store
from mapkeeper.scan.opening import guarded, open_source, opened


@dataclass(frozen=True, slots=True)
class SeenStore:
    """A store, as it is seen from a source or a target."""

    store: Store
    connector: str
    seen_from: str | None  # the source; None: what a user typed
    covered_by: tuple[str, ...]  # sources


@dataclass(frozen=True, slots=True)
class Discovery:
    """What lies in the accounts and servers that could be asked."""

    stores: tuple[SeenStore, ...]  # by name, each once
    asked: int  # accounts and servers that answered
    failed: tuple[str, ...]  # why others did not, or why what a source covers is not known


def discover_stores(
    workspace: Workspace,
    sources: Iterable[str],
    target: str | None = None,
    begun: Callable[[str], None] = lambda _: None,
) -> Discovery:
    """Ask accounts and servers for their stores.

    Args:
        workspace: its sources say what is covered.
        sources: whose accounts and servers to ask; those whose connector knows no others of its kind are left out.
        target: ask this instead: what ``inspect`` takes, or ``env:NAME`` that holds it.
        begun: told whom is asked next.

    Raises:
        UsageError: no installed connector knows what the target is.
    """
    failed: list[str] = []
    found: dict[str, tuple[Store, str, str | None]] = {}
    asked = 0
    if target is not None:
        name, connector = _of_target(target)
        begun(connector.target)
        with _noted(failed, "TARGET"):
            found = {one.name: (one, name, None) for one in _stores(connector, name)}
            asked = 1
    for source in sources if target is None else ():
        name = workspace.sources[source].connector
        if not _tells(name):
            continue
        begun(source)
        with _noted(failed, f"source {source}"):
            for one in _stores(open_source(workspace, source), name):
                found.setdefault(one.name, (one, name, source))
            asked += 1
    covered = _covered(workspace, failed)
    stores = tuple(SeenStore(*found[name], _sources_of(name, covered)) for name in sorted(found))
    return Discovery(stores, asked, tuple(dict.fromkeys(failed)))


def _of_target(target: str) -> tuple[str, Connector]:
    target = resolve(target, Path.cwd(), "TARGET") if target.startswith("env:") else target
    if (known := discover.for_target(target)) is None:
        raise UsageError("TARGET: no installed connector reads this; 'mapkeeper plugins' lists them")
    name, settings = known
    return name, discover.connect(name, settings, Path.cwd())


def _stores(connector: Connector, name: str) -> list[Store]:
    if not _tells(name):
        raise SourceError(Reason.UNSUPPORTED, f"connector {name} knows of no stores but the one it is given")
    with opened(connector), guarded():
        return list(connector.stores())


def _covered(workspace: Workspace, failed: list[str]) -> dict[str, str]:
    """What each source covers. A source of which that cannot be told is remarked on."""
    covered: dict[str, str] = {}
    for source, entry in workspace.sources.items():
        if not _tells(entry.connector):
            continue
        with _noted(failed, f"source {source}"), guarded():
            if (store := open_source(workspace, source).store) is not None:
                covered[source] = store
    return covered


def _sources_of(name: str, covered: Mapping[str, str]) -> tuple[str, ...]:
    """The sources that cover a store, or all that lies on its server."""
    return tuple(source for source, store in covered.items() if name == store or name.startswith(f"{store}/"))


def _tells(name: str) -> bool:
    """Whether a connector knows of other stores beside its own."""
    return discover.connector(name).stores is not Connector.stores


@contextmanager
def _noted(failed: list[str], whose: str) -> Iterator[None]:
    """What cannot be asked costs itself only."""
    try:
        with guarded():
            yield
    except MapkeeperError as error:
        failed.append(f"{whose}: {error}")
