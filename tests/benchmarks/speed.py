"""How fast texts and columns are classified, in process and by the whole command, beside Presidio and ripgrep.

Run it as ``python tests/benchmarks/speed.py`` for generated logs, or with files for logs of your own, which are
repeated up to the size asked for. Only figures are printed, never a value. Seconds in process are of the processor, of
commands both: whoever else uses the machine shows in the wall's most.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import psutil
import pyarrow as pa

from mapkeeper import discover
from mapkeeper.classify import Engine
from mapkeeper.plugin import Batch
from mapkeeper_classifiers import presidio

INSPECT = (sys.executable, "-m", "mapkeeper", "inspect", "--depth", "full", "--format", "csv")
BATCH = 8_192
"""Rows of a batch in process."""

STORES = ("north", "south", "east", "west")
"""Several assets, so that several workers have something to do: a small one is not divided."""

PIECE = 50_000
"""Rows that are made at a time."""

PATTERNS = (
    r"\b\d{1,3}(\.\d{1,3}){3}\b",
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b",
    r"\b(4\d{3}|5[1-5]\d{2})[- ]?\d{4}[- ]?\d{4}[- ]?\d{4}\b",
    r"\b\d{3}-\d{2}-\d{4}\b",
    r"\+\d{1,3}[ .-]?\d{2,4}[ .-]?\d{3,8}\b",
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    r"\b([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b",
    r"(?i)\b(user|login|account)[ =:]+\S+",
)
"""What ripgrep is asked for."""

FIRST = ("Ada", "Bruno", "Chiara", "Dario", "Elif", "Femke", "Goran", "Hanna", "Ilse", "Jonas", "Katja", "Lars")
LAST = ("Abel", "Brandt", "Conti", "Dupont", "Eriksen", "Farkas", "Garcia", "Hoffmann", "Ivanov", "Jansen", "Keller")
CITIES = ("Aarhus", "Bergen", "Bologna", "Brno", "Dresden", "Gent", "Graz", "Leeds", "Lyon", "Porto", "Turku", "Zwolle")
STATUS = ("open", "paid", "shipped", "returned", "cancelled")

Numbers = npt.NDArray[np.int64]


def luhn(body: Numbers) -> Numbers:
    """Numbers with their check digit behind."""
    total, rest = np.zeros(len(body), np.int64), body.copy()
    for place in range(18):
        digit = rest % 10 * (2 if place % 2 == 0 else 1)
        total += digit // 10 + digit % 10
        rest //= 10
    return body * 10 + -total % 10


def people(seed: int, count: int) -> pl.DataFrame:
    """What is known of people who do not exist; each value is drawn anew."""
    chance = np.random.default_rng(seed)
    account = chance.integers(10**17, 10**18, count)  # eighteen digits of a German account
    check = 98 - (account % 97 * (10**6 % 97) + 131400) % 97
    names = {"first": FIRST, "last": LAST, "city": CITIES, "status": STATUS}
    digits: dict[str, tuple[int, int]] = {
        "a": (1, 224), "b": (0, 256), "c": (0, 256), "d": (1, 255), "port": (1024, 65536),
        "number": (10_000, 10_000_000), "small": (1, 1_000), "area": (200, 1_000), "group": (10, 100),
        "serial": (1_000, 10_000), "host": (1, 400),
    }  # fmt: skip
    frame = pl.DataFrame(
        {
            "id": np.arange(seed * PIECE, seed * PIECE + count),
            **{name: chance.integers(low, high, count) for name, (low, high) in digits.items()},
            **{name: np.array(words)[chance.integers(0, len(words), count)] for name, words in names.items()},
            "card": luhn(chance.integers(4 * 10**14, 5 * 10**14, count)),
            "iban": account,
            "check": check,
            "second": chance.integers(1_750_000_000, 1_790_000_000, count),
            "day": chance.integers(-10_000, 10_000, count),
            "cents": chance.integers(100, 10_000_000, count),
        }
    )
    data = chance.bytes(16 * count)
    hexes = pl.Series("hex", [data[at : at + 16] for at in range(0, len(data), 16)]).bin.encode("hex")
    hyphened = pl.format("{}-{}-{}-{}-{}", *(pl.col("hex").str.slice(a, b) for a, b in _UUID))
    user = pl.format("{}{}{}", pl.col("first").str.slice(0, 1), "last", "number").str.to_lowercase()
    return frame.with_columns(hexes, user=user, time=pl.from_epoch("second")).with_columns(
        uuid=hyphened,
        ip=pl.format("{}.{}.{}.{}", "a", "b", "c", "d"),
        email=pl.format("{}@mail{}.example.org", "user", "small"),
        iban=pl.format("DE{}{}", pl.col("check").cast(pl.String).str.zfill(2), "iban"),
        stamp=pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


_UUID = ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))


def dense(seed: int, count: int) -> pl.Series:
    """Lines of five forms, as web servers, sshd, applications and billing write them, dense with values."""
    rows = people(seed, count).with_columns(
        web=pl.col("time").dt.strftime("%d/%b/%Y:%H:%M:%S +0000"), syslog=pl.col("time").dt.strftime("%b %e %H:%M:%S")
    )
    forms = (
        pl.format(
            '{} - {} [{}] "GET /shop/orders/{}?page={} HTTP/1.1" 200 {} "-" "Mozilla/5.0 (X11; Linux x86_64) Gecko/{}"',
            "ip", "user", "web", "number", "small", "port", "serial",
        ),
        pl.format(
            "{} host{} sshd[{}]: Failed password for {} from {} port {} ssh2",
            "syslog", "host", "serial", "user", "ip", "port",
        ),
        pl.format(
            "{} INFO shop.checkout request={} account={} mail={} took {} ms",
            "stamp", "uuid", "number", "email", "small",
        ),
        pl.format(
            "{} billing WARN card={} iban={} phone=({})555-{} name={} {}",
            "stamp", "card", "iban", "area", "serial", "first", "last",
        ),
        pl.concat_str(
            pl.lit('{"ts":"'), "stamp", pl.lit('","level":"info","client":"'), "ip", pl.lit('","session":"'), "hex",
            pl.lit('","bytes":'), "port", pl.lit(',"path":"/v2/items/'), "number", pl.lit('"}'),
        ),
    )  # fmt: skip
    form = pl.lit(pl.Series(np.random.default_rng(seed).integers(0, len(forms), count)))
    chosen = [pl.when(form == number).then(each) for number, each in enumerate(forms)]
    return rows.select(pl.coalesce(chosen).alias("line")).to_series()


def write(path: Path, size: int, seed: int) -> None:
    """A log of so many bytes, or a line more."""
    with path.open("wb") as file:
        number = seed * 1_000
        while (missing := size - file.tell()) > 0:
            data = ("\n".join(dense(number, PIECE)) + "\n").encode()
            file.write(data if len(data) <= missing else data[: data.index(b"\n", missing - 1) + 1])
            number += 1


def repeated(paths: Sequence[Path], target: Path, size: int) -> None:
    """Some files, one behind the other, again and again up to a size."""
    data = b"\n".join(path.read_bytes() for path in paths) + b"\n"
    with target.open("wb") as file:
        while (missing := size - file.tell()) > 0:
            file.write(data[: data.find(b"\n", missing - 1) + 1 or None] if len(data) > missing else data)


def texts(path: Path) -> list[str]:
    """The lines of a file."""
    return path.read_text("utf-8", "replace").split("\n")


@dataclass
class Run:
    """How a command went."""

    wall: float
    cpu: float
    memory: int  # the most that one of its processes held, in bytes

    def __str__(self) -> str:
        return f"{self.wall:7.1f} s wall {self.cpu:7.1f} s CPU {self.memory / 1e6:5.0f} MB in the largest process"


def run(command: Sequence[str]) -> Run:
    """Run a command to its end."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    parent, most = psutil.Process(process.pid), 0
    while process.poll() is None:
        with suppress(psutil.Error):
            most = max(most, *(one.memory_info().rss for one in (parent, *parent.children(recursive=True))))
        time.sleep(0.05)
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert process.returncode == 0, command
    return Run(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, most)


