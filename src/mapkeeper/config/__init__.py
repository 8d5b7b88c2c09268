"""The configuration: files a privacy officer can read in a diff."""

from mapkeeper.config.files import ClientFile, Limits, SourceEntry, WorkspaceFile, nearest, permitted
from mapkeeper.config.packs import OwnRules, RuleFile, rule_file
from mapkeeper.config.references import resolve
from mapkeeper.config.starting import add_client, start
from mapkeeper.config.workspace import FILE_NAME, Client, Workspace, find, load

__all__ = [
    "FILE_NAME",
    "Client",
    "ClientFile",
    "Limits",
    "OwnRules",
    "RuleFile",
    "SourceEntry",
    "Workspace",
    "WorkspaceFile",
    "add_client",
    "find",
    "load",
    "nearest",
    "permitted",
    "resolve",
    "rule_file",
    "start",
]
