"""The structured data of RFC 5424 syslog as fields: ``[id param="value"]`` becomes ``sd.id.param``."""

from __future__ import annotations

import re

import polars as pl

_VALUE = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_MOST_SHAPES = 50
_MOST_FIELDS = 200


def structured_data(frame: pl.DataFrame) -> pl.DataFrame:
    """Replace the column ``structured_data`` by one for each parameter; what has too many shapes keeps it.

    Lines that differ only in values have one shape, and real logs have few: one regex a shape reads them all.
    """
    raw = frame["structured_data"]
    rest = frame.drop("structured_data")
    if raw.null_count() == len(raw):
        return rest
    shapes = raw.str.replace_all(_VALUE, '""')
    common = shapes.drop_nulls().value_counts(sort=True)[raw.name].head(_MOST_SHAPES).to_list()
    columns: dict[str, pl.Series] = {}
    read = shapes.is_null()
    for shape in common:
        fields = _fields(shape)
        if len(columns.keys() | set(fields)) > _MOST_FIELDS:
            continue
        here = shapes == shape
        regex = "^" + re.sub(r'""', r'"([^"\\\\]*(?:\\\\.[^"\\\\]*)*)"', _escape(shape)) + "$"
        values = pl.select(pl.when(here).then(raw).str.extract_groups(regex)).to_series().struct.unnest()
        for field, value in zip(fields, values.get_columns(), strict=False):
            columns[field] = value.alias(field) if field not in columns else columns[field].fill_null(value)
        read |= here.fill_null(False)
    frame = rest.with_columns(columns.values())
    if not read.all():
        frame = frame.with_columns(pl.when(read).then(None).otherwise(raw).alias("structured_data"))
    return frame


def _fields(shape: str) -> list[str]:
    fields, element = [], ""
    for opened, parameter in re.findall(r'\[([^ \]]+)|([^ =\]]+)=""', shape):
        element = opened or element
        if parameter:
            fields.append(f"sd.{element}.{parameter}".replace("\0", "\ufffd"))
    return fields


def _escape(shape: str) -> str:
    return re.sub(r"([\\.+*?()|\[\]{}^$#&~-])", r"\\\1", shape)