def inspect(path: Path, workers: int) -> Run:
    """Have the command read everything there is, with so many workers."""
    return run([*INSPECT, "--workers", str(workers), str(path)])


def classify(engine: Engine, name: str, batches: Sequence[pa.RecordBatch]) -> tuple[float, int]:
    """Seconds of the processor that the engine takes for an asset in process, and its findings."""
    begun = time.process_time()
    classification = engine.start(name)
    for batch in batches:
        classification.add(Batch(data=batch))
    found = len(classification.finish().findings)
    return time.process_time() - begun, found


def batched(lines: Sequence[str]) -> list[pa.RecordBatch]:
    """Lines as a reader hands them over."""
    return [pa.record_batch({"text": lines[at : at + BATCH]}) for at in range(0, len(lines), BATCH)]


def asked(engine: Engine) -> None:
    """Have everything compiled that is compiled when it is first called."""
    classify(engine, "first.log", batched(dense(999_999, 2_000).to_list()))


def recognize(lines: Sequence[str]) -> tuple[float, int]:
    """Seconds of the processor that Presidio's recognizers of our entities take, one by one; and what they find."""
    entities = presidio.meanings()["entity"]
    recognizers = [each for each in presidio.recognizers() if each.supported_entities[0] in entities]

    def results(some: Sequence[str]) -> int:
        found = 0
        for line in some:
            for recognizer in recognizers:
                with suppress(KeyError, ValueError, IndexError, TypeError):  # some stumble over some lines
                    found += len(recognizer.analyze(line, recognizer.supported_entities))
        return found

    results(lines[:20])  # what they load when first called is not counted
    begun = time.process_time()
    found = results(lines)
    return time.process_time() - begun, found


