"""The record of processing says of every value whether it is declared, observed or both, and shows the evidence."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calling import Run
from mapkeeper import config, discover
from mapkeeper.cli.register import write_register
from mapkeeper.config import Workspace
from mapkeeper.errors import ConfigurationError, UsageError
from mapkeeper.inventory import Inventory, View
from mapkeeper.model import (
    About,
    AssetResult,
    CellState,
    Coverage,
    Depth,
    Fact,
    Finding,
    Gap,
    KnownFinding,
    Place,
    Reason,
    Verdict,
    VerdictState,
)
from mapkeeper.report.formats import as_csv, as_html, as_json, printed
from mapkeeper.report.personal_data import stands_for
from mapkeeper.report.record import ATTENTION, Cell, Evidence, Record, RecordFormat, RecordView, Row, Value
from mapkeeper.report.register import register
from mapkeeper.report.transfers import crossed
from mapkeeper.report.wording import counted
from mapkeeper.scan import known_sources
from recording import finding, later, result

MAIN = """
[provider]
name = "Northlight Security"
country = "CA-QC"
privacy_officer = { name = "J. Tremblay", email = "privacy@northlight.example" }

[[source]]
id = "siem"
connector = "files"
path = "stores"
place = { country = "CA-QC" }
clients = { by = "prefix", map = { "globex/" = "globex", "initech/" = "initech" } }
"""

GLOBEX = """
[client]
id = "globex"
name = "Globex SA"
country = "FR"
regimes = ["EU-GDPR"]
key = "env:KEY"

[client.contacts]
privacy_officer = { name = "A. Martin", email = "dpo@globex.example" }

[agreement]
reference = "DPA-2026-014"
signed = 2026-01-15
ends = 2027-01-14
purposes = ["EnforceSecurity"]
categories = ["credential.username", "online.ip", "contact"]
subjects = ["employee"]
transfers_permitted = ["EEA", "CA-QC"]
at_end = { action = "delete", within_days = 30 }

[[activity]]
id = "soc"
name = "Monitoring for unauthorised access"
template = "monitoring"
legal_basis = "A6-1-f"
sources = ["siem", "crm"]
retention = { default = "P395D", "contact" = "P30D", "contact.email" = "P1Y6M" }
recipients = ["ti-vendor"]

[[recipient]]
id = "ti-vendor"
name = "TI Vendor Inc."
country = "US"
role = "sub_processor"
service = "reputation look-ups"
mechanism = "SCC_M3"
assessment = { kind = "TIA", date = 2026-03-02, reference = "TIA-7" }

[[access]]
country = "IN"
who = "tier-1 analysts"

[[source]]
id = "crm"
connector = "files"
path = "crm"
place = { country = "FR" }
"""

INITECH = """
[client]
id = "initech"
name = "Initech Widgets Ltd"
country = "GB"
key = "env:KEY"

[[source]]
id = "warehouse"
connector = "files"
path = "warehouse"
"""

OWN = """
[client]
id = "northlight"
name = "Northlight Security"
country = "CA-QC"
regimes = ["QC-L25"]
own = true
key = "env:KEY"

[[activity]]
id = "on-call"
name = "Planning of the on-call service"
sources = ["staff"]
recipients = "none"

[[source]]
id = "staff"
connector = "files"
path = "staff"
place = { country = "CA-QC" }
"""

PRINTED = later(days=1)


class House:
    """A workspace with its inventory, in which scans can be made up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "clients").mkdir(parents=True)
        (folder / "mapkeeper.toml").write_text(MAIN)
        for id, text in (("globex", GLOBEX), ("initech", INITECH), ("northlight", OWN)):
            self.file(id).write_text(text)
        self.inventory = Inventory.open(f"sqlite:///{folder / 'inventory.db'}")

    def file(self, client: str) -> Path:
        return self.folder / "clients" / f"{client}.toml"

    def change(self, client: str, old: str, new: str) -> None:
        text = self.file(client).read_text()
        assert old in text
        self.file(client).write_text(text.replace(old, new))

    @property
    def opened(self) -> Workspace:
        return config.load(self.folder, discover.catalogue())

    def scan(self, *found: tuple[str, AssetResult], days: int = 0) -> int:
        """A scan that found these assets, each in its source; the prefix tells whose those of a shared one are."""
        opened, now = self.opened, later(days)
        self.inventory.put_sources(known_sources(opened))
        texts = {client.id: client.text for client in opened.clients.values()}
        scan = self.inventory.begin(Depth.SAMPLE, "0.1.0", now, texts)
        for source in {source for source, _ in found}:
            self.inventory.lease(scan, source, now)
        for source, what in found:
            client, unmapped = opened.client_of(source, what.asset.name)
            self.inventory.record(
                scan, client, source, what, rules="r1", depth=Depth.SAMPLE, unmapped=unmapped, now=now
            )
        for source in {source for source, _ in found}:
            self.inventory.source_state(source, "ok", None, now)
        self.inventory.end(scan, "done", now)
        return scan

    def record(self, client: str = "globex", view: RecordView | None = None, at: int | None = None) -> Record:
        return register(self.opened, self.inventory, client, PRINTED, view, at)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "house")
    yield made
    made.inventory.close()


