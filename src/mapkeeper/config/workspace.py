"""A workspace: the folder with ``mapkeeper.toml``, read, checked and put together.

Everything that is wrong is said at once, each with file, key and the nearest right word; nothing is scanned
when the configuration is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_plus

from mapkeeper.config.files import ClientFile, Provider, ScanEntry, SourceEntry, WorkspaceFile, nearest
from mapkeeper.config.packs import OwnRules, own_rules
from mapkeeper.config.reading import read
from mapkeeper.config.references import resolve
from mapkeeper.errors import ConfigurationError

Catalogue = Mapping[str, Callable[[], Mapping[str, bool]]]
"""For every installed connector, what gives its settings by name and whether each is secret."""

FILE_NAME = "mapkeeper.toml"

_SECRET = re.compile(r"(?i)passw|passphrase|pwd|secret|token|credential|(?:api|access|account)_?key|signature|\bsig\b")
"""What options of URLs are called that hold secrets."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client, with the file that declares it."""

    file: ClientFile
    path: Path
    text: str  # the file as it was read; each scan keeps a copy
    rules: OwnRules  # beside those of the workspace

    @property
    def id(self) -> str:
        """The client's id."""
        return self.file.client.id


@dataclass(frozen=True, slots=True)
class Workspace:
    """The whole configuration."""

    folder: Path
    provider: Provider
    inventory_url: str
    scan: ScanEntry
    clients: Mapping[str, Client]
    sources: Mapping[str, SourceEntry]
    owners: Mapping[str, str | None]  # client of each source; None: shared by several
    rules: OwnRules  # of all clients

    @property
    def own(self) -> Client | None:
        """The provider as a client of its own."""
        return next((client for client in self.clients.values() if client.file.client.own), None)

    def client_of(self, source: str, asset: str) -> tuple[str, bool]:
        """Whose an asset is, and whether nobody but the provider claims it."""
        if (owner := self.owners[source]) is not None:
            return owner, False
        shared = self.sources[source].clients
        assert shared is not None
        if match := max((prefix for prefix in shared.map if asset.startswith(prefix)), key=len, default=None):
            return shared.map[match], False
        assert self.own is not None
        return self.own.id, True

    def shares(self, source: str, client: str) -> bool:
        """Whether a shared source may hold the client's data."""
        shared = self.sources[source].clients
        own = self.own is not None and self.own.id == client
        return shared is not None and (own or client in shared.map.values())

    def concerns(self, source: str, client: str) -> bool:
        """Whether a source is the client's own, or a shared one that may hold its data."""
        owner = self.owners.get(source)
        return owner == client or (source in self.owners and owner is None and self.shares(source, client))

    def holder_of(self, source: str) -> str:
        """The client that answers for a source as a whole: whose it is, or the provider for a shared one."""
        if (owner := self.owners[source]) is not None:
            return owner
        assert self.own is not None  # `load` sees to that
        return self.own.id

    def rules_of(self, client: str) -> OwnRules:
        """The rules that hold for a client's data beside the installed ones, and which of all do not."""
        return self.rules + self.clients[client].rules

    def chosen(self, client: str | None, source: str | None) -> tuple[str, ...]:
        """The sources that are meant by a client, a source, both or neither."""
        return tuple(
            id for id in self.sources if source in (None, id) and (client is None or self.concerns(id, client))
        )

    def key_of(self, client: str) -> bytes:
        """The client's key. Raises ConfigurationError where it is missing or too short."""
        path = self.clients[client].path
        key = resolve(self.clients[client].file.client.key, self.folder, f"{path.name}: client.key").encode()
        if len(key) < 32:
            raise ConfigurationError(
                f"{path.name}: client.key holds {len(key)} characters; 'mapkeeper client add' makes one of 64"
            )
        return key


def find(start: Path, given: Path | None) -> Path:
    """The workspace's folder: the one given, else the nearest with ``mapkeeper.toml`` from ``start`` upwards."""
    if given is not None:
        if not (given / FILE_NAME).is_file():
            raise ConfigurationError(f"{given}: no {FILE_NAME} here; make a workspace with 'mapkeeper init {given}'")
        return given.resolve()
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder
    raise ConfigurationError(
        f"no {FILE_NAME} in {start} or above it; 'mapkeeper init' makes a workspace, --workspace DIR names one"
    )


