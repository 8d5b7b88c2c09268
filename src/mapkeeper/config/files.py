"""What may stand in ``mapkeeper.toml`` and in ``clients/*.toml``: every key, its type, its meaning."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, model_validator

from mapkeeper.categories import categories
from mapkeeper.model import Depth
from mapkeeper.places import EEA, is_country

Regime = Literal["EU-GDPR", "UK-GDPR", "CH-FADP", "QC-L25", "CA-PIPEDA", "US-CA", "US-HIPAA", "BR-LGPD"]

Mechanism = Literal[
    "NONE", "ADEQUACY", "SCC_M1", "SCC_M2", "SCC_M3", "SCC_M4", "SCC_DPA", "BCR_C", "BCR_P", "CODE_OF_CONDUCT",
    "CERTIFICATION", "PUBLIC_INSTRUMENT", "AD_HOC_CLAUSES", "ADMIN_ARRANGEMENT", "ART49_A", "ART49_B", "ART49_C",
    "ART49_D", "ART49_E", "ART49_F", "ART49_G", "ART49_CLI", "UK_IDTA", "UK_ADDENDUM", "UK_BCR", "UK_REGULATIONS",
    "CH_SCC", "CH_DPF", "QC_PIA", "QC_AGREEMENT", "BR_SCC", "BR_ADEQUACY",
]  # fmt: skip

GradeWord = Literal["note", "low", "medium", "high", "critical"]


def _country(code: str) -> str:
    if not is_country(code):
        raise ValueError("is no country code; give ISO 3166-1 such as FR, or CA-QC and US-CA for Canada and the US")
    return code


def _area(code: str) -> str:
    return code if code == "EEA" else _country(code)


def _category(key: str) -> str:
    known = categories()
    if key not in known and not any(other.startswith(f"{key}.") for other in known):
        raise ValueError(f"is no category{nearest(key, known)}")
    return key


def _retention_key(key: str) -> str:
    return key if key == "default" else _category(key)


def _duration(text: str) -> str:
    if not re.fullmatch(r"P(?=\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?", text):
        raise ValueError("is no duration; give ISO 8601 such as P395D, P13M or P2Y")
    return text


def _identifier(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", text):
        raise ValueError("may hold small letters, digits, '-' and '_' only, 63 of them at most")
    return text


def _reference(text: str) -> str:
    if not re.fullmatch(r"(env|file):.+", text):
        raise ValueError("must be env:NAME or file:PATH, so that the secret itself stays out of this file")
    return text


def nearest(word: str, known: Any) -> str:
    """``; did you mean 'x'?`` for the known word nearest to a wrong one, or what there is to choose from."""
    from difflib import get_close_matches

    known = sorted(known)
    if close := get_close_matches(word, known, n=1, cutoff=0.55):
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(known)}" if 0 < len(known) <= 12 else ""


Country = Annotated[str, AfterValidator(_country)]
Area = Annotated[str, AfterValidator(_area)]
CategoryKey = Annotated[str, AfterValidator(_category)]
RetentionKey = Annotated[str, AfterValidator(_retention_key)]
Duration = Annotated[str, AfterValidator(_duration)]
Identifier = Annotated[str, AfterValidator(_identifier)]
Reference = Annotated[str, AfterValidator(_reference)]

Item = TypeVar("Item")
Declared = Annotated[tuple[Item, ...] | None, BeforeValidator(lambda value: () if value == "none" else value)]
"""A list that may be left out. ``"none"`` and ``[]`` are declarations: there is none; leaving it out is not."""


class Section(BaseModel):
    """A table of a file: unknown keys are errors, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(Section):
    """Somebody to write to."""

    name: str
    email: str | None = None
    phone: str | None = None
    address: str | None = None  # for post


class DeclaredPlace(Section):
    """Where a source lies, where it cannot say so itself."""

    country: Country
    region: str | None = None
    operator: str | None = None


class SharedBy(Section):
    """How the assets of a shared source are told apart by client."""

    by: Literal["prefix"]
    map: dict[str, Identifier] = Field(min_length=1)


class Limits(Section):
    """How much of a source one scan may take, and how fast."""

    rows: int | None = Field(default=None, gt=0)  # one scan reads at most so many; the next goes on from there
    bytes: ByteSize | None = Field(default=None, gt=0)  # one scan reads at most so many
    seconds: float | None = Field(default=None, gt=0)  # one scan takes at most so many, the survey not counted
    rows_per_second: float | None = Field(default=None, gt=0)  # of all workers together
    requests_per_second: float | None = Field(default=None, gt=0)  # likewise


class SourceEntry(BaseModel):
    """One store to scan. Keys that are not listed here are settings of its connector."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: Identifier
    connector: str
    clients: SharedBy | None = None  # only in mapkeeper.toml
    include: tuple[str, ...] = ("*",)  # globs on the asset's name
    exclude: tuple[str, ...] = ()
    place: DeclaredPlace | None = None
    limits: Limits = Limits()
    legal_hold: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """What the connector is to be made with, secrets still as ``env:`` or ``file:``."""
        return dict(self.__pydantic_extra__ or {})


class Provider(Section):
    """Who runs mapkeeper."""

    name: str
    country: Country
    privacy_officer: Person | None = None
    representative: Person | None = None  # GDPR Art. 27
    address: str | None = None  # for post
    measures: Declared[str] = None  # technical and organisational, GDPR Art. 32


class InventoryEntry(Section):
    """Where results are kept."""

    url: str = "sqlite:///inventory.db"


class ScanEntry(Section):
    """How scans go about it."""

    depth: Depth = Depth.SAMPLE
    workers: int = Field(default=2, ge=1, le=64)
    index: Literal["scanned", "full"] = "scanned"
    timeout: float = Field(default=300, gt=0)  # seconds without a sign of life after which a worker is ended
    memory: ByteSize = ByteSize(1 << 30)  # resident bytes after which a worker is ended


class RulesEntry(Section):
    """Rules of one's own beside those of the plug-ins, and rules that are off."""

    packs: tuple[str, ...] = ()  # globs of packs in TOML; paths start at the workspace
    presidio: tuple[str, ...] = ()  # globs of Presidio's recognizers in YAML, likewise
    off: tuple[str, ...] = ()  # globs of ids of rules that find nothing; names are redacted by them still
    entities: dict[str, CategoryKey] = {}  # what an entity of Presidio's is, where no rule says so


