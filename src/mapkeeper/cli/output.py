"""Where results go: tables for people, JSON and CSV for programs, stdout or a file written in one piece."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mapkeeper.cli.options import ListingFormat
from mapkeeper.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

Row = dict[str, Any]


def refuse_terminal(format: str, output: Path | None) -> None:
    """Raise UsageError where a binary format would end on a terminal; ask before the work is done."""
    if output is None and sys.stdout.isatty():
        raise UsageError(f"--format {format} is no text for a terminal; write it to a file with -o FILE")


def put(result: str | bytes, output: Path | None) -> None:
    """Print a text or bytes, or write them to a file that is there whole or not at all."""
    if output is None:
        typer.echo(result, nl=isinstance(result, str) and not result.endswith("\n"))
        return
    data = result.encode() if isinstance(result, str) else result
    written: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=output.parent, prefix=".", delete=False) as file:
            written = Path(file.name)
            file.write(data)
        written.chmod(0o666 & ~_umask())
        written.replace(output)
    except BaseException as error:
        if written is not None:
            written.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UsageError(f"{output}: cannot be written: {error.strerror}") from None
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def listing(
    rows: Iterable[Row],
    format: ListingFormat,
    columns: Sequence[str],
    output: Path | None = None,
    empty: str = "nothing",
    shown: Callable[[str, Any], str] | None = None,
    below: Sequence[str] = (),
) -> None:
    """Print rows.

    Args:
        rows: What to print; JSON and CSV hold every key.
        format: How.
        columns: The keys that a table shows.
        output: A file instead of stdout.
        empty: What a table without rows says.
        shown: How a table shows the value of a key.
        below: Texts that stand under a table.
    """
    rows = list(rows)
    if format is ListingFormat.JSON:
        from mapkeeper.report.cells import json_text

        put(json_text(rows), output)
    elif format is ListingFormat.CSV:
        from mapkeeper.report.cells import csv_text

        keys = list(rows[0]) if rows else list(columns)
        put(csv_text(keys, ([row.get(key) for key in keys] for row in rows)), output)
    else:
        table = _table(rows, columns, shown or (lambda _, value: brief(value)), output) if rows else empty
        put("\n\n".join((table, *(text.rstrip("\n") for text in below))) + "\n", output)


def brief(value: Any) -> str:
    """A value as a table shows it."""
    if value is None or value == "":
        return "·"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return ", ".join(brief(one) for one in value) or "·"
    return printable(str(value))


def printable(text: str) -> str:
    """Names come from strangers' stores: what could steer a terminal is escaped."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _table(rows: Sequence[Row], columns: Sequence[str], shown: Callable[[str, Any], str], output: Path | None) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        numeric = all(isinstance(row.get(column), int | float | None) for row in rows)
        table.add_column(column.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(column, row.get(column))) for column in columns))
    people = output is None and sys.stdout.isatty()
    console = Console(width=None if people else 200, color_system="auto" if people else None)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def stderr() -> Console:
    """The console for progress and remarks."""
    from rich.console import Console

    return Console(stderr=True, soft_wrap=True, highlight=False)


def remark(text: str) -> None:
    """A line on stderr."""
    typer.echo(printable(text), err=True)


def size(bytes: int) -> str:
    """A number of bytes as people read it."""
    value = float(bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def duration(seconds: float) -> str:
    """A time span as people read it: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
