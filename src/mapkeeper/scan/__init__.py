"""The only place where connectors, classifiers and the inventory meet."""

from mapkeeper.scan.access import Checked, check_access
from mapkeeper.scan.inspect import Inspection
from mapkeeper.scan.journey import Choice, Progress, Scan, ScanOutcome, SourceOutcome
from mapkeeper.scan.sources import known_sources
from mapkeeper.scan.stores import Discovery, SeenStore, discover_stores
from mapkeeper.scan.survey import Planned

__all__ = [
    "Checked",
    "Choice",
    "Discovery",
    "Inspection",
    "Planned",
    "Progress",
    "Scan",
    "ScanOutcome",
    "SeenStore",
    "SourceOutcome",
    "check_access",
    "discover_stores",
    "known_sources",
]
