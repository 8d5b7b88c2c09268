"""The formats of a log line: how one begins, what its parts are called, how its time is written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mapkeeper.readers.structured_data import structured_data

_QUOTED = r'[^"\\]*(?:\\.[^"\\]*)*'
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}"
_ISO = rf"{_DAY}T{_CLOCK}(?:\.[0-9]{{1,9}})?(?:Z|[+-][0-9]{{2}}:[0-9]{{2}})"
_NUMBERS = frozenset({"priority", "pid", "status", "bytes"})
_RARE = frozenset({"priority", "ident", "request", "extra"})
"""Fields that are left out where no line of a block has them."""
_LEVELS = r"(?i)^(?:trace|debug|info|notice|warn|warning|error|fatal|critical|severe)$"


@dataclass(frozen=True, slots=True)
class LineFormat:
    """A format: ``gate`` is a cheap test of a line's beginning, ``whole`` names all its parts (Rust regexes)."""

    name: str
    gate: str
    whole: str
    time: str | None = None  # how its time is written, where that says the year and the zone
    host: bool = False  # whether a part called host must not be a level: "2026-01-01T00:00:00Z INFO main: …"

    def parse(self, lines: pl.Series) -> tuple[npt.NDArray[np.bool_], pl.DataFrame | None]:
        """Which lines are of this format, and their parts as columns (``None`` where no line is)."""
        gate = lines.str.contains(self.gate)
        if not gate.any():
            return np.zeros(len(lines), bool), None
        candidates = lines.filter(gate)
        frame = candidates.to_frame("line").select(pl.col("line").str.extract_groups(self.whole)).unnest("line")
        good = frame["time"].is_not_null()
        if self.host:
            good &= ~frame["host"].str.contains(_LEVELS)
        if not good.any():
            return np.zeros(len(lines), bool), None
        matched = gate.to_numpy(writable=True)
        matched[matched] = good.to_numpy()
        return matched, self._typed(frame if good.all() else frame.filter(good))

    def _typed(self, frame: pl.DataFrame) -> pl.DataFrame:
        text = pl.col(pl.String)
        frame = frame.with_columns(pl.when(text.is_in(["-", ""])).then(None).otherwise(text).name.keep())
        frame = frame.drop(name for name in frame.columns if name in _RARE and frame[name].null_count() == len(frame))
        frame = frame.with_columns(
            pl.col(name).cast(pl.Int64, strict=False) for name in frame.columns if name in _NUMBERS
        )
        if self.time is not None:
            parsed = pl.col("time").str.to_datetime(self.time, time_zone="UTC", time_unit="us", strict=False)
            frame = frame.with_columns(parsed)
        if "structured_data" in frame.columns:
            frame = structured_data(frame)
        return frame


FORMATS = (
    LineFormat(
        "syslog RFC 5424",
        r"^<[0-9]{1,3}>[0-9]{1,2} ",
        r"^<(?P<priority>[0-9]{1,3})>[0-9]{1,2} (?P<time>[^ ]+) (?P<host>[^ ]+) (?P<app>[^ ]+) (?P<procid>[^ ]+) "
        rf'(?P<msgid>[^ ]+) (?P<structured_data>-|(?:\[[^ \]]+(?: [^ =\]]+="{_QUOTED}")*\])+)'
        r"(?: (?P<message>.*))?$",
        "%+",
    ),
    LineFormat(
        "syslog RFC 3164",
        r"^(?:<[0-9]{1,3}>)?[A-Z][a-z]{2} [ 0-9][0-9] [0-9][0-9]:",
        r"^(?:<(?P<priority>[0-9]{1,3})>)?(?P<time>[A-Z][a-z]{2} [ 0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]) "
        r"(?P<host>[^ ]+) (?P<program>[^ \[\]:]+)(?:\[(?P<pid>[0-9]+)\])?: ?(?P<message>.*)$",
    ),
    LineFormat(
        "syslog with ISO 8601 time",
        r"^[0-9]{4}-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]",
        rf"^(?P<time>{_ISO}) "
        r"(?P<host>[^ ]+) (?P<program>[^ \[\]:]+)(?:\[(?P<pid>[0-9]+)\])?: ?(?P<message>.*)$",
        "%+",
        host=True,
    ),
    LineFormat(
        "access log",
        r"^[^ ]+ [^ ]+ [^\[]+ \[[0-9][0-9]/[A-Z][a-z]{2}/[0-9]{4}:",
        r"^(?P<remote_addr>[^ ]+) (?P<ident>[^ ]+) (?P<remote_user>[^\[]+) "
        r"\[(?P<time>[0-9][0-9]/[A-Z][a-z]{2}/[0-9]{4}:[0-9][0-9]:[0-9][0-9]:[0-9][0-9] [+-][0-9]{4})\] "
        rf'"(?:(?P<method>[A-Z]+) (?P<path>[^ "]+)(?: (?P<protocol>[A-Z]+/[0-9.]+))?|(?P<request>{_QUOTED}))" '
        rf'(?P<status>[0-9]{{3}}|-) (?P<bytes>[0-9]+|-)(?: "(?P<referer>{_QUOTED})" "(?P<user_agent>{_QUOTED})")?'
        r"(?P<extra>.*)$",
        "%d/%b/%Y:%H:%M:%S %z",
    ),
)
