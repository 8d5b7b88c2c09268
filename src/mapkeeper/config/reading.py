"""Reads one TOML file into its model, and says what is wrong with it in words that help."""

from __future__ import annotations

import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mapkeeper.config.files import nearest

Model = TypeVar("Model", bound=BaseModel)


def read(path: Path, name: str, model: type[Model], wrong: list[str]) -> tuple[Model, str] | None:
    """Read a file; what is wrong with it is added to ``wrong``, a line each, and nothing comes back."""
    try:
        text = path.read_text(encoding="utf-8")
        return model.model_validate(tomllib.loads(text)), text
    except FileNotFoundError:
        wrong.append(f"{name}: there is no such file")
    except OSError as error:
        wrong.append(f"{name}: cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        wrong.append(f"{name}: is not UTF-8 text")
    except tomllib.TOMLDecodeError as error:
        wrong.append(f"{name}: is not valid TOML: {error}")
    except ValidationError as errors:
        wrong += [f"{name}: {text}" for text in _in_words(errors, model)]
    return None


def _in_words(errors: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    for error in errors.errors(include_url=False):
        loc = error["loc"]
        context = error.get("ctx", {})
        where = _path(loc)
        match error["type"]:
            case "extra_forbidden":
                yield f"{where}: unknown key{nearest(str(loc[-1]), _keys(model, loc[:-1]))}"
            case "missing":
                yield f"{where}: is missing"
            case "literal_error" | "enum":
                known = [word for word in context["expected"].split("'") if word not in ("", ", ", " or ")]
                yield f"{where}: {error['input']!r} is not known{nearest(str(error['input']), known)}"
            case "value_error" if loc:
                yield f"{where}: {context['error']}"
            case "value_error":
                yield str(context["error"])
            case _:
                yield f"{where}: {error['msg'][0].lower()}{error['msg'][1:]}"


def _path(loc: tuple[int | str, ...]) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> set[str]:
    """The keys that the table at a location knows."""
    at: Any = model
    for part in loc:
        if isinstance(part, str) and isinstance(at, type) and issubclass(at, BaseModel):
            at = at.model_fields[part].annotation
        while (found := _inner(at)) is not None:
            at = found
    if not (isinstance(at, type) and issubclass(at, BaseModel)):
        return set()
    return {field.alias or name for name, field in at.model_fields.items()}


def _inner(annotation: Any) -> Any | None:
    """What a tuple or an optional of tables holds."""
    for argument in typing.get_args(annotation):
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            return argument
        if typing.get_origin(argument) is tuple:
            return argument
    return None