def measure_text(engine: Engine, folder: Path, paths: Sequence[Path], chosen: argparse.Namespace) -> None:
    """Dense or given text: in process, by the command, by Presidio, by ripgrep."""
    logs = folder / "logs"
    logs.mkdir()
    names = ["app"] if paths else STORES  # each part of logs that were given would be the same
    size = int(chosen.megabytes * 1e6 / len(names))
    for number, name in enumerate(names):
        path = logs / f"{name}.log"
        repeated(paths, path, size) if paths else write(path, size, chosen.seed + number)
    files = sorted(logs.iterdir())
    size = sum(path.stat().st_size for path in files)
    lines = [line for path in files for line in texts(path) if line]
    print(f"text: {size / 1e6:.0f} MB, {len(lines)} lines, {'given' if paths else 'generated'}", flush=True)
    batches = batched(lines)
    first, found = classify(engine, "app.log", batches)
    again, _ = classify(engine, "app.log", batches)
    ours = size / first / 1e6
    print(
        f"  engine in process      {ours:8.2f} MB/s of CPU, {found} findings; again {size / again / 1e6:.2f}",
        flush=True,
    )
    for workers in chosen.workers:
        went = inspect(logs, workers)
        print(f"  inspect, {workers} worker(s)   {size / went.wall / 1e6:8.2f} MB/s of wall {went}", flush=True)
    alike = Engine(rule for rule in discover.rules() if rule.id.startswith("presidio/"))
    asked(alike)
    first, _ = classify(alike, "app.log", batches)
    alone = size / first / 1e6
    print(f"  Presidio's rules alone {alone:8.2f} MB/s of CPU", flush=True)
    sample = lines[:: max(1, len(lines) // chosen.lines)][: chosen.lines]
    held = sum(len(line.encode()) for line in sample)
    took, found = recognize(sample)
    theirs = held / took / 1e6
    print(
        f"  Presidio, one by one   {theirs:8.4f} MB/s of CPU, {found} results; extrapolated from {len(sample)} lines"
        f" ({held} bytes); the engine is {ours / theirs:.0f} times as fast, with the same rules alone"
        f" {alone / theirs:.0f} times",
        flush=True,
    )
    if shutil.which("rg") is None:
        print("  ripgrep                is not on the PATH")
        return
    patterns = [word for pattern in PATTERNS for word in ("-e", pattern)]
    went = run(["rg", "--count-matches", "--threads", "1", *patterns, str(logs)])
    theirs = size / went.cpu / 1e6
    print(
        f"  rg, {len(PATTERNS)} patterns        {theirs:8.2f} MB/s of CPU;"
        f" it is {theirs / ours:.1f} times as fast as the engine"
    )


COLUMNS = (
    "id",
    "email",
    "phone",
    "card",
    "ssn",
    "uuid",
    "ip",
    "first",
    "last",
    "city",
    "status",
    "amount",
    "time",
    "born",
)


def table(seed: int, count: int) -> pl.DataFrame:
    """Customers who do not exist, in columns of types."""
    return people(seed, count).with_columns(
        phone=pl.format("({}) 555-{}", "area", "serial"),
        card=pl.col("card").cast(pl.String),
        ssn=pl.format("{}-{}-{}", "area", "group", "serial"),
        amount=pl.col("cents") / 100,
        born=pl.date(1975, 1, 1) + pl.duration(days="day"),
    ).select(COLUMNS)  # fmt: skip


def tables(rows: int, seed: int) -> Iterator[pl.DataFrame]:
    """So many rows, piece by piece."""
    for number, start in enumerate(range(0, rows, PIECE), seed * 1_000):
        yield table(number, min(PIECE, rows - start))


def measure_columns(engine: Engine, folder: Path, chosen: argparse.Namespace) -> None:
    """Typed columns, in process and by the command from Parquet and CSV."""
    frame = pl.concat(tables(chosen.rows, chosen.seed))
    cells = frame.height * frame.width
    print(f"columns: {frame.height} rows of {frame.width}", flush=True)
    batches = frame.to_arrow().to_batches(max_chunksize=BATCH)
    took, found = classify(engine, "customers", batches)
    print(f"  engine in process      {cells / took / 1e6:8.3f} million cells/s of CPU, {found} findings", flush=True)
    stores = {"parquet": folder / "parquet", "csv": folder / "csv"}
    quarter = -(-frame.height // len(STORES))
    for form, store in stores.items():
        store.mkdir()
        for number, name in enumerate(STORES):
            part = frame.slice(number * quarter, quarter)
            path = store / f"{name}.{form}"
            part.write_parquet(path) if form == "parquet" else part.write_csv(path)
    idle = folder / "idle"
    idle.mkdir()
    frame.head(10).write_csv(idle / "few.csv")
    for workers in chosen.workers:
        start = inspect(idle, workers)
        print(f"  to start, {workers} worker(s)  {start}", flush=True)
        for form, store in stores.items():
            went = inspect(store, workers)
            more = max(went.wall - start.wall, 0.001)
            print(
                f"  {form:8} {workers} worker(s)  {cells / went.wall / 1e6:8.3f} million cells/s of wall,"
                f" {cells / more / 1e6:.3f} without the start {went}",
                flush=True,
            )


def measure_sizes(folder: Path, chosen: argparse.Namespace) -> None:
    """One log of several sizes: whether time grows as bytes do, and memory does not."""
    for megabytes in chosen.sizes:
        path = folder / "grown.log"
        write(path, int(megabytes * 1e6), chosen.seed + 50)
        workers = max(chosen.workers)
        went = inspect(path, workers)
        print(
            f"size: {megabytes:6g} MB, {workers} worker(s) {megabytes / went.wall:7.2f} MB/s of wall {went}", flush=True
        )
        path.unlink()


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="*", help="logs, instead of generated ones")
    parser.add_argument("--megabytes", type=float, default=20, help="of text")
    parser.add_argument("--rows", type=int, default=200_000, help="of the columns")
    parser.add_argument("--sizes", type=float, nargs="+", default=[10, 100], help="of one log, in megabytes")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--lines", type=int, default=300, help="that Presidio is given")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    begun = time.process_time()
    engine = Engine(discover.rules())
    asked(engine)
    print(f"rules read and engine made in {time.process_time() - begun:.1f} s of CPU", flush=True)
    with tempfile.TemporaryDirectory(prefix="mapkeeper-speed-") as folder:
        if "text" in chosen.parts:
            measure_text(engine, Path(folder), chosen.file, chosen)
        if "columns" in chosen.parts:
            measure_columns(engine, Path(folder), chosen)
        if "sizes" in chosen.parts:
            measure_sizes(Path(folder), chosen)


PARTS = ("text", "columns", "sizes")

if __name__ == "__main__":
    main()
