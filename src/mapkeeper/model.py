"""The nouns. Frozen, without behaviour but what follows from their fields, and without any value from a source.

Read this file first: everything else passes these about. The words are those of ``docs/words.md``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Grade(IntEnum):
    """How much a concern matters."""

    NOTE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Level(StrEnum):
    """What a confidence is worth in words; the thresholds are ``CERTAIN_FROM`` and ``LIKELY_FROM``."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


CERTAIN_FROM = 0.85
LIKELY_FROM = 0.5

ADDED_RULE = "verdict/added"
"""What stands for a rule where a person said what no scan found."""


class Reason(StrEnum):
    """Why something was not read, or not read fully: the reason code of a gap."""

    UNREACHABLE = "unreachable"
    DENIED = "denied"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    UNSUPPORTED = "unsupported"
    ENCRYPTED = "encrypted"
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    BUDGET = "budget"
    ARCHIVED = "archived"
    CHANGED = "changed"
    EXCLUDED = "excluded"
    NO_MODEL = "no_model"


class Kind(StrEnum):
    """What an asset is."""

    TABLE = "table"
    VIEW = "view"
    FILE = "file"
    FAMILY = "family"  # objects of one name pattern: rotated logs, daily exports
    FOLDER = "folder"  # only ever seen with a gap: what lies inside could not be listed


class SourceRole(StrEnum):
    """What an asset is for, as an axis of its findings."""

    APPLICATION = "application"
    AUDIT_LOG = "audit_log"
    TELEMETRY = "telemetry"
    BACKUP = "backup"
    MESSAGE = "message"
    DOCUMENT = "document"


class Depth(StrEnum):
    """How much of an asset a scan reads."""

    SAMPLE = "sample"
    FULL = "full"


class VerdictState(StrEnum):
    """What a person decided about findings."""

    CONFIRMED = "confirmed"  # they are right
    DISMISSED = "dismissed"  # they are wrong
    ACCEPTED = "accepted"  # they are right, and there is a reason to leave it at that
    ADDED = "added"  # the field holds the category, whatever scans find
    WITHDRAWN = "withdrawn"  # the verdict before was taken back


