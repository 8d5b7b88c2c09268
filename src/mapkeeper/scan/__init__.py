"""The only place where connectors, classifiers and the inventory meet."""

from mapkeeper.scan.inspect import Inspection
from mapkeeper.scan.journey import Choice, Progress, Scan, ScanOutcome, SourceOutcome
from mapkeeper.scan.sources import known_sources
from mapkeeper.scan.survey import Planned

__all__ = [
    "Choice",
    "Inspection",
    "Planned",
    "Progress",
    "Scan",
    "ScanOutcome",
    "SourceOutcome",
    "known_sources",
]
