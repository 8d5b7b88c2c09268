"""Readers: from bytes to record batches, whatever the container and the format, and what is said of the rest."""

from __future__ import annotations

import bz2
import csv
import functools
import gzip
import io
import itertools
import json
import lzma
import random
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapkeeper import readers
from mapkeeper.errors import SourceError
from mapkeeper.plugin import Batch, Gap, ReadPlan, Reason

FULL = ReadPlan()
SAMPLE = ReadPlan(rows=10_000, bytes=16 << 20)


def member(data: bytes, name: str = "file", seekable: bool = True) -> readers.Member:
    return readers.Member(name, len(data), functools.partial(io.BytesIO, data), seekable)


def read(
    *members: readers.Member | bytes, plan: ReadPlan = FULL, resume: str | None = None
) -> tuple[list[Batch], list[Gap]]:
    named = [one if isinstance(one, readers.Member) else member(one, f"file {n}") for n, one in enumerate(members)]
    batches, gaps = [], []
    for got in readers.read(named, plan, resume):
        if isinstance(got, Batch):
            batches.append(got)
        else:
            gaps.append(got)
    return batches, gaps


def rows(batches: Iterable[Batch]) -> list[dict[str, Any]]:
    return [row for batch in batches for row in batch.data.to_pylist()]


def fields(batches: Iterable[Batch]) -> list[str]:
    return list(dict.fromkeys(name for batch in batches for name in batch.data.schema.names))


def positions(batch: Batch) -> list[int]:
    if batch.positions is not None:
        return list(batch.positions)
    assert batch.first is not None
    return list(range(batch.first, batch.first + batch.data.num_rows))


def parquet(table: pa.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def written(cells: list[list[str]], delimiter: str = ",", quoting: Any = csv.QUOTE_MINIMAL) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=quoting).writerows(cells)
    return out.getvalue().encode()


PEOPLE = b"id,email\n" + b"".join(b"%d,p%d@example.org\n" % (n, n) for n in range(1, 51))


# Containers


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, bz2.compress, lzma.compress, lambda data: pa.compress(data, codec="zstd", asbytes=True)],
    ids=["gzip", "bzip2", "xz", "zstd"],
)
def test_a_container_is_known_by_its_first_bytes_and_not_by_name(pack: Any) -> None:
    packed = pack(PEOPLE)
    batches, gaps = read(member(packed, "people.csv"))
    assert gaps == []
    assert rows(batches) == rows(read(PEOPLE)[0])
    assert sum(batch.bytes for batch in batches) == len(packed)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"])
