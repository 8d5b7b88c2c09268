"""How many values the engine and Presidio find in files, rule by rule, and where they differ.

Run it as ``python tests/benchmarks/parity.py FOLDER …``. Every line of every text file is a text; where it is JSON with
a ``text``, that is. Only counts are printed, never a value.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mapkeeper.classify.ruleset import Ruleset
from mapkeeper.classify.weights import Weights, Words
from mapkeeper_classifiers import presidio
from parity import LEFT_OUT, Ours, Theirs, differences
from shipped import presidio_rules, standard_rules

TOGETHER = 20_000
"""Texts that are run together."""

LONGEST = 32 * 1024
"""Characters of a text that are looked at: Presidio takes minutes for more."""


def texts(folders: list[Path]) -> Iterator[str]:
    """Each line once, without white space at its ends."""
    seen: set[int] = set()
    files = (path for folder in folders for path in sorted(folder.rglob("*") if folder.is_dir() else [folder]))
    for path in filter(Path.is_file, files):
        data = path.read_bytes()
        if b"\0" in data:
            continue
        for line in data.decode("utf-8", "replace").splitlines():
            text = _told(line)[:LONGEST].strip()
            if text and hash(text) not in seen:
                seen.add(hash(text))
                yield text


def _told(line: str) -> str:
    if line.startswith("{"):
        try:
            told = json.loads(line)
        except ValueError:
            return line
        if isinstance(told, dict) and isinstance(told.get("text"), str):
            return str(told["text"])
    return line


def main() -> None:
    """Compare, and print one line an entity."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+")
    parser.add_argument("--sample", type=int, default=1, help="every so manieth text")
    chosen = parser.parse_args()
    some = list(texts(chosen.folder))[:: chosen.sample]
    ours = Ours(Ruleset([*standard_rules(), *presidio_rules()], Words.shipped(), Weights.shipped()))
    theirs = {
        recognizer.supported_entities[0]: Theirs(recognizer)
        for recognizer in presidio.recognizers()
        if recognizer.supported_entities[0] in LEFT_OUT
    }
    begun = time.process_time()
    matches: Counter[str] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    for start in range(0, len(some), TOGETHER):
        counted, found = differences(ours, theirs, some[start : start + TOGETHER])
        matches += counted
        wrong += Counter((entity, what) for entity, each in found.items() for what, _ in each)
    beyond = sum(not text.isascii() for text in some)
    print(f"{len(some)} texts, {beyond} of them beyond ASCII, {sum(map(len, some))} characters")
    print(f"{sum(matches.values())} values of {len(matches)} entities; {time.process_time() - begun:.0f} s")
    for (entity, what), count in sorted(wrong.items()):
        print(f"{entity}: {what}: {count}")


if __name__ == "__main__":
    main()
