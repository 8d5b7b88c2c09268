"""The survey of a source: what lies there, whose it is, under which name it is kept, and what could not be listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from mapkeeper.config import SourceEntry, Workspace
from mapkeeper.inventory.database import plain
from mapkeeper.model import Asset, Gap, Kind, Reason
from mapkeeper.plugin import Connector
from mapkeeper.scan.crew import Beat
from mapkeeper.scan.naming import Free, Names
from mapkeeper.scan.opening import guarded

Known = tuple[str, str]
"""An asset of a source, by client and by the name that is kept."""


@dataclass(frozen=True, slots=True)
class Planned:
    """An asset that a scan may read."""

    asset: Asset  # as surveyed, with its handle
    client: str
    unmapped: bool
    kept: str  # its name as the inventory keeps it


def survey(
    workspace: Workspace, names: Mapping[str, Names], source: str, connector: Connector, beat: Beat
) -> list[Planned]:
    """Every asset of a source, in the connector's order; what is not wanted has a gap that says so.

    Args:
        workspace: Says whose each asset is, and what is wanted.
        names: By client, what replaces names.
        source: Its id.
        connector: Open.
        beat: Called for each asset.

    Raises:
        SourceError: The source cannot be listed to its end.
    """
    entry = workspace.sources[source]
    planned: list[Planned] = []
    free = {client: Free() for client in names}
    with guarded():
        for asset in connector.survey():
            beat("", 0)
            if not _wanted(entry, asset):
                asset = replace(asset, gap=Gap(Reason.EXCLUDED, says="left out by include or exclude"))
            client, unmapped = workspace.client_of(source, asset.name)
            planned.append(Planned(asset, client, unmapped, free[client](plain(names[client].keep(asset.name)))))
    return planned


def unlisted(planned: Iterable[Planned], known: Iterable[Known]) -> set[Known]:
    """What is known to lie in folders that could not be listed this time: it may be there still."""
    closed = [
        one.kept
        for one in planned
        if one.asset.kind is Kind.FOLDER and one.asset.gap and one.asset.gap.reason is not Reason.EXCLUDED
    ]
    return {each for each in known if any(_lies_in(each[1], folder) for folder in closed)}


def _wanted(entry: SourceEntry, asset: Asset) -> bool:
    if any(fnmatchcase(asset.name, glob) for glob in entry.exclude):
        return False
    # What lies in a folder that cannot be listed could be wanted.
    return asset.kind is Kind.FOLDER or any(fnmatchcase(asset.name, glob) for glob in entry.include)


def _lies_in(name: str, folder: str) -> bool:
    """Whether an asset, or an object of a family, may lie in a folder; both by the names that are kept."""
    inside, above = name.split("/"), folder.removesuffix("/").split("/")
    if not folder.strip("/"):
        return True
    return len(inside) > len(above) and all(map(_alike, above, inside))


def _alike(part: str, pattern: str) -> bool:
    return part == pattern or fnmatchcase(part, pattern)