def test_streams_behind_each_other_in_one_file_are_all_read(pack: Any) -> None:
    batches, gaps = read(pack(PEOPLE) + pack(b"51,last@example.org\n") + b"\0" * 512)
    assert gaps == []
    assert rows(batches)[-1] == {"id": "51", "email": "last@example.org"}


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, lambda data: pa.compress(data, codec="zstd", asbytes=True)],
    ids=["gzip", "zstd"],
)
def test_a_stream_cut_in_half_is_read_as_far_as_it_goes(pack: Any) -> None:
    noise = random.Random(1)
    text = b"".join(b"line %d %d\n" % (n, noise.getrandbits(900)) for n in range(4000))
    packed = pack(text)
    batches, gaps = read(packed[: len(packed) // 2])
    assert [gap.reason for gap in gaps] == [Reason.UNREADABLE]
    got = rows(batches)
    assert 1000 < len(got) < 3000
    assert got[999] == {"text": text.split(b"\n")[999].decode()}


def test_a_stream_that_is_damaged_is_one_gap() -> None:
    packed = bytearray(gzip.compress(PEOPLE * 50))
    packed[len(packed) // 2 :] = b"\xff" * 40
    _, gaps = read(bytes(packed))
    assert [gap.reason for gap in gaps] == [Reason.UNREADABLE]


@pytest.mark.parametrize(
    ("head", "reason", "name"),
    [
        (b"PK\x03\x04\x14\0\0\0\x08\0" + b"\0" * 20 + b"a.txt", Reason.UNSUPPORTED, "zip"),
        (b"PK\x03\x04\x14\0\x01\0\x08\0" + b"\0" * 20 + b"a.txt", Reason.ENCRYPTED, "zip"),
        (b"PK\x03\x04\x14\0\0\0\x08\0" + b"\0" * 20 + b"word/document.xml", Reason.UNSUPPORTED, "Word"),
        (b"%PDF-1.7\n1 0 obj", Reason.UNSUPPORTED, "PDF"),
        (b"%PDF-1.7\n trailer << /Encrypt 5 0 R >>", Reason.ENCRYPTED, "PDF"),
        (b"SQLite format 3\0" + b"\x10\0\x01\x01", Reason.UNSUPPORTED, "SQLite"),
        (b"Obj\x01\x04\x14avro.codec", Reason.UNSUPPORTED, "Avro"),
        (b"ORC\x08\x03", Reason.UNSUPPORTED, "ORC"),
        (b"ARROW1\0\0", Reason.UNSUPPORTED, "Arrow"),
        (b"ElfFile\0\0\0", Reason.UNSUPPORTED, "EVTX"),
        (b"\x7fELF\x02\x01\x01", Reason.UNSUPPORTED, "ELF"),
        (b"\x89PNG\r\n\x1a\n\0\0", Reason.UNSUPPORTED, "PNG"),
        (b"PARE" + b"\0" * 40 + b"PARE", Reason.ENCRYPTED, "Parquet"),
        (b"a/file".ljust(257, b"\0") + b"ustar\x0000" + b"\0" * 247, Reason.UNSUPPORTED, "tar"),
        (bytes(range(256)) * 8, Reason.UNSUPPORTED, "binary"),
    ],
)
def test_what_is_not_read_yet_is_named_in_its_gap(head: bytes, reason: Reason, name: str) -> None:
    for data in (head, gzip.compress(head)):
        batches, gaps = read(member(data, "data.csv"))
        assert batches == []
        assert [(gap.reason, gap.count) for gap in gaps] == [(reason, 1)]
        assert name in gaps[0].says


def test_an_empty_file_is_complete() -> None:
    assert read(b"") == ([], [])
    assert read(gzip.compress(b"")) == ([], [])


# Delimited files


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_of_a_table_is_found_without_a_telling_name(delimiter: str) -> None:
    cells = [["id", "name", "email"], ["1", "Ada, Countess", "ada@example.org"], ["2", "Bo", "bo@example.org"]]
    batches, gaps = read(member(written(cells, delimiter), "export"))
    assert gaps == []
    assert rows(batches) == [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]


def test_columns_without_a_header_are_numbered() -> None:
    batches, _ = read(member(b"1,ada@example.org,3\n2,bo@example.org,4\n", "people.csv"))
    assert fields(batches) == ["column_1", "column_2", "column_3"]
    assert len(rows(batches)) == 2


def test_a_header_alone_still_tells_the_fields() -> None:
    batches, gaps = read(member(b"id,email,city\n", "people.csv"))
    assert gaps == []
    assert [(batch.data.schema.names, batch.data.num_rows) for batch in batches] == [(["id", "email", "city"], 0)]


def test_columns_stay_text_so_that_later_rows_cannot_fail() -> None:
    data = b"id,code\n" + b"1,2\n" * 700_000 + b"x,007\n"
    batches, gaps = read(member(data, "codes.csv"))
    assert gaps == []
    assert {batch.data.schema.field("code").type for batch in batches} == {pa.string()}
    assert batches[-1].data.to_pylist()[-1] == {"id": "x", "code": "007"}


def test_ragged_rows_are_one_gap_and_the_others_keep_their_positions() -> None:
    lines = [b"a,b,c"] + [b"%d,x,y" % n for n in range(1, 31)]
    lines[17] = b"17,x"
    lines[20] = b"20,x,y,z"
    batches, gaps = read(member(b"\n".join(lines), "t.csv"))
    assert gaps == [Gap(Reason.UNREADABLE, 2, "rows with another number of columns", "row 17")]
    assert [
        (int(row["a"]), place) for batch in batches for row, place in zip(rows([batch]), positions(batch), strict=True)
    ] == [(n, n) for n in range(1, 31) if n not in (17, 20)]


def test_ragged_rows_with_nul_bytes_cost_nothing_else() -> None:
    batches, gaps = read(member(b"a,b\n1,\0x\n\0\0\n2,y\n", "t.csv"))
    assert [row["a"] for row in rows(batches)] == ["1", "2"]
    assert [(gap.reason, gap.count) for gap in gaps] == [(Reason.UNREADABLE, 1)]


def test_names_of_columns_may_hold_quotes_and_line_breaks_be_empty_or_come_twice() -> None:
    header = ['a "quoted"\nname', "", "x", "x", "x_2"]
    batches, gaps = read(member(written([header, ["1", "2", "3", "4", "5"]]), "t.csv"))
    assert gaps == []
    names = fields(batches)
    assert names[0] == header[0]
    assert names[1:] == ["column_2", "x", "x_3", "x_2"]
    assert rows(batches) == [dict(zip(names, "12345", strict=True))]


def test_names_that_no_column_can_have_are_mended() -> None:
    assert fields(read(member(b"a\0b,c\n1,2\n", "t.csv"))[0]) == ["a\ufffdb", "c"]
    assert fields(read(b'{"a\\u0000b": 1, "\\ud800": {"c": 2}}\n')[0]) == ["a\ufffdb", "?.c"]


def test_a_quote_that_nothing_closes_costs_its_row_and_not_the_file() -> None:
    data = b"a,b\n" + b"1,x\n" * 10 + b'2,"open\n' + b"3,y\n" * 2_000_000
    batches, gaps = read(member(data, "t.csv"))
    assert [(gap.reason, gap.count) for gap in gaps] == [(Reason.UNREADABLE, 1)]
    assert sum(batch.data.num_rows for batch in batches) == 2_000_010


def test_sentences_and_log_lines_with_commas_are_no_table() -> None:
    prose = b"Dear Ada, thank you\nI saw Bo, who says hello\nRegards, Cy\n" * 5
    log = b"2026-01-01 10:00:00,123 INFO start of job\n2026-01-01 10:00:01,456 INFO end of job\n" * 5
    for data in (prose, log):
        assert fields(read(member(data, "notes.txt"))[0]) == ["text"]


TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff", include_characters='\r\n\t"'),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(2, 5).flatmap(lambda width: st.lists(st.lists(TEXT, min_size=width, max_size=width), max_size=8)),
    st.sampled_from(",;\t|"),
)
def test_any_cell_survives_a_table(cells: list[list[str]], delimiter: str) -> None:
    width = len(cells[0]) if cells else 2
    header = [f"name {n}" for n in range(width)]
    endings = {",": "csv", ";": "csv", "\t": "tsv", "|": "psv"}
    data = written([header, *cells], delimiter, csv.QUOTE_ALL)
    batches, gaps = read(member(data, f"t.{endings[delimiter]}"))
    assert gaps == []
    assert rows(batches) == [dict(zip(header, row, strict=True)) for row in cells]


# JSON


def test_json_lines_become_paths() -> None:
    one = {
        "user": {"mail": "ada@example.org", "age": 36},
        "tags": ["a", "b"],
        "orders": [{"sku": "x", "n": 1}, {"sku": "y"}],
    }
    two = {"user": {"mail": "bo@example.org"}, "ok": True, "orders": []}
    batches, gaps = read("\n".join(map(json.dumps, [one, two, one])).encode())
    assert gaps == []
    table = pa.Table.from_batches([batch.data for batch in batches])
    assert table.column("user.mail").to_pylist() == ["ada@example.org", "bo@example.org", "ada@example.org"]
    assert table.column("user.age").to_pylist() == [36, None, 36]
    assert table.column("tags").to_pylist() == [["a", "b"], None, ["a", "b"]]
    assert table.column("orders[].sku").to_pylist() == [["x", "y"], [], ["x", "y"]]
    assert table.column("orders[].n").to_pylist() == [[1, None], [], [1, None]]
    assert table.column("ok").to_pylist() == [None, True, None]
    assert batches[0].unit == "line"


def test_values_of_several_types_are_text_and_numbers_are_numbers() -> None:
    values = [{"mixed": 1, "number": 1}, {"mixed": "x", "number": 2.5}, {"mixed": {"deep": True}, "number": None}]
    batches, gaps = read("\n".join(map(json.dumps, values)).encode())
    assert gaps == []
    data = batches[0].data
    assert data.schema.field("number").type == pa.float64()
    assert data.schema.field("mixed").type == pa.string()
    assert data.column("mixed").to_pylist()[:2] == ["1", "x"]
    assert "deep" in data.column("mixed").to_pylist()[2]


def test_text_that_looks_like_a_time_stays_text_in_every_block() -> None:
    lines = b'{"born": "1980-05-17", "n": {"at": "2026-01-01T00:00:00Z"}}\n' * 100_000 + b'{"born": "unknown"}\n' * 9
    batches, gaps = read(lines)
    assert gaps == []
    assert len(batches) > 1
    assert {batch.data.schema.field("born").type for batch in batches} == {pa.string()}
    assert rows(batches[:1])[0] == {"born": "1980-05-17", "n.at": "2026-01-01T00:00:00Z"}


def test_a_bad_line_among_json_is_counted_with_its_place_and_read_as_text() -> None:
    lines = [json.dumps({"n": n}) for n in range(1, 31)]
    lines[16] = '{"n": '
    lines[20] = "not json: ada@example.org"
    lines[25] = ""
    batches, gaps = read("\n".join(lines).encode())
    assert [(gap.reason, gap.count, gap.example) for gap in gaps] == [(Reason.UNREADABLE, 1, "line 17")]
    got = {place: row for batch in batches for row, place in zip(rows([batch]), positions(batch), strict=True)}
    assert got[17] == {"text": lines[16]}
    assert got[21] == {"text": lines[20]}
    assert [got[n] for n in range(1, 31) if n not in (17, 21, 26)] == [
        {"n": n} for n in range(1, 31) if n not in (17, 21, 26)
    ]


def test_bad_json_deep_json_and_endless_keys_are_borne() -> None:
    deep = '{"a":' * 5000 + "1" + "}" * 5000
    keys = [json.dumps({f"key{n}_{k}@example.org": n for k in range(20)}) for n in range(500)]
    batches, _ = read("\n".join(['{"b": 1}'] * 600 + [deep] + keys).encode())
    assert sum(batch.data.num_rows for batch in batches) == 1101
    assert len(fields(batches)) <= 1010
    seen = {
        str(item) for row in rows(batches) for key, value in row.items() if value is not None for item in [key, value]
    }
    assert any("key499_19@example.org" in item for item in seen)


@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_document_is_read_as_records(indent: int | None) -> None:
    people = [{"name": "Ada", "mail": {"home": "ada@example.org"}}, {"name": "Bo", "mail": None}]
    batches, gaps = read(json.dumps(people, indent=indent).encode())
    assert gaps == []
    assert rows(batches) == [{"name": "Ada", "mail.home": "ada@example.org"}, {"name": "Bo", "mail.home": None}]
    assert {batch.unit for batch in batches} == {"record"}


def test_one_object_over_many_lines_is_one_record_and_its_long_list_is_records() -> None:
    small = {"name": "Ada", "phones": [{"n": "1"}, {"n": "2"}]}
    assert rows(read(json.dumps(small, indent=1).encode())[0]) == [{"name": "Ada", "phones[].n": ["1", "2"]}]
    events = {"Records": [{"event": n, "who": {"ip": "198.51.100.7"}} for n in range(5000)]}
    batches, gaps = read(json.dumps(events, indent=1).encode())
    assert gaps == []
    assert rows(batches)[4999] == {"Records[].event": 4999, "Records[].who.ip": "198.51.100.7"}


def test_a_broken_document_is_read_as_far_as_it_goes() -> None:
    text = json.dumps([{"n": n} for n in range(500)], indent=1).encode()
    batches, gaps = read(text[: len(text) // 2])
    assert [gap.reason for gap in gaps] == [Reason.UNREADABLE]
    assert rows(batches)[:3] == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_a_document_too_large_for_memory_is_a_gap() -> None:
    text = b"[\n" + b'{"a": "%s"},\n' % (b"x" * 1000) * 40_000 + b"{}]"
    batches, gaps = read(text)
    assert batches == []
    assert [gap.reason for gap in gaps] == [Reason.TOO_LARGE]


LEAF = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
OBJECT = st.dictionaries(
    TEXT, st.recursive(LEAF, lambda of: st.lists(of, max_size=3) | st.dictionaries(TEXT, of, max_size=3)), max_size=4
)


def strings(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return {text for inner in value.values() for text in strings(inner)}
    if isinstance(value, list):
        return {text for inner in value for text in strings(inner)}
    return set()


@settings(max_examples=200, deadline=None)
@given(st.lists(OBJECT, min_size=1, max_size=6))
def test_no_text_in_json_lines_is_lost(objects: list[dict[str, Any]]) -> None:
    batches, gaps = read("\n".join(json.dumps(one) for one in objects).encode())
    assert gaps == []
    assert sum(batch.data.num_rows for batch in batches) <= len(objects)
    found = "\n".join(json.dumps(row, default=str, ensure_ascii=False) for row in rows(batches))
    for text in strings(objects):
        inside = json.dumps(text, ensure_ascii=False)[1:-1]
        assert (
            inside in found
            or json.dumps(inside, ensure_ascii=False)[1:-1] in found
            or json.dumps(text)[1:-1].replace("\\", "\\\\") in found
        )


# Parquet


PEOPLE_TABLE = pa.table(
    {
        "id": pa.array(range(30_000), pa.int64()),
        "who": [{"mail": f"p{n}@example.org", "at": {"city": "Bern"}} for n in range(30_000)],
        "tags": [["a", "b"]] * 30_000,
        "lines": [[{"sku": "x", "n": n}] for n in range(30_000)],
    }
)


def test_parquet_keeps_types_and_flattens_what_is_nested() -> None:
    data = parquet(PEOPLE_TABLE, row_group_size=7_000)
    batches, gaps = read(data)
    assert gaps == []
    schema = batches[0].data.schema
    assert schema.names == ["id", "who.mail", "who.at.city", "tags", "lines[].sku", "lines[].n"]
    assert schema.field("id").type == pa.int64()
    assert pa.types.is_list(schema.field("lines[].n").type)
    got = rows(batches)
    assert got[29_999]["who.mail"] == "p29999@example.org"
    assert [place for batch in batches for place in positions(batch)] == list(range(1, 30_001))
    assert sum(batch.bytes for batch in batches) == len(data)
    assert {batch.method for batch in batches} == {"all"}


def test_a_sample_of_parquet_is_random_rows_of_all_of_it() -> None:
    plan = ReadPlan(rows=1000, bytes=16 << 20, seed=7)
    data = parquet(PEOPLE_TABLE, row_group_size=7_000)
    batches, gaps = read(data, plan=plan)
    assert [gap.reason for gap in gaps] == [Reason.BUDGET]
    assert {(batch.method, batch.random) for batch in batches} == {("random rows", True)}
    picked = [row["id"] for row in rows(batches)]
    assert len(picked) == 1000
    assert picked == [place - 1 for batch in batches for place in positions(batch)]
    assert 12_000 < sum(picked) / 1000 < 18_000
    assert picked == [row["id"] for row in rows(read(data, plan=plan)[0])]
    assert picked != [row["id"] for row in rows(read(data, plan=ReadPlan(rows=1000, bytes=16 << 20, seed=8))[0])]


def test_a_sample_of_parquet_too_large_for_the_plan_is_of_random_row_groups() -> None:
    noise = random.Random(2)
    table = pa.table({"n": range(40_000), "x": [noise.randbytes(40) for _ in range(40_000)]})
    batches, gaps = read(parquet(table, row_group_size=1_000), plan=ReadPlan(rows=4000, bytes=300_000))
    assert [gap.reason for gap in gaps] == [Reason.BUDGET]
    assert {(batch.method, batch.random) for batch in batches} == {("random row groups", False)}
    assert 2000 < sum(batch.data.num_rows for batch in batches) <= 4000
    assert sum(batch.bytes for batch in batches) <= 300_000


@pytest.mark.parametrize("cut", [slice(0, 5000), slice(0, -20)])
def test_a_truncated_parquet_is_one_gap(cut: slice) -> None:
    batches, gaps = read(parquet(PEOPLE_TABLE)[cut])
    assert batches == []
    assert [(gap.reason, gap.count) for gap in gaps] == [(Reason.UNREADABLE, 1)]


def test_a_lying_footer_and_broken_pages_are_gaps() -> None:
    whole = parquet(pa.table({"a": [str(n) for n in range(5000)]}), row_group_size=1000, use_dictionary=False)
    for at, stop in ((len(whole) - 8, len(whole) - 4), (4, 2000), (len(whole) - 300, len(whole) - 200)):
        broken = whole[:at] + b"\xff" * (stop - at) + whole[stop:]
        batches, gaps = read(broken)
        assert {gap.reason for gap in gaps} == {Reason.UNREADABLE}
        assert sum(batch.data.num_rows for batch in batches) < 5000


def test_text_in_parquet_that_is_not_utf8_costs_no_other() -> None:
    data = parquet(pa.table({"a": ["plain", "Zoë!", "more"], "b": [["x"], ["Zoë!"], None]}), use_dictionary=False)
    batches, gaps = read(data.replace("Zoë!".encode(), b"Zo\xff\xfe!"))
    assert rows(batches) == [
        {"a": "plain", "b": ["x"]},
        {"a": "Zo\ufffd\ufffd!", "b": ["Zo\ufffd\ufffd!"]},
        {"a": "more", "b": None},
    ]
    assert [gap.reason for gap in gaps] == [Reason.UNREADABLE]


def test_parquet_without_rows_tells_its_fields_and_in_gzip_is_read_too() -> None:
    batches, gaps = read(parquet(PEOPLE_TABLE.slice(0, 0)))
    assert gaps == []
    assert fields(batches) == ["id", "who.mail", "who.at.city", "tags", "lines[].sku", "lines[].n"]
    assert rows(read(gzip.compress(parquet(PEOPLE_TABLE.slice(0, 3))))[0])[2]["id"] == 2


# Text and encodings


def test_lines_of_text_are_rows_also_the_last_without_a_line_break() -> None:
    batches, gaps = read(b"one\r\n two \n\nfour\0 and\nfive")
    assert gaps == []
    assert [row["text"] for row in rows(batches)] == ["one", " two ", "", "four\0 and", "five"]
    assert (batches[0].unit, batches[0].first) == ("line", 1)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_other_encodings_are_known_by_their_mark_or_their_zeros(encoding: str) -> None:
    text = "name,city,mail\nZoë,Zürich,zoe@example.org\n" + "Bo,Bern,bo@example.org\n" * 20
    batches, gaps = read(member(text.encode(encoding), "t.csv"))
    assert gaps == []
    assert fields(batches) == ["name", "city", "mail"]
    assert rows(batches)[0] == {"name": "Zoë", "city": "Zürich", "mail": "zoe@example.org"}


def test_lines_that_are_not_utf8_are_read_and_counted() -> None:
    lines = [b"plain"] * 5 + ["Zoë".encode("cp1252")] + ["Zoë".encode()] + [b"\xff\xfe\x81"]
    batches, gaps = read(b"\n".join(lines))
    assert [row["text"] for row in rows(batches)][5:7] == ["Zoë", "Zoë"]
    assert len(rows(batches)) == 8
    assert [(gap.reason, gap.count, gap.example) for gap in gaps] == [(Reason.UNREADABLE, 2, "line 6")]


def test_a_cell_that_is_not_utf8_costs_no_other() -> None:
    batches, gaps = read(member(b"id,name\n1,Ann\n2,Zo\xeb\n3,Bo\n", "t.csv"))
    assert [row["name"] for row in rows(batches)] == ["Ann", "Zoë", "Bo"]
    assert [(gap.count, gap.example) for gap in gaps] == [(1, "row 2")]


@pytest.mark.parametrize("size", [1_500_000, 3_000_000, 9_000_000])
def test_a_long_line_is_read_in_pieces_and_what_follows_as_usual(size: int) -> None:
    data = b"before\n" + "é".encode() * (size // 2) + b"\nafter\nlast"
    batches, gaps = read(data)
    assert [(gap.reason, gap.count, gap.example) for gap in gaps] == [(Reason.TOO_LARGE, 1, "line 2")]
    texts = [row["text"] for row in rows(batches)]
    assert texts[0] == "before"
    assert texts[-2:] == ["after", "last"]
    assert "".join(texts[1:-2]) == "é" * (size // 2)
    assert max(len(text.encode()) for text in texts) <= 1 << 20
    assert [place for batch in batches for place in positions(batch)][-1] == 4


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.binary(max_size=40)
        | st.sampled_from(
            [b"PAR1", b"\x1f\x8b\x08\0", b"(\xb5/\xfd", b"BZh9", b'{"a":1}\n', b"a,b\n1,2\n", b"[", b'"', b"\n", b"\r"]
        ),
        max_size=12,
    ).map(b"".join),
    st.sampled_from(["x", "x.csv", "x.json", "x.log"]),
    st.sampled_from([FULL, ReadPlan(rows=3, bytes=50), ReadPlan(rows=2), ReadPlan(bytes=20)]),
)
def test_any_bytes_become_batches_and_gaps(data: bytes, name: str, plan: ReadPlan) -> None:
    batches, gaps = read(member(data, name), plan=plan)
    lines = data.count(b"\n") + data.count(b"\r") + 2
    assert sum(batch.data.num_rows for batch in batches) <= max(lines, data.count(b"{") + lines) * 3
    assert all(gap.count >= 1 for gap in gaps)


# Plans


LINES = b"".join(b"row %07d of a file in which every line has the same length\n" % n for n in range(400_000))


def test_a_large_file_is_sampled_in_blocks_spread_over_it() -> None:
    batches, gaps = read(LINES, plan=SAMPLE)
    assert [(gap.reason, gap.count) for gap in gaps] == [(Reason.BUDGET, 1)]
    assert {(batch.method, batch.random) for batch in batches} == {("blocks spread over the file", False)}
    numbers = [int(row["text"][4:11]) for row in rows(batches)]
    assert 9_000 <= len(numbers) <= 10_000
    assert len(set(numbers)) == len(numbers)
    assert len({number // 25_000 for number in numbers}) == 16
    assert numbers != [int(row["text"][4:11]) for row in rows(read(LINES, plan=ReadPlan(10_000, 16 << 20, seed=1))[0])]


def test_a_file_that_fits_the_plan_in_bytes_is_sampled_in_random_rows() -> None:
    data = LINES[: 12 << 20]
    batches, gaps = read(data, plan=SAMPLE)
    assert [gap.reason for gap in gaps] == [Reason.BUDGET]
    assert {(batch.method, batch.random) for batch in batches} == {("random rows", True)}
    got = [
        (int(row["text"][4:11]), place)
        for batch in batches
        for row, place in zip(rows([batch]), positions(batch), strict=True)
    ]
    assert len(got) == 10_000
    assert all(place == number + 1 for number, place in got)


def test_a_small_file_is_read_wholly_under_any_plan() -> None:
    batches, gaps = read(PEOPLE, plan=SAMPLE)
    assert gaps == []
    assert {batch.method for batch in batches} == {"all"}
    assert len(rows(batches)) == 50


def test_of_a_large_compressed_file_the_head_is_read() -> None:
    batches, gaps = read(gzip.compress(LINES, 1), plan=ReadPlan(rows=10_000, bytes=1 << 20))
    assert [gap.reason for gap in gaps] == [Reason.BUDGET]
    assert {batch.method for batch in batches} == {"head"}
    numbers = [int(row["text"][4:11]) for row in rows(batches)]
    assert numbers == list(range(10_000))


def test_windows_of_a_table_keep_to_its_columns() -> None:
    data = b"id,note,mail\n" + b"".join(
        b'%d,"said ""hi"",\nand left",p%d@example.org\n' % (n, n) for n in range(500_000)
    )
    batches, gaps = read(member(data, "t.csv"), plan=ReadPlan(rows=2_000, bytes=4 << 20))
    assert [gap.reason for gap in gaps] == [Reason.BUDGET]
    assert {tuple(batch.data.schema.names) for batch in batches} == {("id", "note", "mail")}
    got = rows(batches)
    assert len(got) > 1_000
    assert sum(row["mail"] == f"p{row['id']}@example.org" for row in got) > 0.95 * len(got)


def test_a_limit_is_shared_among_members_and_what_one_leaves_goes_to_the_next() -> None:
    small = member(b"a small one\n" * 10, "a.log")
    large = [member(LINES[: 4 << 20], f"{name}.log") for name in "bcd"]
    batches, gaps = read(small, *large, plan=ReadPlan(rows=1000, bytes=16 << 20))
    taken = {
        name: sum(b.data.num_rows for b in batches if b.member == name) for name in ("a.log", "b.log", "c.log", "d.log")
    }
    assert taken["a.log"] == 10
    assert sum(taken.values()) == 1000
    assert min(taken["b.log"], taken["c.log"], taken["d.log"]) >= 329
    assert [(gap.reason, gap.count, gap.example) for gap in gaps] == [(Reason.BUDGET, 3, "b.log")]


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 3000),
    st.integers(1, 200_000),
    st.integers(0, 9),
    st.lists(st.integers(1, 4000), min_size=1, max_size=4),
)
def test_a_sample_keeps_to_the_plan(most: int, size: int, seed: int, sizes: list[int]) -> None:
    members = [member(LINES[: lines * (LINES.index(b"\n") + 1)], f"{number}.log") for number, lines in enumerate(sizes)]
    batches, gaps = read(*members, plan=ReadPlan(rows=most, bytes=size, seed=seed))
    taken = sum(batch.data.num_rows for batch in batches)
    assert taken <= most
    assert sum(batch.bytes for batch in batches) <= size + (4 << 20)
    assert [gap.reason for gap in gaps] in ([], [Reason.BUDGET])
    assert taken == sum(sizes) or gaps


# Batches


def whole_files() -> list[tuple[str, bytes]]:
    mixed = "".join(
        f'{{"n": {n}, "ok": true}}\n' if n % 3 else f"Nov  1 10:00:00 host sshd[{n}]: hello from 198.51.100.{n % 250}\n"
        for n in range(60_000)
    )
    return [
        ("table.csv", b"id,mail\n" + b"".join(b"%d,p%d@example.org\n" % (n, n) for n in range(300_000)) + b"x\n"),
        ("text", LINES[: 9 << 20]),
        ("mixed", mixed.encode()),
        ("packed.gz", gzip.compress(LINES[: 9 << 20], 1)),
        ("some.parquet", parquet(PEOPLE_TABLE, row_group_size=7_000)),
        ("some.parquet.gz", gzip.compress(parquet(PEOPLE_TABLE, row_group_size=7_000), 1)),
        (
            "document.json",
            json.dumps([{"n": n, "mail": f"p{n}@example.org"} for n in range(90_000)], indent=0).encode(),
        ),
        ("wide", "Zoë and Bo\n".encode("utf-16") * 3),
    ]


@pytest.mark.parametrize(("name", "data"), whole_files(), ids=[name for name, _ in whole_files()])
def test_the_bytes_of_batches_make_up_the_file_and_batches_are_bounded(name: str, data: bytes) -> None:
    batches, _ = read(member(data, name))
    assert sum(batch.bytes for batch in batches) == len(data)
    assert all(batch.data.num_rows <= 65_536 and batch.data.nbytes <= 5 << 20 for batch in batches)
    assert {batch.member for batch in batches} == {None}
    assert all(batch.first is not None or batch.positions is not None for batch in batches)


@pytest.mark.parametrize("plan", [FULL, ReadPlan(rows=3000, bytes=1 << 20), ReadPlan(rows=3000, bytes=16 << 20)])
@pytest.mark.parametrize(("name", "data"), whole_files(), ids=[name for name, _ in whole_files()])
def test_reading_goes_on_after_any_batch(name: str, data: bytes, plan: ReadPlan) -> None:
    members = [member(data, name), member(b"one more\n", "next.log")]
    whole, gaps = read(*members, plan=plan)
    for stop in sorted({0, len(whole) // 2, len(whole) - 2, len(whole) - 1} & set(range(len(whole)))):
        rest, gaps_again = read(*members, plan=plan, resume=whole[stop].resume)
        assert rows(rest) == rows(whole[stop + 1 :])
        assert gaps_again == gaps
        assert [batch.bytes for batch in rest] == [batch.bytes for batch in whole[stop + 1 :]]
        assert [(b.member, b.first, b.positions, b.resume) for b in rest] == [
            (b.member, b.first, b.positions, b.resume) for b in whole[stop + 1 :]
        ]


def test_a_resume_point_of_something_else_is_an_error() -> None:
    for text in ("", "{}", "[1,2]", "nonsense"):
        with pytest.raises(SourceError):
            read(PEOPLE, resume=text)


# Members


def failing(error: Exception) -> readers.Member:
    def fail() -> Any:
        raise error

    return readers.Member("gone.log", 10, fail)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FileNotFoundError("p@example.org"), Reason.MISSING),
        (PermissionError("p@example.org"), Reason.DENIED),
        (OSError("p@example.org"), Reason.UNREADABLE),
        (SourceError(Reason.ARCHIVED, "frozen"), Reason.ARCHIVED),
    ],
)
def test_a_member_that_cannot_be_opened_is_a_gap_and_alone_an_error(error: Exception, reason: Reason) -> None:
    batches, gaps = read(failing(error), member(b"here\n", "there.log"))
    assert rows(batches) == [{"text": "here"}]
    assert [(gap.reason, gap.count, gap.example) for gap in gaps] == [(reason, 1, "gone.log")]
    with pytest.raises(SourceError) as caught:
        read(failing(error))
    assert caught.value.reason == reason
    assert "example.org" not in str(caught.value)


class Failing(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > 1 << 20:
            raise OSError("p@example.org")
        return super().read(size)


def test_a_read_that_fails_half_way_keeps_what_was_read() -> None:
    broken = readers.Member("broken", len(LINES), lambda: Failing(LINES))
    batches, gaps = read(broken)
    assert len(rows(batches)) > 10_000
    assert [gap.reason for gap in gaps] == [Reason.UNREADABLE]
    assert "example.org" not in repr(gaps)


def test_members_that_cannot_be_sought_in_are_read_from_their_start() -> None:
    for data in (LINES[: 4 << 20], PEOPLE, parquet(PEOPLE_TABLE)):
        plain, stream = read(member(data)), read(member(data, seekable=False))
        assert rows(plain[0]) == rows(stream[0])
    batches, _ = read(member(LINES, seekable=False), plan=SAMPLE)
    assert {batch.method for batch in batches} == {"head"}


def test_nothing_of_the_rows_is_in_a_resume_point_or_a_repr() -> None:
    for batch in itertools.chain(read(PEOPLE)[0], read(parquet(PEOPLE_TABLE))[0]):
        assert "example.org" not in repr(batch)
        assert batch.resume is not None
        assert "example.org" not in batch.resume