class CellState(StrEnum):
    """What a value in the register rests on."""

    AGREED = "agreed"
    OBSERVED = "observed only"
    DECLARED = "declared only"
    CONTRADICTED = "contradicted"
    COMPUTED = "computed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something lies, and how that is known."""

    country: str | None  # ISO 3166-1 alpha-2; for CA and US ISO 3166-2, e.g. "CA-QC"
    region: str | None = None  # the operator's own word, e.g. "eu-west-3"
    operator: str | None = None
    known_by: str | None = None  # "api", "hostname" or "declared"; None where nothing is known


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was not read, or not read fully."""

    reason: Reason
    count: int = 1  # how many of the unit in ``says``
    says: str = ""  # what it means for a reader, without any value: "rows with another number of columns"
    example: str | None = None  # one position, e.g. "line 17"


@dataclass(frozen=True, slots=True)
class Asset:
    """What lies in a source: a table, a view, a file, a family of files, a log stream.

    ``name`` is what people see and filter by; ``namespace`` and ``dataset`` are its OpenLineage id
    (https://openlineage.io, spec/Naming.md). Totals are ``None`` where the source does not tell.
    """

    name: str
    kind: Kind
    namespace: str
    dataset: str
    rows: int | None = None
    bytes: int | None = None
    objects: int = 1
    gap: Gap | None = None  # seen but not readable: recorded as it is, never read
    handle: object = field(default=None, repr=False, compare=False)  # the connector's own, e.g. paths; never stored


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a source says of itself or of one of its assets, and how it was learned."""

    name: str  # "encryption", "public", "retention", "owner", "permissions", …
    value: str | int | float | bool | None  # None: the source was asked and does not say
    method: str  # "api", "metadata", "hostname", "declared", …


@dataclass(frozen=True, slots=True)
class Flow:
    """Data goes from one asset to another, or to a recipient."""

    source: str  # "source-id:asset"
    target: str  # "source-id:asset", or a recipient's id
    kind: str  # "declared", "configured", "derived" or "inferred"
    confidence: float
    categories: tuple[str, ...] = ()
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an asset, as it was read."""

    name: str
    type: str  # an Arrow type's name, e.g. "string", "int64"


@dataclass(frozen=True, slots=True)
class Finding:
    """A field holds a category: counts, confidence and reasons, never a value."""

    field: str
    category: str
    entity: str
    rule: str  # id with version: "standard/contact/email@1"
    confidence: float  # 0 to 1
    rows: int  # cells read
    filled: int  # of them neither null nor blank
    hits: int  # of those with at least one match
    valid: int | None  # hits whose check holds; None where there is no check
    chance: float | None  # the valid/hits that random digits would give; None where there is no check
    distinct: int  # among the hits; an estimate above 100,000
    why: tuple[str, ...]
    sample: tuple[str, ...] = ()  # masked
    where: tuple[str, ...] = ()  # positions: "row 17"
    special: str | None = None  # "art9", "art10"
    subject: str | None = None
    source_role: SourceRole | None = None

    @property
    def added(self) -> bool:
        """Whether a person said so and no scan found it."""
        return self.rule == ADDED_RULE

    @property
    def share(self) -> float:
        """Hits of the filled cells."""
        return self.hits / self.filled if self.filled else 0.0

    @property
    def level(self) -> Level:
        """What the confidence is worth in words."""
        if self.confidence >= CERTAIN_FROM:
            return Level.CERTAIN
        return Level.LIKELY if self.confidence >= LIKELY_FROM else Level.POSSIBLE


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was read of an asset and what was not; the totals are ``None`` where unknown."""

    rows_total: int | None
    rows_read: int
    bytes_total: int | None
    bytes_read: int
    objects_total: int
    objects_read: int
    method: str  # "all", or how the sample was drawn: "random rows", "blocks spread over the file", "head"
    complete: bool
    gaps: tuple[Gap, ...]
    bound_95: float | None  # see design of the coverage ledger in docs/coverage.md


@dataclass(frozen=True, slots=True)
class AssetResult:
    """All that a scan learned of one asset; what the inventory records in one transaction."""

    asset: Asset
    fields: tuple[Field, ...]
    findings: tuple[Finding, ...]
    coverage: Coverage
    facts: tuple[Fact, ...] = ()
    mark: str | None = None
    values: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Revealed values by (field, category): only for ``inspect --reveal``, never recorded."""


@dataclass(frozen=True, slots=True)
class ConcernRule:
    """One row of the table of ``PD-`` rules: what a concern of this kind means and what to do."""

    id: str  # "PD-TRF-001"
    title: str
    grade: Grade
    law: str
    remedy: str


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A source as the inventory knows it."""

    id: str
    client: str | None  # None: shared by several clients
    connector: str
    target: str  # its address, without secrets
    place: Place
    last_scan: dt.datetime | None  # UTC, end of the last scan that reached it
    state: str  # "never scanned", "ok", "partial" (some asset has a gap), "unreachable"


@dataclass(frozen=True, slots=True)
class KnownAsset:
    """An asset as the inventory knows it at some scan."""

    client: str
    source: str
    name: str  # identifying parts replaced by keyed tokens
    kind: Kind
    namespace: str
    dataset: str
    unmapped: bool  # lies in a shared source but maps to no client: booked to the provider
    fields: tuple[Field, ...]
    facts: tuple[Fact, ...]
    coverage: Coverage
    depth: Depth
    first_seen: dt.date
    last_seen: dt.date


@dataclass(frozen=True, slots=True)
class About:
    """Which findings a verdict is about: those that each of its fields takes.

    In a glob ``*`` is any text, ``?`` any one character, a backslash before them makes them plain.
    """

    client: str | None  # None: every client
    source: str  # glob
    asset: str  # glob; one of a family takes the file that is alone today and the family of tomorrow
    field: str  # glob
    rule: str | None  # id without version: "standard/contact/email"; None: any
    category: str | None  # prefix, whole words; None: any


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person's decision on findings."""

    id: str  # of what it is about: "v-…"; one that replaces another has the same
    state: VerdictState
    about: About
    reason: str | None
    author: str
    at: dt.datetime  # UTC
    expires: dt.date | None = None  # the last day on which it counts; None: until it is replaced or withdrawn

    @property
    def right(self) -> bool:
        """Whether a person says that the findings are right."""
        return self.state in (VerdictState.CONFIRMED, VerdictState.ACCEPTED, VerdictState.ADDED)


@dataclass(frozen=True, slots=True)
class KnownFinding:
    """A finding as the inventory knows it at some scan."""

    id: str  # stable over rescans: "f-3k9x…"
    client: str
    source: str
    asset: str
    finding: Finding
    first_seen: dt.date
    last_seen: dt.date
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a scan found different from the one before."""

    scan: int
    change: str  # "appeared", "changed", "vanished"
    what: str  # "asset" or "finding"
    client: str
    source: str
    asset: str
    field: str | None
    category: str | None
    says: str  # "312 -> 315 of 400 cells", without values


@dataclass(frozen=True, slots=True)
class ScanRun:
    """One scan, from its start to its end."""

    id: int
    started: dt.datetime  # UTC
    ended: dt.datetime | None
    state: str  # "running", "done", "interrupted"
    depth: Depth
    version: str  # of mapkeeper
