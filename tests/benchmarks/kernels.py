"""How fast several kernels find the same expressions in the same texts, and whether they find the same.

Run it as ``python tests/benchmarks/kernels.py`` for generated logs, or with files. The expressions are those of some of
our rules. Where a kernel knows no look-around or does not say where a match begins, it finds the lines, and Python's
``regex`` the matches in them; that counts as its time. Hyperscan and RE2 take part where their packages are installed.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import polars as pl
import regex

from benchmarks.speed import dense, texts
from mapkeeper import discover
from mapkeeper.classify.expressions import Expression
from mapkeeper.classify.roads import route
from mapkeeper.classify.sieve import Sieve

RULES = (
    "standard/americas/us-ssn",
    "standard/contact/email",
    "standard/contact/phone-north-american",
    "standard/credential/jwt",
    "standard/europe/pt-nif",
    "standard/financial/card",
    "standard/location/geo-uri",
    "standard/online/ipv4",
    "standard/online/ipv6",
    "standard/online/mac",
    "standard/online/user-agent",
    "standard/vehicle/vin",
    "presidio/credit_card",
    "presidio/crypto",
    "presidio/email_address",
    "presidio/iban_code",
    "presidio/ip_address",
    "presidio/uk_nino",
    "presidio/us_ssn",
)
"""Of all kinds: literals, tokens, rows of tokens, seeds; with and without look-arounds and groups."""

_LOOK = re.compile(r"\(\?<?[=!](?:[^()\\\[]|\\.|\[(?:\\.|[^\]])*\])*\)")

Matches = Counter[tuple[int, int, str]]
"""How often a value was found: expression, text, value."""


class Kernel:
    """Something that finds expressions in texts; made ready when it is made."""

    name: str

    def __init__(self, expressions: Sequence[str]) -> None:
        self.expressions = expressions
        self.python = [regex.compile(expression) for expression in expressions]
        self.groups = [each.groupindex.get("value", 0) for each in self.python]
        self.confirming = 0.0
        """Seconds of the processor in which Python said what is a match."""

    def find(self, lines: Sequence[str]) -> Matches:
        """Everything that the expressions match."""
        raise NotImplementedError

    def confirmed(self, number: int, lines: Sequence[str], which: Iterable[int]) -> list[tuple[int, int, str]]:
        """What Python finds of one expression in some lines."""
        begun = time.process_time()
        search, group = self.python[number].finditer, self.groups[number]
        found = [(number, at, match[group]) for at in which for match in search(lines[at])]
        self.confirming += time.process_time() - begun
        return found


class Machine(Kernel):
    """Our sieve and machine."""

    name = "ours (sieve and machine)"

    def __init__(self, expressions: Sequence[str]) -> None:
        super().__init__(expressions)
        self._sieve = Sieve(expressions)
        self._expressions = [Expression(text, 1.0, number) for number, text in enumerate(expressions)]
        self.find(dense(999_999, 1_000).to_list())  # numba compiles when it is first called

    def find(self, lines: Sequence[str]) -> Matches:
        found = self._sieve.sift(pl.Series(lines, dtype=pl.String)).search()
        matches: Matches = Counter()
        for number, expression in enumerate(self._expressions):
            hits = expression.find(found)
            if hits is not None:
                values = hits.values.to_list()
                pairs = zip(hits.text.tolist(), hits.value.tolist(), strict=True)
                matches.update((number, text, values[value]) for text, value in pairs)
        return matches


class Polars(Kernel):
    """Rust's ``regex`` by Polars, an expression at a time."""

    name = "Polars (Rust regex)"

    def __init__(self, expressions: Sequence[str]) -> None:
        super().__init__(expressions)
        self._relaxed = [relaxed(expression) for expression in expressions]
        self.loose = [
            a != b or bool(group) for a, b, group in zip(expressions, self._relaxed, self.groups, strict=True)
        ]

    def find(self, lines: Sequence[str]) -> Matches:
        column = pl.Series("text", lines, dtype=pl.String)
        matches: Matches = Counter()
        for number, expression in enumerate(self._relaxed):
            if self.loose[number]:
                matches.update(self.confirmed(number, lines, column.str.contains(expression).arg_true()))
                continue
            every = pl.DataFrame({"value": column.str.extract_all(expression)}).with_row_index("at")
            every = every.filter(pl.col("value").list.len() > 0).explode("value", empty_as_null=False)
            matches.update((number, at, value) for at, value in every.iter_rows())
        return matches