def load(folder: Path, connectors: Catalogue) -> Workspace:
    """Read and check a workspace.

    Raises:
        ConfigurationError: everything that is wrong, a line each.
    """
    wrong: list[str] = []
    main = read(folder / FILE_NAME, FILE_NAME, WorkspaceFile, wrong)
    clients: dict[str, Client] = {}
    for path in sorted((folder / "clients").glob("*.toml")):
        name = f"clients/{path.name}"
        if (parsed := read(path, name, ClientFile, wrong)) is None:
            continue
        file, text = parsed
        if (twin := clients.get(file.client.id)) is not None:
            wrong.append(f"{name}: client.id: {file.client.id!r} is taken by clients/{twin.path.name}")
        rules = own_rules(file.rules, folder, name, file.client.id, wrong)
        clients[file.client.id] = Client(file, path, text, rules)
    if main is None or wrong:  # what refers to a file that cannot be read would only seem wrong
        raise ConfigurationError("\n".join(wrong))

    sources: dict[str, SourceEntry] = {}
    owners: dict[str, str | None] = {}
    places: dict[str, str] = {}
    for where, entry, owner in _entries(main[0], clients):
        if entry.id in sources:
            wrong.append(f"{where}.id: {entry.id!r} is taken by {places[entry.id]}")
            continue
        sources[entry.id], owners[entry.id], places[entry.id] = entry, owner, where
        wrong += _check_source(where, entry, owner, clients, connectors)
    own = [client.id for client in clients.values() if client.file.client.own]
    if len(own) > 1:
        wrong.append(f"clients/: {' and '.join(own)} both say own = true; only the provider itself may")
    if not own and (shared := [id for id, owner in owners.items() if owner is None]):
        wrong.append(
            f"{FILE_NAME}: source {shared[0]!r} is shared, and what maps to no client is booked to the provider:"
            " add a client file with own = true"
        )
    for client in clients.values():
        wrong += _check_references(client, sources)
    rules = own_rules(main[0].rules, folder, FILE_NAME, own[0] if own else "provider", wrong)
    if wrong:
        raise ConfigurationError("\n".join(wrong))
    if not _keeps_its_secret(main[0].inventory.url):
        raise ConfigurationError(
            f"{FILE_NAME}: inventory.url: holds a secret in the clear; give env:NAME or file:PATH instead"
        )
    url = resolve(main[0].inventory.url, folder, f"{FILE_NAME}: inventory.url")
    return Workspace(folder, main[0].provider, _beside(url, folder), main[0].scan, clients, sources, owners, rules)


def _beside(url: str, folder: Path) -> str:
    """A relative SQLite path starts at the workspace."""
    path = url.removeprefix("sqlite:///")
    return url if path == url or path.startswith("/") else f"sqlite:///{folder / path}"


def _entries(main: WorkspaceFile, clients: Mapping[str, Client]) -> Iterator[tuple[str, SourceEntry, str | None]]:
    for number, entry in enumerate(main.source):
        yield f"{FILE_NAME}: source[{number}]", entry, None
    for client in clients.values():
        for number, entry in enumerate(client.file.source):
            yield f"clients/{client.path.name}: source[{number}]", entry, client.id


def _check_source(
    where: str, entry: SourceEntry, owner: str | None, clients: Mapping[str, Client], connectors: Catalogue
) -> Iterator[str]:
    if owner is None:
        if entry.clients is None:
            yield f'{where}: a source in {FILE_NAME} is shared: add clients = {{ by = "prefix", map = {{ … }} }}'
        for client in () if entry.clients is None else entry.clients.map.values():
            if client not in clients:
                yield f"{where}.clients.map: {client!r} is no client{nearest(client, clients)}"
    elif entry.clients is not None:
        yield f"{where}.clients: only a shared source, in {FILE_NAME}, is told apart by client"
    if (describe := connectors.get(entry.connector)) is None:
        yield f"{where}.connector: {entry.connector!r} is not installed{nearest(entry.connector, connectors)}"
        return
    known = describe()
    for setting, value in entry.settings.items():
        if setting not in known:
            words = {*known, *SourceEntry.model_fields}
            yield f"{where}.{setting}: unknown key, and no setting of {entry.connector}{nearest(setting, words)}"
        elif (known[setting] or (isinstance(value, str) and "://" in value)) and not _keeps_its_secret(value):
            yield f"{where}.{setting}: holds a secret in the clear; give env:NAME or file:PATH instead"


def _keeps_its_secret(value: object) -> bool:
    """A reference does; so does a URL with neither a password nor an option that is called after a secret."""
    if not isinstance(value, str):
        return False
    if value.startswith(("env:", "file:")):
        return True
    _, separator, rest = value.partition("://")
    login, options = rest.rpartition("@")[0], unquote_plus(rest.partition("?")[2])
    named = (option.rpartition("=")[0] for option in re.split("[?&;]", options))
    return bool(separator) and ":" not in login and not any(map(_SECRET.search, named))


def _check_references(client: Client, sources: Mapping[str, SourceEntry]) -> Iterator[str]:
    name = f"clients/{client.path.name}"
    for activity in client.file.activity:
        for named in activity.sources:
            if named not in sources:
                yield f"{name}: activity {activity.id!r} names source {named!r}{nearest(named, sources)}"
    recipients = {recipient.id for recipient in client.file.recipient}
    for number, flow in enumerate(client.file.flow):
        for key, end in (("from", flow.source), ("to", flow.target)):
            head = end.partition(":")[0]
            if head not in sources and not (key == "to" and end in recipients):
                known = {*sources, *(recipients if key == "to" else ())}
                yield f"{name}: flow[{number}].{key}: {head!r} is no source{nearest(head, known)}"
