"""Readers of logs: a line becomes fields by its own format, and no line is lost."""

from __future__ import annotations

import datetime as dt
import functools
import io
import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapkeeper import readers
from mapkeeper.plugin import Batch, Gap, ReadPlan


def read(lines: Iterable[str], name: str = "some.log") -> tuple[list[Batch], list[Gap]]:
    data = "".join(f"{line}\n" for line in lines).encode()
    member = readers.Member(name, len(data), functools.partial(io.BytesIO, data))
    got = list(readers.read([member], ReadPlan()))
    return [one for one in got if isinstance(one, Batch)], [one for one in got if isinstance(one, Gap)]


def by_line(batches: Iterable[Batch]) -> dict[int, dict[str, Any]]:
    found = {}
    for batch in batches:
        assert batch.unit == "line"
        places = batch.positions if batch.positions is not None else range(batch.first or 0, 1 << 60)
        for place, row in zip(places, batch.data.to_pylist(), strict=False):
            assert place not in found
            found[place] = row
    return found


def one(line: str) -> dict[str, Any]:
    batches, gaps = read([line])
    assert gaps == []
    return by_line(batches)[1]


AT = dt.datetime(2026, 3, 1, 10, 11, 12, tzinfo=dt.UTC)
COMBINED = (
    '198.51.100.7 - ada [01/Mar/2026:12:11:12 +0200] "GET /a?mail=ada@example.org HTTP/1.1" 200 512 '
    '"https://example.org/\\"x\\"" "Mozilla/5.0 (X11; \\"odd\\")"'
)


def test_syslog_of_rfc_3164_has_time_host_program_pid_and_message() -> None:
    assert one("Nov  1 10:11:12 web-1 sshd[1234]: Failed password for ada from 198.51.100.7") == {
        "time": "Nov  1 10:11:12",
        "host": "web-1",
        "program": "sshd",
        "pid": 1234,
        "message": "Failed password for ada from 198.51.100.7",
    }
    assert one("<34>Oct 11 22:14:15 mymachine su: 'su root' failed")["priority"] == 34
    assert one("Nov 21 10:11:12 web-1 kernel: [ 1.5] usb 1-1")["pid"] is None
    assert one("Nov 21 10:11:12 web-1 rsyslogd/main: x")["program"] == "rsyslogd/main"


def test_syslog_with_a_full_time_is_read_the_same_way() -> None:
    row = one("2026-03-01T12:11:12.000000+02:00 web-1 sshd[7]: hello")
    assert row == {"time": AT, "host": "web-1", "program": "sshd", "pid": 7, "message": "hello"}


def test_a_level_behind_a_time_is_no_host() -> None:
    line = "2026-03-01T10:11:12Z INFO main: started"
    assert one(line) == {"text": line}


def test_syslog_of_rfc_5424_has_its_structured_data_as_fields() -> None:
    rows = by_line(
        read(
            [
                "<165>1 2026-03-01T10:11:12.000Z web-1 app 99 ID47 "
                '[ex@1 user="ada" note="a \\"b\\" \\] c"][geo city="Bern"] hi',
                "<34>1 2026-03-01T10:11:12Z web-1 su - ID47 - failed",
                '<34>1 - - - - - [ex@1 user="bo"]',
            ]
        )[0]
    )
    first = rows[1]
    assert first["time"] == AT
    assert (first["priority"], first["host"], first["app"], first["procid"], first["msgid"]) == (
        165,
        "web-1",
        "app",
        "99",
        "ID47",
    )
    assert first["sd.ex@1.user"] == "ada"
    assert first["sd.ex@1.note"] == 'a \\"b\\" \\] c'
    assert first["sd.geo.city"] == "Bern"
    assert first["message"] == "hi"
    assert rows[2]["message"] == "failed"
    assert rows[2]["procid"] is None
    assert rows[3]["sd.ex@1.user"] == "bo"
    assert rows[3]["time"] is None


def test_structured_data_with_odd_names_is_read() -> None:
    row = one('<34>1 2026-03-01T10:11:12Z h a 1 2 [i\ufffd(.*)\0 p\0+="x"] m')
    assert row["sd.i\ufffd(.*)\ufffd.p\ufffd+"] == "x"


def test_structured_data_of_countless_shapes_is_kept_as_it_is() -> None:
    lines = [f'<34>1 2026-03-01T10:11:12Z h a 1 2 [id{n} p{n}="ada{n}@example.org"] m' for n in range(500)]
    batches, gaps = read(lines)
    assert gaps == []
    assert max(len(batch.data.schema) for batch in batches) < 220
    rows = by_line(batches)
    assert all(f"ada{n - 1}@example.org" in json.dumps(row, default=str) for n, row in rows.items())
    assert len(rows) == 500


def test_an_access_log_is_taken_apart() -> None:
    assert one(COMBINED) == {
        "remote_addr": "198.51.100.7",
        "remote_user": "ada",
        "time": AT,
        "method": "GET",
        "path": "/a?mail=ada@example.org",
        "protocol": "HTTP/1.1",
        "status": 200,
        "bytes": 512,
        "referer": 'https://example.org/\\"x\\"',
        "user_agent": 'Mozilla/5.0 (X11; \\"odd\\")',
    }