class Hyperscan(Kernel):
    """Hyperscan says which lines hold something of which expression, all at once; Python finds it there."""

    name = "Hyperscan, then Python"

    def __init__(self, expressions: Sequence[str]) -> None:
        super().__init__(expressions)
        self._hyperscan: Any = importlib.import_module("hyperscan")
        hyperscan = self._hyperscan
        flags = []
        for expression in expressions:
            common = hyperscan.HS_FLAG_SINGLEMATCH | (0 if expression.isascii() and r"\p" not in expression else _WIDE)
            try:
                hyperscan.Database().compile(expressions=[expression.encode()], ids=[0], flags=[common])
            except hyperscan.error:
                common |= hyperscan.HS_FLAG_PREFILTER
            flags.append(common)
        self.loose = [bool(flag & hyperscan.HS_FLAG_PREFILTER) for flag in flags]
        self._database = hyperscan.Database()
        self._database.compile(
            expressions=[expression.encode() for expression in expressions],
            ids=list(range(len(expressions))), elements=len(expressions), flags=flags,
        )  # fmt: skip

    def find(self, lines: Sequence[str]) -> Matches:
        told: list[list[int]] = [[] for _ in self.expressions]

        def on_match(number: int, start: int, stop: int, flags: int, at: int) -> None:
            told[number].append(at)

        scan = self._database.scan
        for at, line in enumerate(lines):
            scan(line.encode(), match_event_handler=on_match, context=at)
        matches: Matches = Counter()
        for number, which in enumerate(told):
            matches.update(self.confirmed(number, lines, which))
        return matches


_WIDE = 32 | 64  # HS_FLAG_UTF8, HS_FLAG_UCP


class Re2(Kernel):
    """RE2 by its set of expressions, line by line, then each expression where it can match."""

    name = "RE2"

    def __init__(self, expressions: Sequence[str]) -> None:
        super().__init__(expressions)
        re2: Any = importlib.import_module("re2")
        plain = [relaxed(expression) for expression in expressions]
        self.loose = [a != b for a, b in zip(expressions, plain, strict=True)]
        options = re2.Options()
        options.max_mem = 1 << 30
        self._set = re2.Set.SearchSet(options)
        for expression in plain:
            self._set.Add(expression)
        self._set.Compile()
        self._each = [re2.compile(expression, options) for expression in plain]

    def find(self, lines: Sequence[str]) -> Matches:
        matches: Matches = Counter()
        match_of = self._set.Match
        for at, line in enumerate(lines):
            for number in match_of(line) or ():
                if self.loose[number]:
                    matches.update(self.confirmed(number, lines, [at]))
                else:
                    group = self.groups[number]
                    matches.update((number, at, match[group]) for match in self._each[number].finditer(line))
        return matches


class Python(Kernel):
    """Python's ``regex``, an expression and a line at a time: what decides."""

    name = "Python regex"

    def find(self, lines: Sequence[str]) -> Matches:
        matches: Matches = Counter()
        for number in range(len(self.expressions)):
            matches.update(self.confirmed(number, lines, range(len(lines))))
        return matches


KERNELS: Mapping[Callable[[Sequence[str]], Kernel], str] = {
    Python: "regex", Machine: "numba", Polars: "polars", Hyperscan: "hyperscan", Re2: "re2",
}  # fmt: skip
"""Each with the module that it needs; the first decides what is right."""


def relaxed(expression: str) -> str:
    """Without its look-arounds, which Rust and RE2 do not know: it matches wherever it did, and elsewhere."""
    while (shorter := _LOOK.sub("", expression)) != expression:
        expression = shorter
    return expression


def chosen_expressions() -> list[str]:
    """The expressions of our rules."""
    rules = {rule.id: rule for rule in discover.rules()}
    return list(dict.fromkeys(pattern.regex for name in RULES for pattern in rules[name].find))


def main() -> None:
    """Measure each kernel, and compare what it finds with what Python finds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="*", help="logs, instead of generated ones")
    parser.add_argument("--megabytes", type=float, default=4, help="of text")
    chosen = parser.parse_args()
    expressions = chosen_expressions()
    lines = [line for path in chosen.file for line in texts(path)] or dense(1, int(chosen.megabytes * 10_000)).to_list()
    size = 0
    for count, line in enumerate(lines):
        size += len(line.encode()) + 1
        if size > chosen.megabytes * 1e6:
            lines = lines[:count]
            break
    size = sum(len(line.encode()) + 1 for line in lines)
    roads = Counter(route(expression).road.value for expression in expressions)
    told = ", ".join(f"{count} by {road}" for road, count in roads.most_common())
    print(f"{size / 1e6:.1f} MB, {len(lines)} lines; {len(expressions)} expressions: {told}", flush=True)
    right: Matches | None = None
    for kind, module in KERNELS.items():
        try:
            importlib.import_module(module)
        except ImportError:
            print(f"  {module} is not installed", flush=True)
            continue
        begun = time.process_time()
        kernel = kind(expressions)
        made, begun = time.process_time() - begun, time.process_time()
        found = kernel.find(lines)
        took = time.process_time() - begun
        right = found if right is None else right
        missed, more = right - found, found - right
        loose = sum(getattr(kernel, "loose", ()))
        print(
            f"  {kernel.name:26} {size / took / 1e6:8.2f} MB/s of CPU, made in {made:.1f} s, {found.total()} matches,"
            f" {missed.total()} missed, {more.total()} more"
            + (f"; {loose} expressions are not its own" if loose else "")
            + (f"; Python's share {kernel.confirming / took:.0%}" if kernel.confirming else ""),
            flush=True,
        )
        apart = Counter(number for number, _, _ in (missed + more).elements())
        for number, count in apart.most_common(3):
            print(f"      {count} differ: {expressions[number][:90]!r}", flush=True)


if __name__ == "__main__":
    main()
