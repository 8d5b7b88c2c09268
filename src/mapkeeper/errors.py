"""What can go wrong, as a tree. Messages are one line: the place, what is wrong, the remedy; never a value.

MapkeeperError                 every error that mapkeeper raises on purpose
 ├─ ConfigurationError         a file of the workspace is wrong; nothing was scanned
 ├─ UsageError                 the command was called in a way that cannot work
 ├─ PluginError                a connector or classifier cannot be loaded or breaks its contract
 ├─ RuleError                  a rule or pack is wrong
 ├─ SourceError                a source or asset could not be read; carries the reason code of its gap
 ├─ BusyError                  somebody else holds the lease of a source
 └─ InventoryError             the inventory is missing, of another version, or refused the write
"""

from __future__ import annotations

from mapkeeper.model import Reason


class MapkeeperError(Exception):
    """Every error that mapkeeper raises on purpose; its text is fit to be shown."""


class ConfigurationError(MapkeeperError):
    """A file of the workspace is wrong; names file, key and the nearest right word."""


class UsageError(MapkeeperError):
    """The command was called in a way that cannot work."""


class PluginError(MapkeeperError):
    """A connector or classifier cannot be loaded or breaks its contract."""


class RuleError(MapkeeperError):
    """A rule or a pack of rules is wrong."""


class SourceError(MapkeeperError):
    """A source or an asset could not be read; the scan records ``reason`` as a gap and goes on.

    Raise it ``from None``: drivers quote values in their own messages.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class BusyError(MapkeeperError):
    """Somebody else is scanning this source; the text says who and since when."""


class InventoryError(MapkeeperError):
    """The inventory is missing, of another version, or refused the write."""