def holds(category: str, field: str = "f", confidence: float = 0.98, subject: str | None = None) -> Finding:
    return replace(finding(field, confidence=confidence), category=category, subject=subject)


def row(record: Record, section: str, about: str) -> Row:
    (found,) = [row for part in record.sections if part.key == section for row in part.rows if row.about == about]
    return found


def cell(record: Record, section: str, about: str, key: str) -> Cell:
    (found,) = [cell for cell in row(record, section, about).cells if cell.key == key]
    return found


def value(record: Record, section: str, about: str, key: str) -> Value:
    (found,) = cell(record, section, about, key).values
    return found


def category(record: Record, key: str) -> Value:
    return value(record, "categories", key, "personal_data_categories")


def attention(record: Record) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {kind: [] for kind in ATTENTION}
    for one in record.attention():
        found[one.kind].append(f"{one.row.about}: {one.value.text}")
    return found


# Declaration against scan


def test_a_category_that_is_declared_and_found_is_agreed_and_shows_both_pieces_of_evidence(house: House) -> None:
    house.scan(("crm", result("people", [holds("online.ip")])))
    (found,) = house.inventory.at().findings()
    agreed = category(house.record(), "online.ip")
    assert agreed.state is CellState.AGREED
    assert agreed.text == "IP address"
    assert agreed.evidence == (
        Evidence("declaration", "clients/globex.toml: agreement.categories"),
        Evidence("finding", found.id),
    )


def test_a_category_that_nobody_declared_is_observed_only(house: House) -> None:
    house.scan(("crm", result("people", [holds("financial.salary")])))
    record = house.record()
    assert category(record, "financial.salary").state is CellState.OBSERVED
    assert value(record, "categories", "financial.salary", "location_countries").text == "France (FR)"


def test_a_special_category_that_nobody_declared_asks_for_attention(house: House) -> None:
    house.scan(("crm", result("people", [holds("health.record"), holds("financial.salary", "g")])))
    record = house.record()
    assert attention(record)["special category that nobody declared"] == ["health.record: Health record"]
    apart = value(record, "categories", "health.record", "special_category_present")
    assert apart.text == "special category (Art. 9)"
    condition = value(record, "activities", "Monitoring for unauthorised access", "art9_condition")
    assert (condition.text, condition.state) == ("NOT DECLARED", CellState.MISSING)


def test_a_declared_special_category_that_is_found_asks_for_none(house: House) -> None:
    house.change("globex", '"contact"]', '"contact", "health.record"]')
    house.scan(("crm", result("people", [holds("health.record")])))
    record = house.record()
    assert category(record, "health.record").state is CellState.AGREED
    assert attention(record)["special category that nobody declared"] == []


def test_a_category_that_was_not_found_is_declared_only_and_says_what_the_unread_part_may_hide(house: House) -> None:
    part = Coverage(40_000, 9_985, None, 0, 1, 1, "random rows", False, (Gap(Reason.BUDGET),), 0.0003)
    house.scan(("crm", replace(result("people", []), coverage=part)))
    declared = category(house.record(), "online.ip")
    assert declared.state is CellState.DECLARED
    assert declared.note is not None
    assert "a category in fewer than 0.03 % of rows may be unseen" in declared.note
    read = value(house.record(), "assets", "crm: people", "coverage")
    assert (read.text, read.note) == (
        "9,985 of 40,000 rows",
        "random rows: a category in fewer than 0.03 % of rows may be unseen",
    )


