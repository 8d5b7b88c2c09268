"""The sources of a workspace as they are configured: where they lie, and their addresses without secrets."""

from __future__ import annotations

from collections.abc import Iterator

from mapkeeper.config import Workspace
from mapkeeper.errors import MapkeeperError
from mapkeeper.model import KnownSource, Place
from mapkeeper.scan.opening import guarded, open_source


def known_sources(workspace: Workspace) -> Iterator[KnownSource]:
    """The sources of a workspace as the inventory keeps them, before they were ever scanned."""
    for id, entry in workspace.sources.items():
        try:
            with guarded():
                target = open_source(workspace, id).target
        except MapkeeperError as error:  # a secret that is not there yet: the source is listed all the same
            target = str(error)
        place = place_of(workspace, id)
        yield KnownSource(id, workspace.owners[id], entry.connector, target, place, None, "never scanned")


def place_of(workspace: Workspace, source: str) -> Place:
    """Where a source lies, as far as its entry declares it."""
    place = workspace.sources[source].place
    if place is None:
        return Place(None)
    return Place(place.country, place.region, place.operator, "declared")
