"""The access that a scan has to each source: tried without reading contents, with the least rights that it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from mapkeeper.config import Workspace
from mapkeeper.errors import MapkeeperError, SourceError
from mapkeeper.model import Reason
from mapkeeper.plugin import Access, Connector
from mapkeeper.scan.engines import Engines
from mapkeeper.scan.naming import Names
from mapkeeper.scan.opening import guarded, open_source, opened

_LISTING = "list what lies there"


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of trying one source."""

    source: str
    reached: bool
    error: str | None  # why it cannot be reached or tried to the end, with the remedy
    access: tuple[Access, ...]  # what identifies somebody in its names is replaced
    rights: str | None  # the least that a scan needs, to be pasted where they are granted
    refused: bool  # something that is needed is not granted; what is optional is not needed

    @property
    def sufficient(self) -> bool:
        """Whether a scan would get what it needs, as far as that can be told without reading."""
        return self.error is None and not self.refused


def check_access(
    workspace: Workspace, sources: Iterable[str], begun: Callable[[str], None] = lambda _: None
) -> Iterator[Checked]:
    """Try the access to each source; ``begun`` is told the id of each before it is tried.

    Raises:
        ConfigurationError: the key of a client is not there.
    """
    engines = Engines({client: workspace.rules_of(client) for client in workspace.clients})
    names = dict[str, Names]()
    for source in sources:
        begun(source)
        whose = workspace.holder_of(source)
        if whose not in names:
            names[whose] = Names(engines.for_names(whose), workspace.key_of(whose))
        yield _checked(workspace, source, names[whose])


def _checked(workspace: Workspace, source: str, names: Names) -> Checked:
    access: list[Access] = []
    target: str | None = None
    rights: str | None = None
    reached = refused = False
    error: str | None = None
    try:
        with guarded():
            connector = open_source(workspace, source)
            target, rights = connector.target, connector.rights()
        with opened(connector):
            reached = True
            with guarded():
                for one in _tried(connector):
                    kept = replace(one, needs=names.told(one.needs, target), says=names.told(one.says, target))
                    access.append(kept)
                    refused |= one.granted is False and one.needed
    except MapkeeperError as failed:
        error = names.told(str(failed), target)
        refused |= isinstance(failed, SourceError) and failed.reason is Reason.DENIED
    return Checked(source, reached, error, tuple(access), rights, refused)


def _tried(connector: Connector) -> Iterator[Access]:
    """What the connector tries; where it has nothing to try, whether it can list the first asset."""
    silent = True
    for one in connector.check():
        silent = False
        yield one
    if silent:
        yield _listed(connector)


def _listed(connector: Connector) -> Access:
    try:
        first = next(iter(connector.survey()), None)
    except SourceError as error:
        if error.reason is not Reason.DENIED:
            raise
        return Access(_LISTING, False, str(error))
    if first is not None and first.gap is not None and first.gap.reason is Reason.DENIED:
        return Access(_LISTING, False, f"{first.name}: {first.gap.says}")
    return Access(_LISTING, True, "nothing lies there" if first is None else "to know what there is to read")
