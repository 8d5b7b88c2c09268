"""The heart of the record: which categories of whose personal data are declared, observed, or both."""

from __future__ import annotations

from collections.abc import Iterable

from mapkeeper.categories import categories
from mapkeeper.model import CellState, KnownFinding
from mapkeeper.report.columns import cell, law
from mapkeeper.report.comparison import Compared, Declarations, compare, declarations, not_seen
from mapkeeper.report.holding import Holding
from mapkeeper.report.record import NONE, NOT_DECLARED, Evidence, RecordView, Row, Section, Value
from mapkeeper.report.wording import category, counted, country, special_of

_SPECIAL = {"art9": "special category (Art. 9)", "art10": "convictions and offences (Art. 10)"}


def people(holding: Holding, view: RecordView) -> Section:
    """Whose data it is."""
    values = subject_values(holding, declarations(_told(holding, "subjects")), holding.findings)
    row = Row("Everything held for this client", (cell("data_subject_categories", view, values),))
    says = "The scan reads whose data it is from names and addresses: take it for a hint."
    return Section("subjects", "Whose data", law("data_subject_categories", view), (row,), says=says)


def personal_data(holding: Holding, view: RecordView) -> Section:
    """Every category that is declared or was observed, with how much there is of it, and where."""
    rows: list[Row] = []
    by = "no activity" if holding.file.agreement is None else "neither the agreement nor an activity"
    for one in compare_categories(holding):
        name = NOT_DECLARED if one.state is CellState.MISSING else NONE if one.word == NONE else category(one.word)
        special = _special(one)
        value = Value(name, one.state, one.note, one.evidence, special)
        if one.state is CellState.MISSING:
            value = Value(name, one.state, f"{by} lists categories")
        cells = (
            cell("personal_data_categories", view, [value]),
            cell("special_category_present", view, [Value(_SPECIAL[special], CellState.COMPUTED)] if special else []),
            cell("record_count", view, _amount(one.findings)),
            cell("location_countries", view, _countries(holding, one.findings)),
        )
        rows.append(Row("declared categories" if one.word in (NONE, NOT_DECLARED) else one.word, cells))
    if all(one.finding.added for one in holding.findings):
        nothing = "not observed" if holding.scanned else "not scanned"
        row = (
            cell("personal_data_categories", view, [Value(nothing, CellState.MISSING, not_seen(holding))]),
            *(cell(key, view, []) for key in ("special_category_present", "record_count", "location_countries")),
        )
        rows.append(Row("observed categories", row))
    says = "Certain and likely findings that nobody dismissed; the evidence of each value is in the annex."
    item = law("personal_data_categories", view)
    return Section("categories", "Categories of personal data", item, tuple(rows), table=True, says=says)


def compare_categories(holding: Holding) -> list[Compared]:
    """Every category, declared or observed, in the order of the table of categories."""
    rows = compare(
        declarations(_told(holding, "categories")), by_category(holding.findings), not_seen(holding), stands_for
    )
    order = {key: number for number, key in enumerate(categories())}

    def place(one: Compared) -> tuple[bool, int, str]:
        prefixed = (number for key, number in order.items() if stands_for(one.word, key))
        return one.word not in (NONE, NOT_DECLARED), next(prefixed, len(order)), one.word

    return sorted(rows, key=place)


def stands_for(declared: str, observed: str) -> bool:
    """Whether a declared category is the observed one, or a prefix of it by whole words."""
    return f"{observed}.".startswith(f"{declared}.")


def by_category(findings: Iterable[KnownFinding]) -> dict[str, list[KnownFinding]]:
    """Findings by category."""
    found: dict[str, list[KnownFinding]] = {}
    for one in findings:
        found.setdefault(one.finding.category, []).append(one)
    return found


def _by_subject(findings: Iterable[KnownFinding]) -> dict[str, list[KnownFinding]]:
    """Findings by whose data they are, as far as the scan can tell."""
    found: dict[str, list[KnownFinding]] = {}
    for one in findings:
        if one.finding.subject is not None:
            found.setdefault(one.finding.subject, []).append(one)
    return dict(sorted(found.items()))


def subject_values(holding: Holding, declared: Declarations, findings: Iterable[KnownFinding]) -> list[Value]:
    """Declared and observed categories of data subjects."""
    observed = _by_subject(findings)
    compared = compare(declared, observed, not_seen(holding))
    values = [Value(one.word, one.state, one.note, one.evidence) for one in compared]
    if not observed and holding.findings:
        values.append(Value("not observed", CellState.MISSING, "nothing that was read tells whose data it is"))
    return values


def _told(holding: Holding, key: str) -> list[tuple[tuple[str, ...] | None, tuple[Evidence, ...]]]:
    """What the agreement and every activity declare."""
    told = []
    if (agreement := holding.file.agreement) is not None:
        told.append((getattr(agreement, key), holding.declares(f"agreement.{key}")))
    return told + [
        (getattr(activity, key), holding.declares(f"activity {activity.id}: {key}"))
        for activity in holding.file.activity
    ]


def _special(one: Compared) -> str | None:
    if one.word in (NONE, NOT_DECLARED):
        return None
    return next((found.finding.special for found in one.findings if found.finding.special), special_of(one.word))


def _amount(findings: tuple[KnownFinding, ...]) -> list[Value]:
    """Rows are counted once an asset: the field with the most tells how many there are at least."""
    if not findings:
        return []
    fields: dict[tuple[str, str], dict[str, int]] = {}
    for one in findings:
        hits = fields.setdefault((one.source, one.asset), {})
        hits[one.finding.field] = max(hits.get(one.finding.field, 0), one.finding.hits)
    rows = sum(max(hits.values()) for hits in fields.values())
    where = f"{counted(sum(len(hits) for hits in fields.values()), 'field')} of {counted(len(fields), 'asset')}"
    if all(one.finding.added for one in findings):
        return [Value(f"{where}, rows not counted", CellState.COMPUTED)]
    return [Value(f"{where}, at least {counted(rows, 'row')}", CellState.COMPUTED)]


def _countries(holding: Holding, findings: tuple[KnownFinding, ...]) -> list[Value]:
    codes = sorted({code for one in findings for code in holding.countries_of(one)})
    values = [Value(country(code), CellState.COMPUTED) for code in codes]
    if any(not holding.countries_of(one) for one in findings):
        values.append(Value("place not known", CellState.MISSING))
    return values
