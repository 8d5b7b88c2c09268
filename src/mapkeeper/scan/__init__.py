"""The only place where connectors, classifiers and the inventory meet."""

from mapkeeper.scan.inspect import Inspection
from mapkeeper.scan.journey import Choice, Planned, Progress, Scan, ScanOutcome, SourceOutcome, known_sources

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
