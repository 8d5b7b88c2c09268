"""The record of processing as a file: one page of HTML, a workbook, a JSON document, a CSV table."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from importlib.resources import files
from itertools import groupby
from typing import Any

from mapkeeper.categories import categories
from mapkeeper.model import CellState, KnownFinding
from mapkeeper.report.cells import csv_text, json_text, visible
from mapkeeper.report.listing import finding_row
from mapkeeper.report.record import STATES, Attention, Evidence, Record, RecordFormat, Row, Section, Value
from mapkeeper.report.wording import category, decided, moment
from mapkeeper.report.workbook import workbook

_NAMED_ROWS = {"assets": "Asset", "transfers": "By way of", "retention": "Category"}
"""Tables whose rows are called by what they are about, and not by their first cell."""


def printed(record: Record, format: RecordFormat) -> str | bytes:
    """The whole record as a text; a workbook as bytes."""
    made: dict[RecordFormat, Callable[[Record], str | bytes]] = {
        RecordFormat.HTML: as_html,
        RecordFormat.XLSX: workbook,
        RecordFormat.CSV: as_csv,
        RecordFormat.JSON: as_json,
    }
    return made[format](record)


def as_json(record: Record) -> str:
    """One document. Keys may be added, never changed."""
    scan = record.basis.scan
    document = {
        "title": record.title,
        "law": record.law,
        "view": record.view.value,
        "client": record.client,
        "client_name": record.client_name,
        "provider": record.provider,
        "role": record.role,
        "regimes": list(record.regimes),
        "printed": record.printed.isoformat(),
        "read": record.read,
        "basis": {
            "scan": scan.id if scan is not None else None,
            "started": scan.started.isoformat() if scan is not None else None,
            "ended": scan.ended.isoformat() if scan is not None and scan.ended is not None else None,
            "state": scan.state if scan is not None else None,
            "client_file": record.basis.client_file,
            "sha256": record.basis.sha256,
            "notes": list(record.basis.notes),
        },
        "states": {state.value: count for state, count in record.counts().items()},
        "attention": [
            {
                "kind": one.kind,
                "section": one.section.key,
                "about": one.row.about,
                "key": one.cell.key,
                "text": one.value.text,
            }
            for one in record.attention()
        ],
        "sections": [_section(section) for section in record.sections],
        "findings": [_finding(record, one) for one in record.findings],
    }
    return json_text(document)


def _section(section: Section) -> dict[str, Any]:
    return {
        "key": section.key,
        "title": section.title,
        "law": section.law,
        "says": section.says,
        "rows": [
            {
                "about": row.about,
                "cells": [
                    {
                        "key": cell.key,
                        "title": cell.title,
                        "law": cell.law,
                        "values": [_value(value) for value in cell.values],
                    }
                    for cell in row.cells
                ],
            }
            for row in section.rows
        ],
    }


def _value(value: Value) -> dict[str, Any]:
    return {
        "text": value.text,
        "state": value.state.value,
        "note": value.note,
        "special": value.special,
        "evidence": [{"kind": one.kind, "ref": one.ref} for one in value.evidence],
    }


def _finding(record: Record, one: KnownFinding) -> dict[str, Any]:
    seen = (one.first_seen, one.last_seen)
    place = record.countries.get(one.id)
    return finding_row(one.id, one.client, one.source, one.asset, one.finding, place, seen, one.verdict)


def as_csv(record: Record) -> str:
    """One row a value; ``about`` tells apart what the cell is about."""
    columns = (
        "client", "view", "section", "about", "cell", "title", "law", "value", "state", "note", "evidence",
    )  # fmt: skip
    rows = (
        (
            record.client,
            record.view.value,
            section.key,
            row.about,
            cell.key,
            cell.title,
            cell.law,
            value.text,
            value.state.value,
            value.note,
            [one.ref for one in value.evidence],
        )
        for section, row, cell, value in record.values()
    )
    return csv_text(columns, rows)


def as_html(record: Record) -> str:
    """One page that needs nothing but itself: style and script are inside, and its policy lets nothing be loaded."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = files("mapkeeper.report") / "templates"
    style = templates.joinpath("register.css").read_text(encoding="utf-8")
    script = templates.joinpath("register.js").read_text(encoding="utf-8")
    counts = record.counts()
    made = Environment(
        loader=PackageLoader("mapkeeper.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"visible": visible, "category": category, "moment": moment, "decided": decided}
    return made.get_template("register.html").render(
        record=record,
        anchors=_anchors(record),
        anchor_of=_anchor_of(record),
        named=_named(record),
        named_rows=_NAMED_ROWS,
        annex=_annex(record),
        attention=_grouped(record.attention()),
        states={state.value: (says, counts[state]) for state, says in STATES.items()},
        names={state.value: state.name.lower() for state in CellState},
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src 'sha256-{_hash(style)}'; script-src 'sha256-{_hash(script)}'",
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _anchor_of(record: Record) -> Callable[[Row], str]:
    """Where on the page each row stands."""
    anchors = {
        id(row): f"{section.key}-{number}" for section in record.sections for number, row in enumerate(section.rows, 1)
    }
    return lambda row: anchors[id(row)]


def _anchors(record: Record) -> dict[Evidence, str]:
    """Where on the page each piece of evidence stands; a declaration stands in its file."""
    kinds = {"assets": "asset", "unmapped": "asset", "sources": "source"}
    place = _anchor_of(record)
    anchors = {Evidence("finding", one.id): one.id for one in record.findings}
    for section in record.sections:
        if (kind := kinds.get(section.key)) is not None:
            anchors |= {Evidence(kind, row.about): place(row) for row in section.rows}
    return anchors


def _named(record: Record) -> Callable[[Evidence], str]:
    """What people call a piece of evidence: a finding by its asset and field."""
    names = {one.id: f"{one.source}: {one.asset} · {one.finding.field}" for one in record.findings}
    return lambda one: names.get(one.ref, one.ref)


def _annex(record: Record) -> list[tuple[str, list[KnownFinding]]]:
    """The findings by category, in the order of the table of categories, the surest first."""
    place = {key: number for number, key in enumerate(categories())}

    def order(one: KnownFinding) -> tuple[int, str, float]:
        return place.get(one.finding.category, len(place)), one.finding.category, -one.finding.confidence

    ordered = sorted(record.findings, key=order)
    return [(key, list(found)) for key, found in groupby(ordered, key=lambda one: one.finding.category)]


def _grouped(attention: list[Attention]) -> list[tuple[str, list[Attention]]]:
    return [(kind, list(found)) for kind, found in groupby(attention, key=lambda one: one.kind)]
