"""The command that reads running text: JSON lines in, spans out, as they come."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from mapkeeper.cli.output import remark

if TYPE_CHECKING:
    from mapkeeper.classify.span import Span
    from mapkeeper.classify.spans import Spans

BLOCK = 16 * 1024
"""Bytes read at once, at most: the lines that end in them are answered together."""

LONGEST = 64 * 1024 * 1024
"""Bytes of a line; what is longer is not held in memory."""

_FORM = 'write {"id": …, "text": "…"}'


def text(
    no_ner: Annotated[
        bool, typer.Option("--no-ner", help="Do without the language model: names in running text are not found.")
    ] = False,
) -> None:
    """Find personal data in texts: JSON lines {"id", "text"} on stdin to {"id", "spans"} on stdout, as they come.

    A line that cannot be read gives {"id": null, "error"}, and exit status 1 at the end.

    [dim]Example:[/dim] echo '{"id": 1, "text": "Write to alice@example.com"}' | mapkeeper text
    """
    from mapkeeper import discover
    from mapkeeper.classify.ner import installed
    from mapkeeper.classify.spans import Spans

    ner = None if no_ner else installed()
    if ner is None and not no_ner:
        remark("mapkeeper: no language model is installed: names in running text are not found; see mapkeeper[ner]")
    spans = Spans(discover.rules(), ner)
    bad, number = False, 0
    for lines in arriving(sys.stdin.buffer):
        records = [record(line, number + at) for at, line in enumerate(lines, 1)]
        number += len(lines)
        for answer in answers(spans, [one for one in records if one is not None]):
            sys.stdout.write(answer)
        sys.stdout.flush()
        bad = bad or any(isinstance(one, str) for one in records)
    if bad:
        raise typer.Exit(1)


def arriving(stream: IO[bytes]) -> Iterator[list[bytes | None]]:
    """The lines that end in what is read at once, without waiting for more; ``None`` for one that is too long."""
    held: bytearray | None = bytearray()  # the beginning of a line; None: of one that is too long
    read = getattr(stream, "read1", stream.read)
    while block := read(BLOCK):
        *ends, rest = block.split(b"\n")
        lines: list[bytes | None] = []
        for end in ends:
            lines.append(None if held is None else bytes(held) + end)
            held = bytearray()
        if held is not None:
            held.extend(rest)
            if len(held) > LONGEST:
                held = None
        if lines:
            yield lines
    if held is None or held:
        yield [None if held is None else bytes(held)]


def record(line: bytes | None, number: int) -> tuple[str, str] | str | None:
    """The id of a line, as JSON, and its text; what is wrong with it; ``None``: it is blank."""
    if line is None:
        return f"line {number} is longer than {LONGEST >> 20} MiB; cut its text"
    if number == 1:
        line = line.removeprefix(b"\xef\xbb\xbf")
    if not line.strip():
        return None
    try:
        given = json.loads(line.decode("utf-8"), parse_float=_float, parse_constant=_float)
        if not isinstance(given, dict) or "id" not in given or not isinstance(given.get("text"), str):
            return f"line {number} is no object with an id and a text; {_FORM}"
        return json.dumps(given["id"]), given["text"]
    except UnicodeDecodeError:
        return f"line {number} is not UTF-8; {_FORM} in UTF-8"
    except (ValueError, RecursionError):  # their own words may quote the line
        return f"line {number} is not JSON; {_FORM}"


def answers(spans: Spans, records: Sequence[tuple[str, str] | str]) -> Iterator[str]:
    """For each record its spans, or what is wrong with it, as a line of JSON, maybe in several parts."""
    from mapkeeper.classify.spans import PIECE

    texts = [one[1] for one in records if not isinstance(one, str) and len(one[1]) <= PIECE]
    found = iter(spans.of(texts))
    for one in records:
        if isinstance(one, str):
            yield json.dumps({"id": None, "error": one}) + "\n"
            continue
        id, text = one
        some = next(found) if len(text) <= PIECE else spans.along(text)
        yield f'{{"id": {id}, "spans": ['
        for number, span in enumerate(some):
            yield (", " if number else "") + json.dumps(_shown(span))
        yield "]}\n"


def _shown(span: Span) -> dict[str, Any]:
    return {
        "start": span.start,
        "end": span.end,
        "entity": span.entity,
        "category": span.category,
        "confidence": span.confidence,
    }


def _float(written: str) -> float:
    """A number that JSON can hold; its standard has no infinity."""
    number = float(written)
    if not math.isfinite(number):
        raise ValueError
    return number


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("text")(text)
