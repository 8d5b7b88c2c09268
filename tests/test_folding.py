"""Folding: which objects are one asset, as they are listed one by one, in bounded memory whatever they are called."""

from __future__ import annotations

import pickle
import random
import tracemalloc
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapkeeper.readers.family import families
from mapkeeper.readers.folding import Folded, Folding
from mapkeeper.readers.listed import Listed, drawn


def listed(name: str, number: int = 0, size: int = 10) -> Listed:
    return Listed(name, size, 1_700_000_000 + number, f"v{number}")


def fold(names: Iterable[str], **limits: int) -> dict[str, Folded]:
    folding = Folding(**limits)
    for number, name in enumerate(names):
        folding.add(listed(name, number))
    return {folded.name: folded for folded in folding.families()}


def counts(names: Iterable[str], **limits: int) -> dict[str, int]:
    return {name: folded.family.count for name, folded in fold(names, **limits).items()}


NAMES = st.lists(st.text("ab2016-_.=/logcsvgz*@T", min_size=1, max_size=24), unique=True)


# Which names are a family


@given(NAMES)
def test_what_families_puts_together_stays_together(names: list[str]) -> None:
    found = fold(names)
    home = {name: pattern for pattern, folded in found.items() for name in names if folded.shape.holds(name)}
    for members in families(names).values():
        assert len({home[name] for name in members}) == 1


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["a/3f2504e0-4f89-11d3-9a0c-0305e82c3301.json", "a/3f2504e0-4f89-11d3-9a0c-0305e82c3302.json.gz"], "a/*.json"),
        (["d41d8cd98f00b204e9800998ecf8427e", "0cc175b9c0f1b6a831c399e269772661"], "*"),
        (["user_12345678.csv", "user_12345679.csv"], "user_*.csv"),
        (["x/01ARZ3NDEKTSV4RRFFQ69G5FAV.parquet", "x/01BX5ZZKBKACTAV9WEVGEMMVRZ.parquet"], "x/*.parquet"),
        (
            [
                "12345678_elb_eu-west-1_app.lb.f00dcafe12345678_20260101T0005Z_10.0.0.1_2a3b4c5d.log.gz",
                "12345678_elb_eu-west-1_app.lb.f00dcafe12345678_20260101T0010Z_10.0.0.2_9z8y7x6w.log.gz",
            ],
            "*_elb_eu-west-1_app.lb.*.log",
        ),
        (["syslog", "syslog.1", "syslog.2.gz"], "syslog*"),
    ],
)
def test_names_that_differ_in_a_hash_or_a_long_number_are_a_family(names: list[str], pattern: str) -> None:
    assert counts(names) == {pattern: len(names)}


def test_folders_of_accounts_and_tenants_stay_apart_while_they_are_few() -> None:
    """Clients of a provider are told apart by prefix."""
    names = [f"logs/{account:012}/2026/01/0{day}/a.log" for account in (1, 2) for day in (1, 2)]
    assert counts(names) == {"logs/000000000001/*/*/*/a.log": 2, "logs/000000000002/*/*/*/a.log": 2}


def test_in_folders_of_days_names_may_differ_in_any_number() -> None:
    names = [f"logs/2026/01/0{day}/web-{host}.log" for day in (1, 2) for host in (1, 2)]
    assert counts([*names, "logs/web-1.log", "logs/web-2.log"]) == {
        "logs/*/*/*/web-*.log": 4, "logs/web-1.log": 1, "logs/web-2.log": 1,
    }  # fmt: skip


def test_a_folder_of_too_many_names_is_folded_by_numbers_then_by_ends() -> None:
    numbered = [f"in/patient_{number}.csv" for number in range(1000)]
    assert counts([*numbered, "in/readme.txt", "out/a.csv"]) == {
        "in/patient_*.csv": 1000, "in/readme.txt": 1, "out/a.csv": 1,
    }  # fmt: skip
    letters = [
        f"in/{a}{b}x.{end}" for a in "abcdefghijklmnopqrst" for b in "abcdefghijklmnopqrst" for end in ("eml", "txt")
    ]
    assert counts(letters) == {"in/*.eml": 400, "in/*.txt": 400}


def test_too_many_folders_side_by_side_are_one() -> None:
    names = [f"home/{random.Random(number).randbytes(8).hex()}/cv.pdf" for number in range(300)]
    assert counts([*names, "home/shared/cv.pdf"]) == {"home/*/cv.pdf": 300, "home/shared/cv.pdf": 1}
    letters = "abcdefghijklm"
    words = [f"home/{a}{b}{c}x/cv.pdf" for a in letters for b in letters for c in letters]
    assert counts(words) == {"home/*/cv.pdf": 13**3}