def test_a_declared_prefix_stands_for_what_is_under_it(house: House) -> None:
    house.scan(("crm", result("people", [holds("contact.email")])))
    record = house.record()
    assert category(record, "contact.email").state is CellState.AGREED
    assert category(record, "contact.email").note == "declared as contact"
    assert "contact" not in [row.about for part in record.sections for row in part.rows]


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (1, "access", "1 access"),
        (0, "access", "0 accesses"),
        (2_000, "row", "2,000 rows"),
        (3, "country", "3 countries"),
    ],
)
def test_a_number_of_things_is_said_as_people_say_it(number: int, noun: str, said: str) -> None:
    assert counted(number, noun) == said


def test_a_declared_prefix_counts_by_whole_words() -> None:
    assert stands_for("online", "online.ip")
    assert not stands_for("online", "onlineshop.ip")
    assert not stands_for("online.ip", "online")


def test_an_explicit_none_is_a_declaration(house: House) -> None:
    house.change("globex", 'categories = ["credential.username", "online.ip", "contact"]', 'categories = "none"')
    assert category(house.record(), "declared categories").state is CellState.DECLARED
    house.scan(("crm", result("people", [holds("online.ip")])))
    none = category(house.record(), "declared categories")
    assert (none.text, none.state) == ("none", CellState.CONTRADICTED)
    assert [one.kind for one in none.evidence] == ["declaration", "finding"]
    assert category(house.record(), "online.ip").state is CellState.OBSERVED


def test_what_nobody_declared_is_not_declared_and_not_none(house: House) -> None:
    house.change("globex", 'categories = ["credential.username", "online.ip", "contact"]\n', "")
    house.scan(("crm", result("people", [holds("online.ip")])))
    missing = category(house.record(), "declared categories")
    assert (missing.text, missing.state) == ("NOT DECLARED", CellState.MISSING)


def test_likely_is_marked_and_possible_is_left_out(house: House) -> None:
    likely, possible = holds("online.ip", "a", 0.6), holds("credential.username", "b", 0.4)
    house.scan(("crm", result("people", [likely, possible])))
    record = house.record()
    assert category(record, "online.ip").note == "to confirm"
    assert category(record, "credential.username").state is CellState.DECLARED
    assert [one.finding.category for one in record.findings] == ["online.ip"]


@pytest.mark.parametrize(
    ("state", "note"), [(None, "to confirm"), (VerdictState.CONFIRMED, None), (VerdictState.ACCEPTED, None)]
)
def test_what_a_person_confirmed_is_not_to_confirm_any_more(
    house: House, monkeypatch: pytest.MonkeyPatch, state: VerdictState | None, note: str | None
) -> None:
    house.scan(("crm", result("people", [holds("online.ip", confidence=0.6)])))
    judge(monkeypatch, state)
    assert category(house.record(), "online.ip").note == note


def test_what_a_person_dismissed_is_not_printed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.scan(("crm", result("people", [holds("online.ip")])))
    judge(monkeypatch, VerdictState.DISMISSED)
    record = house.record()
    assert category(record, "online.ip").state is CellState.DECLARED
    assert record.findings == ()


def judge(monkeypatch: pytest.MonkeyPatch, state: VerdictState | None) -> None:
    known = View.findings
    about = About(None, "*", "*", "*", None, None)
    verdict = Verdict("v-1", state, about, "asked the owner", "Ada", PRINTED) if state is not None else None

    def judged(view: View) -> list[KnownFinding]:
        return [replace(one, verdict=verdict) for one in known(view)]

    monkeypatch.setattr(View, "findings", judged)


def test_rows_are_counted_once_an_asset(house: House) -> None:
    first = result("people", [replace(holds("online.ip", "a"), hits=300), replace(holds("online.ip", "b"), hits=200)])
    house.scan(("crm", first), ("crm", result("more", [replace(holds("online.ip", "a"), hits=7)])))
    amount = value(house.record(), "categories", "online.ip", "record_count")
    assert amount.text == "3 fields of 2 assets, at least 307 rows"


def test_subjects_are_declared_and_observed(house: House) -> None:
    people = [holds("online.ip", "a", subject="employee"), holds("contact.email", "b", subject="customer")]
    house.scan(("crm", result("people", people)))
    subjects = cell(house.record(), "subjects", "Everything held for this client", "data_subject_categories")
    assert {one.text: one.state for one in subjects.values} == {
        "customer": CellState.OBSERVED,
        "employee": CellState.AGREED,
    }


