"""The tables of the house: categories, rules, concerns, connectors, formats, reasons, the inventory."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import math
import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from mapkeeper import discover
from mapkeeper.model import Reason
from pages.keys import meaning
from pages.markdown import code, table

ROOT = Path(__file__).parents[2]
_OURS = "mapkeeper_classifiers."


def categories() -> str:
    """Every category."""
    from mapkeeper.categories import categories as known

    head = ("key", "title", "special", "GDPR", "DPV", "fideslang", "ENISA", "CPRA", "HIPAA", "LGPD", "Law 25", "CNIL")
    rows = [
        (
            code(one.key), one.title, one.special or "", one.gdpr_article and f"Art. {one.gdpr_article}", one.dpv,
            one.fides, one.enisa, "yes" if one.cpra_sensitive else "", one.hipaa, one.lgpd_notifiable,
            one.law25_sensitive, one.cnil,
        )
        for one in known().values()
    ]  # fmt: skip
    return table(head, rows)


def rules() -> str:
    """Every rule of every installed classifier of this distribution."""
    head = ("rule", "title", "category", "looks at", "check", "chance", "identifying")
    rows = []
    ours = tuple(f"{entry.name}/" for entry in entry_points(group=discover.CLASSIFIERS) if _OURS in entry.value)
    for rule in sorted(discover.rules(), key=lambda rule: rule.id):
        if not rule.id.startswith(ours):
            continue
        sees = {"values": rule.find, "whole values": rule.fit, "a list": rule.values, "names": rule.names}
        rows.append(
            (
                code(rule.ref), rule.title, code(rule.category), ", ".join(word for word, has in sees.items() if has),
                (rule.check_name or "").replace("_", " "), "" if rule.chance is None else f"{rule.chance:.2%}",
                "yes" if rule.identifying else "",
            )
        )  # fmt: skip
    return f"{len(rows)} rules.\n\n" + table(head, rows)


def concerns() -> str:
    """Every kind of concern."""
    from mapkeeper.assess import concern_rules

    head = ("id", "grade", "what", "law", "remedy")
    rows = [(code(one.id), one.grade.name.lower(), one.title, one.law, one.remedy) for one in concern_rules().values()]
    return table(head, rows)


def connectors() -> str:
    """Every connector of this distribution, with its settings."""
    out = []
    for name in discover.catalogue():
        cls: Any = discover.connector(name)
        if not cls.__module__.startswith("mapkeeper_connectors"):
            continue
        rows = []
        for field in dataclasses.fields(cls):
            if field.init:
                required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
                default = "*required*" if required else code(json.dumps(field.default))
                secret = "yes" if discover.settings(name)[field.name] else ""
                rows.append((code(field.name), default, secret, meaning(cls, field.name)))
        shown = table(("setting", "default", "may be secret", "meaning"), rows)
        out.append(f"## {name}\n\n{(inspect.getdoc(cls) or '').replace('``', '`')}\n\n{shown}\n")
    return "".join(out)


def formats() -> str:
    """What the readers take, what they leave, and their limits, from their own tables."""
    from mapkeeper.readers import block, document, json_loose, kinds, line_format, stream
    from mapkeeper.scan.examine import SAMPLE_BYTES, SAMPLE_ROWS

    mib = 1 << 20
    lines = ", ".join(form.name for form in line_format.FORMATS)
    rows = [
        ("delimited text", "CSV, TSV and their kin; the delimiter and whether there is a header are told by the rows"),
        ("JSON", f"objects, one a line or behind each other; documents up to {document.LARGEST // mib} MiB; a nested "
         f"field is its path, up to {json_loose.DEEPEST} levels"),
        ("Parquet", "typed columns, row group by row group"),
        ("log lines", f"{lines}"),
        ("text", "any other line is the field `text`; mixed files are taken line by line"),
        ("compression", ", ".join(sorted({name for _, name in stream.CONTAINERS}))),
        ("characters", "UTF-8 and UTF-16; what is neither is read as Windows-1252 and counted as a gap"),
        ("long lines", f"beyond {block.LONGEST // mib} MiB a line is cut into pieces"),
        ("a sample", f"{SAMPLE_ROWS:,} rows or {SAMPLE_BYTES // mib} MiB an asset, see [coverage](coverage.md)"),
        ("known, not read (gap `unsupported`)", ", ".join(dict.fromkeys(name for _, _, name in kinds.KINDS))),
    ]  # fmt: skip
    return table(("what", "how"), rows)


def families() -> str:
    """How files become one asset, told by the code that does it."""
    from mapkeeper.readers.family import families as fold

    examples = (
        ("auth.log", "auth.log.1", "auth.log.2.gz"),
        ("sales_2026-01-01.csv", "sales_2026-01-02.csv.gz"),
        ("day=2026-01-01/part-0.parquet", "day=2026-01-02/part-0.parquet"),
        ("2026/01/31/app.json", "2026/02/01/app.json"),
    )
    return table(
        ("files", "asset"), [(", ".join(map(code, names)), ", ".join(map(code, fold(names)))) for names in examples]
    )


def weights() -> str:
    """Every number of the judgement, with the comment behind it."""
    from mapkeeper.classify.weights import Weights

    rows, section = [], ""
    for line in Weights.shipped().text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif found := re.match(r"(\w+) = ([^#]*[^# ])\s*(?:# (.*))?$", line):
            rows.append((code(f"{section}.{found[1]}"), found[2], found[3] or ""))
    return table(("number", "value", "what it is for"), rows)


_REASONS = {
    Reason.UNREACHABLE: ("the source did not answer", "check address and network; scan again"),
    Reason.DENIED: ("the account that scans may not read this", "grant it read access, or exclude it"),
    Reason.MISSING: ("it was there when the source was listed, or is configured, and is not", "check the path or name"),
    Reason.UNREADABLE: ("damaged, cut short or not of the form it claims; what could be read was", "repair the source"),
    Reason.UNSUPPORTED: (
        "a format that is not read yet, which the gap names",
        "export it to one that is; or exclude it",
    ),
    Reason.ENCRYPTED: ("encrypted; mapkeeper has no passwords", "decrypt a copy, or exclude it"),
    Reason.TOO_LARGE: ("a cell, row or document beyond a fixed limit, which the gap names", "split it"),
    Reason.TIMEOUT: ("the source took too long", "scan at a calmer time"),
    Reason.CRASHED: ("a fault in mapkeeper, in a plug-in, or the process was killed", "report it; scan again"),
    Reason.BUDGET: (
        "a sample was read, and this was not in it; or the limits of the source were reached",
        "scan with `--depth full`; scan again",
    ),
    Reason.ARCHIVED: ("in an archive tier", "restore it, or exclude it"),
    Reason.CHANGED: ("written to while it was read", "scan again"),
    Reason.EXCLUDED: ("left out by `include` or `exclude`", "none: this was your decision"),
    Reason.NO_MODEL: (
        "all was read, but names of people in the running text of some fields were not looked for: no language model",
        "`pip install 'mapkeeper[ner]'`; the next scan reads these assets again",
    ),
}


def reasons() -> str:
    """Every reason code."""
    return table(("reason", "what it means", "what to do"), [(code(one.value), *_REASONS[one]) for one in Reason])


def bound_example() -> str:
    """A bound to follow with a pencil, computed by the ledger itself."""
    import pyarrow as pa

    from mapkeeper.model import Asset, Gap, Kind
    from mapkeeper.plugin import Batch
    from mapkeeper.scan.ledger import Ledger

    total, read = 2_000_000, 10_000
    ledger = Ledger()
    ledger.read(Batch(pa.record_batch({"a": pa.nulls(read)}), method="random rows", random=True))
    ledger.lost(Gap(Reason.BUDGET, total - read))
    bound = ledger.close(Asset("orders", Kind.TABLE, "file", "orders", rows=total)).bound_95
    assert bound is not None
    return (
        f"A table has {total:,} rows, of which {read:,} were drawn at random. By the pencil: ln 0.05 = "
        f"{math.log(0.05):.4f}; divided by {read:,} that is {math.log(0.05) / read:.8f}; e to that is "
        f"{math.exp(math.log(0.05) / read):.7f}; 1 minus that is {1 - 0.05 ** (1 / read):.7f}. The ledger says "
        f"`{round(bound, 6)}`, {bound:.3%}: a category that was not seen in the sample lies in fewer than "
        f"{math.ceil(bound * total):,} of the {total:,} rows, with 95 % confidence.\n"
    )


def masks() -> str:
    """What masked samples look like."""
    from mapkeeper.classify.mask import masked

    values = ("jane.doe@globex.example", "+33 1 99 00 12 34", "192.0.2.17", "Marguerite Exemple", "1234")
    shown = [(code(value), code(masked(value) or "") or "no sample") for value in values]
    return "Up to three a finding: the first letter, the punctuation, and nothing else.\n\n" + table(
        ("value", "sample"), shown
    )


def temporal_tables() -> str:
    """The columns of the temporal tables."""
    from mapkeeper.inventory import tables

    shared = {column.name for column in tables.finding.c} & {column.name for column in tables.flow.c}
    shared &= {column.name for column in tables.asset_state.c}
    out = ["Three of them are temporal, with " + ", ".join(code(c.name) for c in tables.finding.c if c.name in shared)]
    out.append(" in each row, and beside these:\n\n")
    rows = [
        (code(one.name), ", ".join(code(column.name) for column in one.c if column.name not in shared))
        for one in (tables.asset_state, tables.finding, tables.flow)
    ]
    return "".join(out) + table(("table", "columns"), rows)


def modules() -> str:
    """Every module with the first line of its docstring, folder by folder."""
    out = []
    for root in ("src/mapkeeper", "connectors/mapkeeper_connectors", "classifiers/mapkeeper_classifiers"):
        folders = [ROOT / root, *sorted(path.parent for path in (ROOT / root).glob("*/**/__init__.py"))]
        for folder in folders:
            rows = []
            for path in sorted(folder.glob("*.py")):
                said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
                rows.append((code(path.name), said.split("\n\n")[0].replace("\n", " ").replace("``", "`")))
            out.append(f"### {folder.relative_to(ROOT)}\n\n{table(('module', 'what it is for'), rows)}\n")
    return "".join(out)