@given(NAMES, st.integers(600, 700))
def test_every_object_is_in_one_family_and_its_shape_finds_it_again(names: list[str], most: int) -> None:
    found = fold(names, families=most)
    assert sum(folded.family.count for folded in found.values()) == len(names)
    assert sum(folded.family.bytes for folded in found.values()) == 10 * len(names)
    for name in names:
        homes = [one for one, folded in found.items() if folded.shape.holds(name)]
        assert len(homes) == 1
        assert name.startswith(found[homes[0]].shape.start)
        assert listed(name, names.index(name)) in found[homes[0]].family.kept


def test_shapes_find_again_what_was_folded_for_its_number() -> None:
    generator = random.Random(4)
    word = "abcdefgh.-1290/"
    names = sorted({"".join(generator.choices(word, k=generator.randrange(3, 30))) for _ in range(15_000)})
    found = fold(names, families=700)
    assert len(found) <= 700
    again = dict.fromkeys(found, 0)
    for name in names[::50]:
        (home,) = [one for one, folded in found.items() if folded.shape.holds(name)]
        again[home] += 1
    assert all(found[one].family.count >= count for one, count in again.items())
    assert sum(folded.family.count for folded in found.values()) == len(names)
    assert pickle.loads(pickle.dumps([folded.shape for folded in found.values()])) == [
        folded.shape for folded in found.values()
    ]


# What a family knows


def test_a_family_knows_its_bytes_its_times_and_what_its_objects_are() -> None:
    folding = Folding()
    for number in (5, 1, 9):
        folding.add(
            Listed(f"a.log.{number}", number, 1000 + number, "v", "GLACIER" if number == 9 else "", number == 9)
        )
    (folded,) = folding.families()
    family = folded.family
    assert (family.count, family.bytes, family.closed, family.oldest, family.newest) == (3, 15, 1, 1001, 1009)
    assert [one.name for one in family.kept] == ["a.log.1", "a.log.5"]
    assert family.complete
    assert dict(family.kinds) == {"": 2, "GLACIER": 1}


def test_the_digest_moves_with_any_object_and_not_with_their_order() -> None:
    def digest(*objects: Listed) -> str:
        folding = Folding()
        for one in objects:
            folding.add(one)
        return next(folding.families()).family.digest

    first, second, third = (listed(f"a.log.{number}", number) for number in (1, 2, 3))
    whole = digest(first, second, third)
    assert digest(third, first, second) == whole
    others = {
        digest(first, second),
        digest(first, second, third._replace(version="v9")),
        digest(first, second, third._replace(size=11)),
        digest(first, second, third._replace(modified=1)),
        digest(first, second, third._replace(name="a.log.4")),
    }
    assert len(others | {whole}) == 6


def test_what_is_kept_of_a_large_family_comes_from_all_over_it() -> None:
    (folded,) = fold(f"a/{number:08}.log" for number in range(20_000)).values()
    family = folded.family
    assert (len(family.kept), family.complete) == (256, False)
    numbers = sorted(int(one.name[2:10]) for one in family.kept)
    assert numbers[0] < 1000
    assert numbers[-1] > 19_000
    assert 9000 < sum(numbers) / 256 < 11_000


def test_objects_are_drawn_from_every_stretch_of_time() -> None:
    members = [listed(f"{number:03}", number) for number in range(200)]
    chosen = drawn(members, 10, seed=3)
    assert [one.modified % 1_700_000_000 // 20 for one in chosen] == list(range(10))
    assert drawn(list(reversed(members)), 10, seed=3) == chosen
    assert drawn(members, 10, seed=4) != chosen
    assert drawn(members[:10], 10, seed=3) == members[:10]


# Memory


def hostile(kind: str, number: int) -> Iterator[str]:
    generator = random.Random(kind)
    for _ in range(number):
        parts = {"flat": 1, "folders": 4, "deep": 60}[kind]
        yield (
            "/".join("".join(generator.choices("abcdefghijklmnop@. é", k=8)) for _ in range(parts))
            + ".x"
            + str(generator.randrange(10**6))
        )


@pytest.mark.parametrize(("kind", "number"), [("flat", 40_000), ("folders", 20_000), ("deep", 1000)])
def test_names_that_do_not_fold_cost_bounded_memory(kind: str, number: int) -> None:
    tracemalloc.start()
    try:
        found = fold(hostile(kind, number), families=1000, all_kept=5000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) <= 1000
    assert sum(folded.family.count for folded in found.values()) == number
    assert sum(len(folded.family.kept) for folded in found.values()) <= 5000
    assert peak < 20 << 20