# Places, transfers, recipients


def test_a_place_that_the_store_contradicts_is_contradicted(house: House) -> None:
    told = result("people", [], facts=[Fact("country", "US", "api")])
    house.scan(("crm", told), ("crm", result("more", [])))
    places = cell(house.record(), "sources", "crm", "location_countries").values
    assert [(one.text, one.state) for one in places] == [
        ("France (FR)", CellState.CONTRADICTED),
        ("United States (US)", CellState.OBSERVED),
    ]
    assert value(house.record(), "transfers", "storage: crm (US)", "transfers").state is CellState.COMPUTED


def test_a_place_that_the_store_confirms_is_agreed(house: House) -> None:
    house.scan(("crm", result("people", [], facts=[Fact("country", "FR", "api")])))
    assert value(house.record(), "sources", "crm", "location_countries").state is CellState.AGREED


def test_storage_recipients_and_access_across_the_border_are_transfers(house: House) -> None:
    record = house.record()
    (section,) = [part for part in record.sections if part.key == "transfers"]
    assert [one.about for one in section.rows] == [
        "storage: siem (CA-QC)",
        "recipient: TI Vendor Inc. (US)",
        "access: tier-1 analysts (IN)",
    ]
    storage, vendor, access = (one.about for one in section.rows)
    assert value(record, "transfers", storage, "transfer_permitted").text == "yes"
    assert value(record, "transfers", vendor, "transfer_mechanism").text == "SCC_M3"
    assert value(record, "transfers", vendor, "transfer_assessment").text == "TIA, TIA-7, 2 March 2026"
    assert value(record, "transfers", access, "transfer_permitted").state is CellState.CONTRADICTED
    assert value(record, "transfers", access, "transfer_verdict").text == "not assessed"
    assert attention(record)["transfer without a mechanism"] == [
        f"{storage}: no mechanism on file",
        f"{access}: no mechanism on file",
    ]


def test_a_place_that_nobody_knows_is_missing_and_not_at_home(house: House) -> None:
    record = house.record("initech")
    unknown = value(record, "transfers", "storage: warehouse", "transfers")
    assert (unknown.text, unknown.state) == ("place not known", CellState.MISSING)
    assert "storage: warehouse: place not known" in attention(record)["asked by law and missing"]


@pytest.mark.parametrize(
    ("regimes", "home", "destination", "laws"),
    [
        (("EU-GDPR",), "FR", "DE", []),
        (("EU-GDPR",), "FR", "NO", []),
        (("EU-GDPR",), "FR", "CH", ["EU-GDPR"]),
        (("EU-GDPR",), "CA-QC", "FR", ["EU-GDPR"]),
        (("QC-L25",), "CA-QC", "CA-QC", []),
        (("QC-L25",), "CA-QC", "CA-ON", ["QC-L25"]),
        (("QC-L25",), "CA-QC", "CA", ["QC-L25?"]),
        (("QC-L25", "EU-GDPR"), "FR", "DE", ["QC-L25"]),
        (("CA-PIPEDA",), "CA-QC", "CA-ON", []),
        (("UK-GDPR",), "GB", "FR", ["UK-GDPR"]),
        ((), "FR", "DE", ["no law is named"]),
    ],
)
def test_a_border_is_crossed_where_the_law_draws_it(
    regimes: tuple[str, ...], home: str, destination: str, laws: list[str]
) -> None:
    assert crossed(regimes, home, destination) == laws


def test_a_declared_none_of_recipients_is_contradicted_by_a_flow_to_one(house: House) -> None:
    house.change("globex", 'recipients = ["ti-vendor"]', 'recipients = "none"')
    about = "Monitoring for unauthorised access"
    assert value(house.record(), "activities", about, "recipients_external").state is CellState.DECLARED
    with house.file("globex").open("a") as file:
        file.write('[[flow]]\nfrom = "crm:people"\nto = "ti-vendor"\n')
    none = value(house.record(), "activities", about, "recipients_external")
    assert (none.text, none.state) == ("none", CellState.CONTRADICTED)


# Retention, measures, coverage