def test_a_dash_in_an_access_log_is_null() -> None:
    row = one('2001:db8::1 - - [01/Mar/2026:10:11:12 +0000] "-" 408 - "-" "-"')
    assert row["remote_addr"] == "2001:db8::1"
    assert [row[name] for name in ("remote_user", "method", "path", "bytes", "referer", "user_agent")] == [None] * 6


def test_common_logs_odd_requests_and_further_fields_are_kept() -> None:
    rows = by_line(
        read(
            [
                '203.0.113.9 - - [01/Mar/2026:10:11:12 +0000] "POST /x HTTP/2.0" 201 7',
                '203.0.113.9 - - [01/Mar/2026:10:11:12 +0000] "\\x16\\x03 odd" 400 0 "-" "-"',
                COMBINED + ' "198.51.100.99"',
                COMBINED.replace("ada [", "Ada Lovelace ["),
            ]
        )[0]
    )
    assert (rows[1]["method"], rows[1]["protocol"], rows[1]["status"]) == ("POST", "HTTP/2.0", 201)
    assert rows[2]["request"] == "\\x16\\x03 odd"
    assert "198.51.100.99" in rows[3]["extra"]
    assert rows[4]["remote_user"] == "Ada Lovelace"


def test_a_file_may_mix_formats_line_by_line() -> None:
    lines = [
        "Nov  1 10:11:12 web-1 sshd[1]: hello",
        COMBINED,
        '{"user": "ada", "ok": true}',
        "    at java.lang.Thread.run(Thread.java:1)",
        "<34>1 2026-03-01T10:11:12Z h a 1 2 - m",
        "{not json}",
        "",
    ] * 50
    batches, gaps = read(lines)
    assert gaps == []
    rows = by_line(batches)
    assert len(rows) == len(lines)
    for start in range(1, len(lines), 7):
        assert rows[start]["program"] == "sshd"
        assert rows[start + 1]["user_agent"].startswith("Mozilla")
        assert rows[start + 2] == {"user": "ada", "ok": True}
        assert rows[start + 3] == {"text": lines[3]}
        assert rows[start + 4]["app"] == "a"
        assert rows[start + 5] == {"text": "{not json}"}
        assert rows[start + 6] == {"text": ""}


def test_each_format_has_one_schema() -> None:
    lines = [COMBINED, "Nov  1 10:11:12 web-1 sshd[1]: hello"] * 40_000
    batches, _ = read(lines)
    assert len({batch.data.schema for batch in batches}) == 2
    assert len(batches) > 2
    kinds = {batch.data.schema.field("time").type for batch in batches}
    assert kinds == {pa.string(), pa.timestamp("us", "UTC")}


def test_a_log_whose_name_says_table_is_a_log() -> None:
    assert "program" in one("Nov  1 10:11:12 web-1 app[1]: a,b,c")
    batches, _ = read(["Nov  1 10:11:12 web-1 app[1]: a,b,c"] * 3, name="export.csv")
    assert "program" in batches[0].data.schema.names


SYSLOG = ["Nov  1 10:11:12", "<34>", "1 ", "2026-03-01T10:11:12Z", "web-1", "sshd[1]:", "sshd:", "-", '[id a="b"]']
ACCESS = ["198.51.100.7", "[01/Mar/2026:10:11:12 +0000]", "[99/Foo/2026:99:11:12 +0000]", '"GET / HTTP/1.1"', "200"]
PART = st.sampled_from([*SYSLOG, *ACCESS, '"', "\\", "[", "]", "{", "}", '{"a":1}', " ", "é", "x,y", "\t"])
LINE = st.lists(PART, max_size=9).map(" ".join) | st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), max_size=30
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=20))
def test_no_line_is_lost(lines: list[str]) -> None:
    head = ["Nov  1 10:11:12 web-1 sshd[1]: hello"] * 40  # so that the file is a log, whatever follows
    batches, gaps = read([*head, *lines])
    assert gaps == []
    assert sorted(by_line(batches)) == list(range(1, len(head) + len(lines) + 1))


@pytest.mark.parametrize(
    "template",
    [
        "Nov  1 10:11:12 web-1 sshd[1]: {}",
        "<34>1 2026-03-01T10:11:12Z h a 1 2 - {}",
        '198.51.100.7 - - [01/Mar/2026:10:11:12 +0000] "GET / HTTP/1.1" 200 1 "-" "{}"',
    ],
    ids=["3164", "5424", "access"],
)
@settings(max_examples=60, deadline=None)
@given(
    text=st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='\\"\ufeff'), min_size=1, max_size=30
    )
)
def test_the_end_of_a_line_is_kept_as_it_is(template: str, text: str) -> None:
    row = one(template.format(text))
    assert text in ("-", "") or text in row.values() or text.strip() in row.values()
