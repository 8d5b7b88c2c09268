"""Presidio's recognizers as data: what each looks for, read from ``recognizers.toml`` and not from Presidio.

To import Presidio takes a second of every process, as it brings a language model's library with it. Its expressions and
words are facts, so they are shipped; ``python -m mapkeeper_classifiers.recognizers FILE`` writes them anew from the
Presidio that is installed, and a test says when they differ from it.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from mapkeeper.rules import Pattern

_HEAD = """\
# What Presidio's pattern recognizers look for, as far as presidio.toml gives their entity a category: facts of
# presidio-analyzer {version}, written on {day} by "python -m mapkeeper_classifiers.recognizers".
# Source: https://github.com/data-privacy-stack/presidio, predefined_recognizers. MIT licence, below.
#
# kind     the class of the recognizer
# country  whose numbers these are, as Presidio has it
# flags    that its expressions are compiled with, as the regex module counts them
# checks   whether it has a validator, which is not here: that is asked of Presidio itself
#
# Copyright (c) 2018 presid-io
#
# Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
# documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
# rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
# persons to whom the Software is furnished to do so, subject to the following conditions:
#
# The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
# Software.
#
# THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
# WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
# COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
# OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


@dataclass(frozen=True, slots=True)
class Recognizer:
    """What one of Presidio's pattern recognizers looks for."""

    entity: str  # "DE_TAX_ID"
    kind: str  # the name of its class
    country: str  # as Presidio has it: "de", "uk", or nothing
    global_regex_flags: int
    checks: bool  # whether it validates what its patterns find
    context: tuple[str, ...]
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Recognizers:
    """What the recognizers of one version of Presidio look for, in order of their classes' names."""

    version: str
    each: tuple[Recognizer, ...]

    @classmethod
    def shipped(cls) -> Recognizers:
        """Those of ``recognizers.toml``."""
        return cls.read(files("mapkeeper_classifiers").joinpath("recognizers.toml").read_text(encoding="utf-8"))

    @classmethod
    def read(cls, text: str) -> Recognizers:
        """Those of a text that `written` made."""
        data = tomllib.loads(text)
        return cls(data["version"], tuple(_read(raw) for raw in data["recognizer"]))

    @classmethod
    def installed(cls) -> Recognizers:
        """Those of the Presidio that is installed, as far as ``presidio.toml`` gives their entity a category."""
        from mapkeeper_classifiers import presidio

        entities = presidio.meanings()["entity"]
        each = (_said(recognizer) for recognizer in presidio.recognizers())
        return cls(version("presidio-analyzer"), tuple(one for one in each if one.entity in entities))

    def written(self, day: date) -> str:
        """They as TOML, with the day on which they were asked for."""
        return "\n".join([_HEAD.format(version=self.version, day=day), *self._lines()])

    def _lines(self) -> Iterator[str]:
        yield f"version = {_text(self.version)}\n"
        for one in self.each:
            yield "[[recognizer]]"
            yield from (f"{key} = {_text(value)}" for key, value in (("entity", one.entity), ("kind", one.kind)))
            if one.country:
                yield f"country = {_text(one.country)}"
            yield f"flags = {one.global_regex_flags}"
            if one.checks:
                yield "checks = true"
            yield f"context = [{', '.join(map(_text, one.context))}]"
            yield from _listed("patterns", (f"[{_text(p.regex)}, {p.score!r}]" for p in one.patterns))
            yield ""


def _listed(key: str, items: Iterable[str]) -> Iterator[str]:
    yield f"{key} = ["
    yield from (f"    {item}," for item in items)
    yield "]"


def _text(text: str) -> str:
    """A text as TOML has it: as it is where it can be, else as JSON, whose escapes are TOML's too."""
    literal = "\\" in text and "'" not in text and text.isprintable()
    return f"'{text}'" if literal else json.dumps(text, ensure_ascii=False)


def _read(raw: dict[str, Any]) -> Recognizer:
    return Recognizer(
        entity=raw["entity"],
        kind=raw["kind"],
        country=raw.get("country", ""),
        global_regex_flags=raw["flags"],
        checks=raw.get("checks", False),
        context=tuple(raw["context"]),
        patterns=tuple(Pattern(regex, score) for regex, score in raw["patterns"]),
    )


def _said(recognizer: Any) -> Recognizer:
    """What one of Presidio's own objects says."""
    from presidio_analyzer import PatternRecognizer

    kind = type(recognizer)
    (entity,) = recognizer.supported_entities
    deciding = ("validate_result", "invalidate_result")
    return Recognizer(
        entity=entity,
        kind=kind.__name__,
        country=str(getattr(kind, "COUNTRY_CODE", None) or ""),
        global_regex_flags=int(recognizer.global_regex_flags),
        checks=any(getattr(kind, name) is not getattr(PatternRecognizer, name) for name in deciding),
        context=tuple(recognizer.context or ()),
        patterns=tuple(Pattern(pattern.regex, pattern.score) for pattern in recognizer.patterns),
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(Recognizers.installed().written(date.today()), encoding="utf-8")