def test_each_category_is_kept_as_the_nearest_key_says(house: House) -> None:
    old = [Fact("newest", "2026-11-20", "metadata"), Fact("oldest", "2024-01-05", "metadata")]
    house.scan(("crm", result("people", [holds("contact.email"), holds("online.ip", "g")], facts=old)))
    record = house.record()
    assert value(record, "retention", "E-mail address", "retention_declared").text == "1 year 6 months"
    assert value(record, "retention", "IP address", "retention_declared").text == "395 days"
    seen = value(record, "retention", "IP address", "retention_observed")
    assert (seen.text, seen.state) == ("oldest 2024-01-05, newest 2026-11-20", CellState.OBSERVED)


def test_facts_of_protection_are_observed_only_and_name_nobody(house: House) -> None:
    facts = [Fact("public", True, "metadata"), Fact("owner", "jdoe", "metadata"), Fact("encryption", None, "api")]
    house.scan(("crm", result("people", [], facts=facts)))
    record = house.record()
    measures = cell(record, "measures", "As the stores tell", "toms")
    assert [(one.text, one.state) for one in measures.values] == [("public: yes", CellState.OBSERVED)]
    assert measures.values[0].evidence == (Evidence("asset", "crm: people"),)
    assert "jdoe" not in as_html(record) + as_json(record) + as_csv(record)
    assert value(record, "measures", "Everything the provider does", "toms").text == "NOT DECLARED"


def test_what_was_not_read_is_printed_with_its_reason(house: House) -> None:
    none = Coverage(None, 0, None, 0, 1, 0, "nothing", False, (Gap(Reason.DENIED, says="may not be read"),), 1.0)
    house.scan(("crm", replace(result("people", []), coverage=none)))
    record = house.record()
    gap = value(record, "assets", "crm: people", "gaps")
    assert (gap.text, gap.state, gap.note) == ("denied (1)", CellState.MISSING, "may not be read")
    assert value(record, "assets", "crm: people", "coverage").text == "nothing"
    assert record.read == "1 asset of 2 sources, 1 of them not wholly"


# Whose record


def test_a_client_that_was_never_scanned_has_a_record(house: House) -> None:
    record = house.record()
    assert record.basis.scan is None
    assert category(record, "online.ip").note == "not scanned"
    assert category(record, "observed categories").text == "not scanned"
    assert value(record, "sources", "crm", "last_scan").state is CellState.MISSING
    assert "this client was never scanned" in as_html(record)


def everything(house: House) -> None:
    """A scan in which everybody's data lies, with names that tell on whoever leaks them."""
    house.scan(
        ("siem", result("globex/auth.log", [holds("credential.username")])),
        ("siem", result("initech/payroll.csv", [holds("financial.salary", "initech_pay")])),
        ("siem", result("lost/vpn.csv", [holds("online.ip", "lost_ip")])),
        ("warehouse", result("stock", [holds("contact.email", "buyer")])),
        ("crm", result("people", [holds("contact.email", subject="customer")])),
        ("staff", result("roster", [holds("contact.phone", "mobile")])),
    )


def words_of(record: Record, format: RecordFormat) -> str:
    """All that a printed record says; a workbook is an archive of texts."""
    made = printed(record, format)
    if isinstance(made, str):
        return made
    with zipfile.ZipFile(io.BytesIO(made)) as packed:
        return "\n".join(packed.read(name).decode() for name in packed.namelist())


@pytest.mark.parametrize("format", list(RecordFormat))
def test_the_record_of_one_client_tells_nothing_of_another(house: House, format: RecordFormat) -> None:
    everything(house)
    text = words_of(house.record("globex"), format)
    assert "globex/auth.log" in text
    for word in ("nitech", "payroll", "warehouse", "stock", "buyer", "lost", "roster", "staff", "alary"):
        assert word not in text, word
    text = words_of(house.record("initech"), format)
    assert "payroll.csv" in text or format is RecordFormat.CSV
    for word in ("lobex", "auth.log", "crm", "people", "TI Vendor", "lost", "roster", "staff"):
        assert word not in text, word


def test_an_activity_that_names_a_source_of_another_client_does_not_print_it(house: House) -> None:
    house.change("globex", 'sources = ["siem", "crm"]', 'sources = ["warehouse"]')
    record = house.record()
    named = value(record, "activities", "Monitoring for unauthorised access", "assets")
    assert named.state is CellState.CONTRADICTED
    assert "warehouse" not in as_json(record)


