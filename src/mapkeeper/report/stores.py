"""The record's part on where the data lies: sources, their places, assets, and how much of them was read."""

from __future__ import annotations

from collections.abc import Sequence

from mapkeeper.model import CellState, KnownAsset, KnownFinding, Reason
from mapkeeper.report.columns import cell
from mapkeeper.report.comparison import observed_state
from mapkeeper.report.holding import HeldSource, Holding, asset_evidence, finding_evidence
from mapkeeper.report.measures import is_measure, says
from mapkeeper.report.record import NOT_DECLARED, UNSAID, Cell, RecordView, Row, Section, Value
from mapkeeper.report.retention import tells_time
from mapkeeper.report.wording import category, counted, country, unseen


def sources(holding: Holding, view: RecordView) -> Section:
    """Every source with its place and when it was last scanned."""
    rows = [Row(source.id, _source(view, source)) for source in holding.sources]
    if not rows:
        nothing = Value(NOT_DECLARED, CellState.MISSING, f"{holding.basis.client_file} has no [[source]]")
        rows.append(Row("No source is declared", (cell("assets", view, [nothing]),)))
    reached = [
        Value(f"{country(one.country)}: {one.who}", CellState.DECLARED, None, holding.declares("access"))
        for one in holding.file.access
    ]
    rows.append(Row("People", (cell("access_locations", view, reached or [UNSAID]),)))
    return Section("sources", "Where the data lies", None, tuple(rows))


def assets(holding: Holding, view: RecordView) -> Section:
    """Every asset with how much of it was read, what was not, and what that may hide."""
    rows = tuple(Row(asset_evidence(one).ref, _asset_cells(view, one)) for one in holding.assets)
    says = "What was not read may hold what this record does not say."
    return Section("assets", "What was read, and what was not", None, rows, table=True, says=says)


def unmapped(holding: Holding, view: RecordView) -> Section:
    """What lies in shared stores and maps to no client: the provider answers for it until somebody says whose it is."""
    rows = []
    for asset in holding.unmapped:
        held = [one for one in holding.unmapped_findings if (one.source, one.asset) == (asset.source, asset.name)]
        keys = sorted({one.finding.category for one in held})
        found = [
            Value(category(key), observed_state(_of(held, key)), None, finding_evidence(_of(held, key))) for key in keys
        ] or [Value("nothing found", CellState.COMPUTED, unseen(asset.coverage.bound_95))]
        nobody = Value("maps to no client", CellState.MISSING, "add its prefix to the source in mapkeeper.toml")
        cells = (cell("client_id", view, [nobody]), cell("personal_data_categories", view, found))
        rows.append(Row(asset_evidence(asset).ref, cells + _asset_cells(view, asset)))
    note = "Found in stores that clients share, under no client's prefix."
    return Section("unmapped", "Held for nobody known", None, tuple(rows), says=note)


def _asset_cells(view: RecordView, asset: KnownAsset) -> tuple[Cell, ...]:
    """What was read of an asset, what was not, and what the store says of it."""
    told = [says(one) for one in asset.facts if is_measure(one) or (tells_time(one) and one.value is not None)]
    facts = [Value(", ".join(told), CellState.OBSERVED)] if told else []
    gaps = [
        Value(f"{gap.reason.value} ({gap.count:,})", CellState.MISSING, gap.says or None)
        for gap in asset.coverage.gaps
        if gap.reason is not Reason.BUDGET
    ]
    return (
        cell("coverage", view, [Value(_read(asset), CellState.COMPUTED, _bound(asset))]),
        cell("gaps", view, gaps),
        cell("facts", view, facts),
    )


def _of(findings: Sequence[KnownFinding], key: str) -> list[KnownFinding]:
    return [one for one in findings if one.finding.category == key]


def _read(asset: KnownAsset) -> str:
    coverage = asset.coverage
    if coverage.complete and not coverage.rows_read:
        return "all of it: no rows"
    if coverage.complete:
        return f"all {counted(coverage.rows_read, 'row')}"
    if coverage.rows_total is not None:
        return f"{coverage.rows_read:,} of {counted(coverage.rows_total, 'row')}"
    if coverage.objects_total > 1:
        objects = f"{coverage.objects_read:,} of {counted(coverage.objects_total, 'object')}"
        return f"{counted(coverage.rows_read, 'row')} in {objects}"
    return f"{counted(coverage.rows_read, 'row')} of how many is not known" if coverage.rows_read else "nothing"


def _bound(asset: KnownAsset) -> str | None:
    if asset.coverage.complete:
        return None
    how = "" if asset.coverage.method in ("all", "nothing") else f"{asset.coverage.method}: "
    return how + unseen(asset.coverage.bound_95)


def _source(view: RecordView, source: HeldSource) -> tuple[Cell, ...]:
    kind = source.entry.connector if source.entry is not None else source.known.connector if source.known else None
    connector = (
        Value(kind or NOT_DECLARED, CellState.DECLARED, "shared with other clients" if source.shared else None, ())
        if source.entry is not None
        else Value(kind or "not known", CellState.COMPUTED, "not configured any more")
    )
    seen = Value(source.seen, CellState.COMPUTED) if source.seen else Value("never", CellState.MISSING, "not scanned")
    return (
        cell("connector", view, [connector]),
        cell("location_countries", view, _places(source)),
        cell("last_scan", view, [seen]),
        cell("coverage", view, [_total(source)]),
    )


def _total(source: HeldSource) -> Value:
    if not source.assets:
        nothing = "no asset was seen" if source.seen else "not scanned"
        return Value("nothing", CellState.MISSING, nothing)
    whole = sum(asset.coverage.complete for asset in source.assets)
    rows = sum(asset.coverage.rows_read for asset in source.assets)
    text = f"{counted(rows, 'row')} of {counted(len(source.assets), 'asset')}"
    return Value(text, CellState.COMPUTED, f"{whole:,} of {len(source.assets):,} wholly read")


def _places(source: HeldSource) -> list[Value]:
    """What is declared against what the store tells; a store that tells of another country contradicts."""
    observed = source.observed
    values = []
    if (declared := source.declared) is not None and declared.country is not None:
        others = sorted(code for code in observed if not _same(code, declared.country))
        evidence = source.place_told + tuple(one for told in observed.values() for one in told)
        if others:
            told = ", ".join(country(code) for code in others)
            values.append(Value(country(declared.country), CellState.CONTRADICTED, f"the store says {told}", evidence))
        else:
            state = CellState.AGREED if observed else CellState.DECLARED
            values.append(Value(country(declared.country), state, None, evidence))
        observed = {code: told for code, told in observed.items() if code in others}
    values += [Value(country(code), CellState.OBSERVED, None, told) for code, told in sorted(observed.items())]
    return values or [Value("place not known", CellState.MISSING, "declare it, where the store cannot tell")]


def _same(one: str, other: str) -> bool:
    """Whether two codes may mean one place: "CA" says less than "CA-QC", not otherwise."""
    return one == other or (one[:2] == other[:2] and 2 in (len(one), len(other)))
