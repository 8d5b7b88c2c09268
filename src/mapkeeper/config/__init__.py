"""The configuration: files a privacy officer can read in a diff."""

from mapkeeper.config.files import ClientFile, SourceEntry, WorkspaceFile, nearest, permitted
from mapkeeper.config.references import resolve
from mapkeeper.config.starting import add_client, start
from mapkeeper.config.workspace import FILE_NAME, Client, Workspace, find, load

__all__ = [
    "FILE_NAME",
    "Client",
    "ClientFile",
    "SourceEntry",
    "Workspace",
    "WorkspaceFile",
    "add_client",
    "find",
    "load",
    "nearest",
    "permitted",
    "resolve",
    "start",
]