def test_a_source_that_went_over_to_another_client_does_not_tell_where_that_one_keeps_it(house: House) -> None:
    entry = '\n[[source]]\nid = "attic"\nconnector = "files"\npath = "attic"\n'
    house.file("globex").write_text(GLOBEX + entry)
    first = house.scan(("attic", result("boxes", [])))
    house.file("globex").write_text(GLOBEX)
    house.file("initech").write_text(INITECH + entry)
    house.scan()
    house.inventory.source_state("attic", "ok", Place("JP", known_by="api"), later(1))
    places = cell(house.record(at=first), "sources", "attic", "location_countries")
    assert [one.text for one in places.values] == ["place not known"]


def test_what_maps_to_no_client_stands_in_the_record_of_the_provider_and_not_among_its_own_data(house: House) -> None:
    everything(house)
    record = house.record("northlight")
    assert value(record, "unmapped", "siem: lost/vpn.csv", "client_id").state is CellState.MISSING
    assert attention(record)["held for nobody known"] == ["siem: lost/vpn.csv: maps to no client"]
    assert "online.ip" not in [one.about for part in record.sections if part.key == "categories" for one in part.rows]
    assert category(record, "contact.phone").state is CellState.OBSERVED


def test_the_view_is_what_our_role_asks_for(house: House) -> None:
    assert house.record("globex").view is RecordView.PROCESSOR
    assert house.record("northlight").view is RecordView.CONTROLLER
    with pytest.raises(UsageError, match="art30-2 is the record that a processor keeps"):
        house.record("globex", RecordView.CONTROLLER)
    with pytest.raises(UsageError, match="art30-1 is its record"):
        house.record("northlight", RecordView.PROCESSOR)
    house.change("globex", "[agreement]", '[agreement]\nour_role = "joint_controller"')
    joint = house.record("globex")
    assert joint.view is RecordView.CONTROLLER
    assert {one.about for one in joint.sections[0].rows} == {"Controller", "Joint controller: us", "Relation"}


@pytest.mark.parametrize(
    ("client", "laws"),
    [
        ("globex", {"parties": "GDPR Art. 30(2)(a)", "activities": "GDPR Art. 30(2)(b)", "recipients": None}),
        ("northlight", {"parties": "GDPR Art. 30(1)(a)", "activities": "GDPR Art. 30(1)(b)"}),
    ],
)
def test_each_part_names_the_item_that_asks_for_it(house: House, client: str, laws: dict[str, str | None]) -> None:
    sections = {part.key: part.law for part in house.record(client).sections}
    assert {key: sections[key] for key in laws} == laws


def test_a_client_under_another_law_is_told_whose_form_this_is(house: House) -> None:
    assert "GDPR Art. 30(1), which QC-L25 does not prescribe" in house.record("northlight").basis.notes[0]
    assert house.record("globex").basis.notes == ()


def test_every_item_of_both_articles_has_its_cell(house: House) -> None:
    def items(record: Record) -> set[str]:
        laws = {cell.law for *_, cell, _ in record.values() if cell.law}
        return {match[1] for law in laws if (match := re.search(r"\((\w)\)(?:,|$)", law))}

    assert items(house.record("northlight")) == set("abcdefg")
    assert items(house.record("globex")) == set("abcd")


def test_a_representative_is_asked_only_of_those_who_sit_elsewhere(house: House) -> None:
    record = house.record()
    assert value(record, "parties", "Controller", "representative").text == "not needed"
    assert value(record, "parties", "Processor: us", "representative").text == "NOT DECLARED"


def test_a_sub_processor_does_not_take_its_client_for_the_controller(house: House) -> None:
    house.change("globex", "[agreement]", '[agreement]\nour_role = "sub_processor"')
    record = house.record()
    assert value(record, "parties", "Controller", "controller_name_contact").text == "NOT DECLARED"
    assert value(record, "parties", "Processor we work for", "processor_name_contact").text == "Globex SA, France (FR)"


# As it was


