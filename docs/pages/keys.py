"""Every key of the configuration files, from the models that read them."""

from __future__ import annotations

import ast
import json
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ByteSize
from pydantic.fields import FieldInfo

from mapkeeper.config import files as config_files
from pages.markdown import annotated, code, first_line, remarks, slug, table

HERE = Path(__file__).parent

_TYPES = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "`true` or `false`",
    "ByteSize": 'bytes, also as `"20 GB"`',
    "dt.date": "date",
    "Country": "country",
    "Area": "country or `EEA`",
    "CategoryKey": "category",
    "RetentionKey": "category or `default`",
    "Duration": "duration",
    "Identifier": "id",
    "Reference": "secret",
    "Mechanism": "[mechanism](#mechanisms)",
}
_ONCE: Mapping[type[BaseModel], str] = {config_files.Person: "Person", config_files.SourceEntry: "`[[source]]`"}
"""Tables that stand in several places, described once under this heading."""


def configuration(model: type[BaseModel]) -> str:
    """Every table and key of a file; ``SourceEntry`` and ``Person`` are described on their own."""
    out = []
    for heading, section in _tables(model):
        rows = []
        for name, field in section.model_fields.items():
            key, kind = field.alias or name, _type(annotated(section)[name], heading, field.alias or name)
            limits = _limits(field)
            rows.append((code(key), f"{kind}, {limits}" if limits else kind, _default(field), meaning(section, name)))
        shown = table(("key", "type", "default", "meaning"), rows)
        out.append(f"### {heading}\n\n{first_line(section)}\n\n{shown}\n")
    return "".join(out)


def _tables(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every table that may stand in a file, under its heading, in order."""
    if model in _ONCE:
        above = _ONCE[model]
        yield above, model
    for name, field in model.model_fields.items():
        annotation = annotated(model)[name]
        for inner in _sections(annotation):
            if inner not in _ONCE:
                heading = _heading(above, field.alias or name, ast.unparse(annotation))
                yield heading, inner
                yield from _tables(inner, heading)


def _heading(above: str, key: str, annotation: str) -> str:
    """How a table is written in TOML: ``[a]``, ``[[a]]`` for one of a list, ``b`` of another table."""
    if above:
        return f"`{key}` of {above}"
    return f"`[[{key}]]`" if annotation.startswith("tuple") else f"`[{key}]`"


def _sections(annotation: ast.expr) -> Iterator[type[BaseModel]]:
    """The tables that an annotation names."""
    for node in ast.walk(annotation):
        named = getattr(config_files, node.id, None) if isinstance(node, ast.Name) else None
        if isinstance(named, type) and issubclass(named, BaseModel):
            yield named


def _type(node: ast.expr, heading: str, key: str) -> str:
    """An annotation in words; ``heading`` and ``key`` are where it stands."""
    text = ast.unparse(node)
    if text in _TYPES:
        return _TYPES[text]
    if isinstance(node, ast.BinOp):  # X | None
        return _type(node.left, heading, key)
    if isinstance(node, ast.Subscript):
        arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        inner = [_type(one, heading, key) for one in arguments if not isinstance(one, ast.Constant)]
        match ast.unparse(node.value):
            case "Literal":
                return ", ".join(code(str(ast.literal_eval(one))) for one in arguments)
            case "Declared":
                return f"list of {inner[0]}, or `none`"
            case "dict":
                return f"table of {inner[0]} = {inner[1]}"
            case _:
                return f"list of {inner[0]}"
    named = getattr(config_files, text)
    if isinstance(named, type) and issubclass(named, BaseModel):
        return f"[table](#{slug(_ONCE.get(named) or _heading(heading, key, ''))})"
    if isinstance(named, type) and issubclass(named, StrEnum):
        return ", ".join(code(str(one)) for one in named)
    return ", ".join(map(code, get_args(named)))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    value = field.default
    if value is None or value in ((), {}) or isinstance(value, BaseModel):
        return ""
    return code(json.dumps(value.human_readable() if isinstance(value, ByteSize) else value))


def _limits(field: FieldInfo) -> str:
    words = {"ge": "at least", "gt": "above", "le": "at most"}
    return ", ".join(
        f"{said} {getattr(one, name):g}" for one in field.metadata for name, said in words.items() if hasattr(one, name)
    )


@cache
def meanings() -> Mapping[str, Mapping[str, str]]:
    """``meanings.toml``: by class and key."""
    return tomllib.loads((HERE / "meanings.toml").read_text(encoding="utf-8"))


def meaning(cls: type, name: str) -> str:
    """What a key means: as ``meanings.toml`` says, else the comment behind it, else what its table is.

    Raises:
        KeyError: nobody has said it yet.
    """
    if text := meanings().get(cls.__name__, {}).get(name):
        return text
    cls = next(one for one in cls.__mro__ if name in vars(one).get("__annotations__", ()))  # where it is declared
    if text := remarks(cls.__module__).get((cls.__name__, name)):
        return f"{text[0].upper()}{text[1:]}."
    for inner in _sections(annotated(cls)[name]):
        return first_line(inner)
    raise KeyError(f"docs/pages/meanings.toml: [{cls.__name__}] {name} is missing")


def mechanisms() -> str:
    """The mechanisms of a transfer, by name."""
    return ", ".join(map(code, get_args(config_files.Mechanism))) + ".\n"