class WorkspaceFile(Section):
    """``mapkeeper.toml``."""

    provider: Provider
    inventory: InventoryEntry = InventoryEntry()
    scan: ScanEntry = ScanEntry()
    rules: RulesEntry = RulesEntry()  # for all clients
    source: tuple[SourceEntry, ...] = ()


class Escalation(Section):
    """Whom to tell of what, and how fast."""

    level: int = Field(ge=1)
    grade: GradeWord
    to: str
    within_hours: float | None = Field(default=None, gt=0)


class Contacts(Section):
    """The client's people."""

    privacy_officer: Person | None = None
    representative: Person | None = None  # GDPR Art. 27
    escalation: tuple[Escalation, ...] = ()


class ClientEntry(Section):
    """Whom data is held for."""

    id: Identifier
    name: str
    country: Country
    regimes: tuple[Regime, ...] = ()
    domains: tuple[str, ...] = ()  # tell its staff from others
    key: Reference
    address: str | None = None  # for post
    own: bool = False  # the provider's own data
    joint_controllers: Declared[Person] = None
    contacts: Contacts = Contacts()


class Audit(Section):
    """The client's right to audit the provider."""

    notice_days: int | None = None
    every_months: int | None = None
    last: dt.date | None = None


class AtEnd(Section):
    """What happens to the data when the agreement ends."""

    action: Literal["delete", "return"]
    within_days: int = Field(ge=0)


class SubProcessors(Section):
    """How the client agrees to sub-processors."""

    authorisation: Literal["general", "specific", "none"]
    objection_days: int | None = None


class Agreement(Section):
    """The data-processing agreement with a client."""

    reference: str
    signed: dt.date | None = None
    ends: dt.date | None = None
    our_role: Literal["processor", "sub_processor", "joint_controller"] = "processor"
    purposes: tuple[str, ...] = ()
    categories: Declared[CategoryKey] = None
    subjects: Declared[str] = None
    transfers_permitted: Declared[Area] = None
    breach_notice_hours: float | None = Field(default=None, gt=0)
    audit: Audit | None = None
    at_end: AtEnd | None = None
    sub_processors: SubProcessors | None = None
    liability_cap: str | None = None


class ActivityEntry(Section):
    """A processing activity declared for a client."""

    id: Identifier
    name: str
    template: str | None = None
    purposes: tuple[str, ...] = ()
    legal_basis: str | None = None  # "A6-1-f"
    special_condition: str | None = None  # "A9-2-h"
    sources: tuple[Identifier, ...] = ()
    categories: Declared[CategoryKey] = None  # else those of the agreement
    subjects: Declared[str] = None  # else those of the agreement
    retention: dict[RetentionKey, Duration] = {}
    recipients: Declared[Identifier] = None
    measures: Declared[str] = None  # else those of the provider


class Assessment(Section):
    """An assessment of a transfer, by whoever answers for it."""

    kind: Literal["TIA", "TRA", "PIA", "DPIA"]
    date: dt.date
    reference: str | None = None


class RecipientEntry(Section):
    """To whom data is disclosed."""

    id: Identifier
    name: str
    country: Country
    role: Literal["sub_processor", "processor", "controller", "joint_controller", "authority"]
    service: str | None = None
    mechanism: Mechanism | None = None
    assessment: Assessment | None = None
    conditions: dict[str, bool] = {}
    due_diligence: dt.date | None = None
    notified: dt.date | None = None


class AccessEntry(Section):
    """From where people reach the data: remote access is a transfer."""

    country: Country
    who: str


class FlowEntry(BaseModel):
    """A flow that the client or the provider knows of."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    source: str = Field(alias="from")  # "source:asset"
    target: str = Field(alias="to")  # "source:asset" or a recipient's id
    categories: tuple[CategoryKey, ...] = ()


class ClientFile(Section):
    """``clients/ID.toml``."""

    client: ClientEntry
    agreement: Agreement | None = None
    activity: tuple[ActivityEntry, ...] = ()
    recipient: tuple[RecipientEntry, ...] = ()
    access: tuple[AccessEntry, ...] = ()
    rules: RulesEntry = RulesEntry()  # for this client's data alone, wherever it lies
    source: tuple[SourceEntry, ...] = ()
    flow: tuple[FlowEntry, ...] = ()

    @model_validator(mode="after")
    def _recipients_exist(self) -> ClientFile:
        known = {recipient.id for recipient in self.recipient}
        for activity in self.activity:
            for named in activity.recipients or ():
                if named not in known:
                    raise ValueError(f"activity {activity.id!r} names recipient {named!r}{nearest(named, known)}")
        return self


def permitted(areas: tuple[str, ...], country: str) -> bool:
    """Whether a list of ``transfers_permitted`` covers a country."""
    return country in areas or country[:2] in areas or ("EEA" in areas and country[:2] in EEA)