def test_a_record_of_the_past_is_printed_from_the_file_of_then(house: House) -> None:
    first = house.scan(("crm", result("people", [holds("online.ip")])))
    house.change("globex", '"DPA-2026-014"', '"DPA-2027-001"')
    house.change("globex", '"online.ip", ', "")
    house.scan(("crm", result("people", [holds("financial.salary")])), days=1)
    then, now = house.record(at=first), house.record()
    assert value(then, "agreement", "DPA-2026-014", "contract_ref").text == "DPA-2026-014"
    assert category(then, "online.ip").state is CellState.AGREED
    assert category(now, "financial.salary").state is CellState.OBSERVED
    assert then.basis.sha256 != now.basis.sha256
    assert value(then, "sources", "crm", "last_scan").text == "21 November 2026"
    assert any("that scan 1 ran with" in note for note in then.basis.notes)


def test_a_file_that_changed_after_the_scan_is_remarked_on(house: House) -> None:
    house.scan(("crm", result("people", [])))
    assert house.record().basis.notes == ()
    house.change("globex", '"DPA-2026-014"', '"DPA-2027-001"')
    assert "clients/globex.toml was changed after scan 1" in house.record().basis.notes[0]


def test_a_kept_file_that_this_version_does_not_understand_is_said_in_one_line(house: House) -> None:
    house.scan(("crm", result("people", [])))
    scan = house.inventory.begin(Depth.SAMPLE, "9", later(1), {"globex": "[client]\nshoe_size = 43\n"})
    house.inventory.end(scan, "done", later(1))
    with pytest.raises(ConfigurationError, match=r"clients/globex\.toml as scan 2 kept it: .* not understand"):
        house.record(at=scan)


# Formats


class Page(HTMLParser):
    """What a page is made of; complains of tags that do not match."""

    VOID = frozenset({"meta", "br", "link", "img", "input", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.tags if "id" in attributes]

    @property
    def links(self) -> list[str]:
        return [attributes["href"] or "" for _, attributes in self.tags if "href" in attributes]


@pytest.mark.parametrize("client", ["globex", "initech", "northlight"])
def test_every_piece_of_evidence_can_be_opened(house: House, client: str) -> None:
    everything(house)
    record = house.record(client)
    page = Page(as_html(record))
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    for *_, one in record.values():
        for evidence in one.evidence:
            if evidence.kind == "finding":
                assert f"#{evidence.ref}" in page.links
            assert evidence.kind in ("finding", "asset", "source", "declaration")


def test_the_page_loads_nothing_and_may_load_nothing(house: House) -> None:
    everything(house)
    text = as_html(house.record())
    page = Page(text)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    assert all(link.startswith("#") for link in page.links)
    assert not any("src" in attributes for _, attributes in page.tags)
    (policy,) = [attributes["content"] or "" for tag, attributes in page.tags if "http-equiv" in attributes]
    assert policy.startswith("default-src 'none'")
    assert ("html", {"lang": "en"}) in page.tags


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "=HYPERLINK(A1)",
    "a\nb\r\tc",
    "\u202egnp",
    "é'&",
)


def test_hostile_names_are_harmless_everywhere(house: House) -> None:
    house.change("globex", 'name = "Globex SA"', "name = '<b>Globex</b>'")
    for number, name in enumerate(HOSTILE):
        facts = [Fact("note", name, "api")]
        gaps = [Gap(Reason.UNREADABLE, says=name)]
        found = replace(holds("online.ip", name), sample=(name,), where=(name,), why=(name,), subject=name)
        house.scan(("crm", result(name, [found], facts=facts, gaps=gaps)), days=number)
    record = house.record()
    text = as_html(record)
    page = Page(text)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not {"img", "b"} & {tag for tag, _ in page.tags}
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    assert "\u202e" not in text
    assert r"\u202egnp" in text
    for line in csv.reader(io.StringIO(as_csv(record))):
        assert len(line) == 11
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in line)
    names = {one["asset"] for one in json.loads(as_json(record))["findings"]}
    assert names == set(HOSTILE)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(words=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])), min_size=4, max_size=4))
def test_any_words_make_a_page_that_parses_and_a_table_that_keeps_its_columns(house: House, words: list[str]) -> None:
    record = house.record()
    (first, *rest) = record.sections
    odd = Value(words[0], CellState.OBSERVED, words[1], (Evidence("declaration", words[2]),))
    rows = (Row(words[3], (Cell("purpose", "Purposes", None, (odd,)),)),)
    record = replace(record, sections=(replace(first, rows=rows), *rest))
    Page(as_html(record))
    assert {len(line) for line in csv.reader(io.StringIO(as_csv(record), newline=""))} == {11}


def test_every_format_has_the_same_values_in_the_same_states(house: House) -> None:
    everything(house)
    record = house.record()
    here = [(cell.key, value.text, value.state.value) for *_, cell, value in record.values()]
    document = json.loads(as_json(record))
    told = [
        (cell["key"], value["text"], value["state"])
        for section in document["sections"]
        for row in section["rows"]
        for cell in row["cells"]
        for value in cell["values"]
    ]
    assert told == here
    lines = list(csv.DictReader(io.StringIO(as_csv(record))))
    assert [(line["cell"], line["value"], line["state"]) for line in lines] == here
    page = as_html(record)
    shown = re.findall(r'<span class="text"><bdi>(.*?)</bdi></span>\s*<span class="state">(.*?)</span>', page)
    assert [state for _, state in shown] == [state for *_, state in here]


def test_the_keys_of_the_document_are_those_that_scripts_know(house: House) -> None:
    everything(house)
    document = json.loads(as_json(house.record()))
    assert list(document) == [
        "title", "law", "view", "client", "client_name", "provider", "role", "regimes", "printed", "read", "basis",
        "states", "attention", "sections", "findings",
    ]  # fmt: skip
    section = document["sections"][0]
    assert list(section) == ["key", "title", "law", "says", "rows"]
    assert list(section["rows"][0]) == ["about", "cells"]
    assert list(section["rows"][0]["cells"][0]) == ["key", "title", "law", "values"]
    one = section["rows"][0]["cells"][0]["values"][0]
    assert list(one) == ["text", "state", "note", "special", "evidence"]
    assert list(one["evidence"][0]) == ["kind", "ref"]
    assert list(document["states"]) == [state.value for state in CellState]
    assert document["findings"][0]["id"].startswith("f-")


def test_the_same_record_is_printed_the_same(house: House) -> None:
    everything(house)
    for format in RecordFormat:
        assert printed(house.record(), format) == printed(house.record(), format)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("state", list(CellState))
def test_the_colours_of_every_state_can_be_read(state: CellState) -> None:
    style = files("mapkeeper.report").joinpath("templates/register.css").read_text()
    found = re.search(rf"\.{state.name.lower()} > \.state {{ color: (#\w+); background: (#\w+)", style)
    assert found is not None
    light, dark = sorted((luminance(found[1]), luminance(found[2])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


# The command


def test_the_command_prints_and_writes(house: House, mapkeeper: Run) -> None:
    everything(house)
    told = mapkeeper("register", "--client", "globex", "--format", "json", "-w", house.folder)
    assert (told.exit, told.err) == (0, "")
    assert json.loads(told.out)["client"] == "globex"
    page = house.folder / "own.html"
    wrote = mapkeeper("register", "--provider", "--at", "1", "-o", page, "-w", house.folder)
    assert (wrote.exit, wrote.out, wrote.err) == (0, "", "")
    assert "Planning of the on-call service" in page.read_text()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "either --client ID or --provider"),
        (("--client", "globex", "--provider"), "not both"),
        (("--client", "globx"), "did you mean 'globex'?"),
        (("--client", "globex", "--view", "art30-1"), "art30-2 is the record that a processor keeps"),
    ],
)
def test_a_wrong_call_says_what_would_be_right(house: House, mapkeeper: Run, args: Sequence[str], says: str) -> None:
    ran = mapkeeper("register", *args, "-w", house.folder)
    assert (ran.exit, ran.out) == (2, "")
    assert says in ran.err
    assert len(ran.err.splitlines()) == 1


def test_the_provider_without_a_file_of_its_own_is_told_to_make_one(house: House, mapkeeper: Run) -> None:
    house.file("northlight").unlink()
    (house.folder / "mapkeeper.toml").write_text(MAIN[: MAIN.index("[[source]]")])
    house.change("globex", '"siem", ', "")
    ran = mapkeeper("register", "--provider", "-w", house.folder)
    assert ran.exit == 2
    assert "own = true" in ran.err


def test_a_page_is_written_for_whoever_asks_below_the_command(house: House, tmp_path: Path) -> None:
    now = dt.datetime(2026, 11, 22, 9, 5, tzinfo=dt.UTC)
    write_register(house.opened, house.inventory, "globex", tmp_path / "globex.html", now)
    text = (tmp_path / "globex.html").read_text()
    assert "22 November 2026, 09:05 UTC" in text
    Page(text)
