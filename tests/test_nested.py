"""JSON in a text column is read as JSON: its parts are fields, found and counted like any other."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from calling import Run, add_source
from canaries import CARD, IBAN, MAIL, Search
from mapkeeper.plugin import Batch
from mapkeeper.readers.nested import DEEPEST, LONGEST, MOST_PARTS, ROWS, Nested

ORDER = {
    "customer": {"email": "ada@example.org", "age": 36},
    "items": [{"sku": "S-1", "price": 9.5}, {"sku": "S-2", "price": 3}],
    "tags": ["new", "gift"],
    "paid": True,
}


def batch(cells: Sequence[Any], kind: pa.DataType | None = None, **more: Any) -> Batch:
    data = pa.record_batch({"id": pa.array(range(len(cells))), "payload": pa.array(cells, kind or pa.string())})
    return Batch(data, **more)


def opened(cells: Sequence[Any], kind: pa.DataType | None = None) -> dict[str, list[Any]]:
    """All columns, of cells that came in one batch."""
    (one,) = Nested().opened(batch(cells, kind))
    one.data.validate(full=True)
    assert one.data.num_rows == len(cells)
    return dict(one.data.to_pydict())


def types(cells: Sequence[str]) -> dict[str, str]:
    (one,) = Nested().opened(batch(cells))
    return {field.name: str(field.type) for field in one.data.schema}


def test_the_parts_of_json_in_a_column_are_fields_named_by_path() -> None:
    assert opened([json.dumps(ORDER), None]) == {
        "id": [0, 1],
        "payload": ["{}", None],
        "payload.customer.email": ["ada@example.org", None],
        "payload.customer.age": [36, None],
        "payload.items[].sku": [["S-1", "S-2"], None],
        "payload.items[].price": [[9.5, 3.0], None],
        "payload.tags": [["new", "gift"], None],
        "payload.paid": [True, None],
    }


def test_numbers_and_truth_keep_their_types() -> None:
    assert types([json.dumps(ORDER)]) == {
        "id": "int64",
        "payload": "string",
        "payload.customer.email": "string",
        "payload.customer.age": "int64",
        "payload.items[].sku": "list<item: string>",
        "payload.items[].price": "list<item: double>",
        "payload.tags": "list<item: string>",
        "payload.paid": "bool",
    }


def test_json_over_several_lines_is_json() -> None:
    assert opened([json.dumps(ORDER, indent=2).replace("\n", "\r\n")])["payload.customer.email"] == ["ada@example.org"]


@pytest.mark.parametrize(
    "text",
    [
        "call me",
        "{bad}",
        '{"cut": "he',
        '{"a": 1} {"b": 2}',
        '{"a": 1}, "x": {"b": 2}',
        '[{"a": 1}], "x": ["b"]',
        "{'a': 1}",
        '{"a", "b"}',
        "[error] no route [7]",
        '["Ada" said]',
        "[48.85, 2.35]",
        "{}",
        "[]",
        '"{"',
        '"[plain]"',
    ],
)
def test_what_is_no_json_or_only_numbers_stays_text(text: str) -> None:
    assert opened(['{"a": 1}', text]) == {"id": [0, 1], "payload": ["{}", text], "payload.a": [1, None]}
    assert opened([text, text]) == {"id": [0, 1], "payload": [text, text]}


def test_a_list_of_objects_or_of_texts_has_its_parts_behind_brackets() -> None:
    found = opened([json.dumps(ORDER["items"]), '["ada@example.org", "bob@example.org"]', '{"a": 1}'])
    assert found["payload"] == ["{}"] * 3
    assert found["payload[].sku"] == [["S-1", "S-2"], [None, None], None]
    assert found["payload[]"] == [["{}", "{}"], ["ada@example.org", "bob@example.org"], None]
    assert found["payload.a"] == [None, None, 1]


def test_a_list_of_objects_and_texts_loses_neither() -> None:
    found = opened(['["ada@example.org", {"mail": "bob@example.org"}]'])
    assert found["payload[]"] == [["ada@example.org", "{}"]]
    assert found["payload[].mail"] == [[None, "bob@example.org"]]


def test_a_part_that_is_an_object_here_and_a_text_there_is_both() -> None:
    found = opened(['{"who": {"mail": "ada@example.org"}}', '{"who": "bob@example.org"}'])
    assert found["payload.who"] == ["{}", "bob@example.org"]
    assert found["payload.who.mail"] == ["ada@example.org", None]


def test_json_within_json_is_read_to_a_depth() -> None:
    cell = json.dumps({"last": "here"})
    for _ in range(DEEPEST):
        cell = json.dumps({"in": cell})
    path = "payload" + ".in" * DEEPEST
    assert opened([cell])[path] == ['{"last": "here"}']
    assert f"{path}.last" not in opened([cell])
    assert opened([json.loads(cell)["in"]])[f"{path.removesuffix('.in')}.last"] == ["here"]


def test_json_that_was_quoted_as_a_whole_is_json() -> None:
    found = opened([json.dumps(json.dumps(ORDER)), json.dumps(ORDER)])
    assert found["payload"] == ["{}", "{}"]
    assert found["payload.customer.email"] == ["ada@example.org"] * 2


def test_lists_of_texts_that_are_json_are_read_as_lists_of_objects() -> None:
    cells = [['{"mail": "ada@example.org"}', "plain"], None, [], ['{"mail": "bob@example.org"}'] * 2]
    assert opened(cells, pa.list_(pa.string())) == {
        "id": [0, 1, 2, 3],
        "payload": [["{}", "plain"], None, [], ["{}", "{}"]],
        "payload[].mail": [["ada@example.org", None], None, [], ["bob@example.org"] * 2],
    }


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())])
def test_texts_of_any_arrow_type_are_read(kind: pa.DataType) -> None:
    found = opened(['{"a": "x"}', None, "text"], kind)
    assert (found["payload"], found["payload.a"]) == (["{}", None, "text"], ["x", None, None])


def test_a_part_never_takes_the_place_of_a_column() -> None:
    data = pa.record_batch({"payload": ['{"a": "in"}'], "payload.a": ["out"]})
    (one,) = Nested().opened(Batch(data))
    assert sorted(map(str, one.data.to_pydict().values())) == ["['in']", "['out']", "['{}']"]


def test_the_name_of_a_column_stays_whatever_its_parts_are_called() -> None:
    cells = [json.dumps(json.dumps({"7f3a09c1d2e4": "x"})), '["y"]']
    (one,) = Nested().opened(Batch(pa.record_batch({"20260131": cells})))
    assert one.data.to_pydict() == {
        "20260131": ["{}", "{}"],
        "20260131.*": [["x"], None],
        "20260131[]": [None, ["y"]],
    }


def test_a_description_of_a_column_stays_with_it() -> None:
    schema = pa.schema([pa.field("payload", pa.string(), metadata={"comment": "orders"})])
    (one,) = Nested().opened(Batch(pa.record_batch([['{"a": 1}']], schema=schema)))
    assert [field.metadata for field in one.data.schema] == [{b"comment": b"orders"}, None]


def test_a_cell_beyond_the_limit_stays_text() -> None:
    huge = json.dumps({"a": "x" * LONGEST})
    assert opened([huge, '{"a": "y"}']) == {"id": [0, 1], "payload": [huge, "{}"], "payload.a": [None, "y"]}


def test_countless_keys_share_a_field() -> None:
    cells = [json.dumps({f"u{row}.{n}": f"{row}-{n}" for n in range(50)}) for row in range(60)]
    found = opened(cells)
    assert len(found) < 1100
    rest = {item for cell in found["payload.*"] if cell for item in cell}
    parts = {cell for name, cells in found.items() if name.startswith("payload.u") for cell in cells if cell}
    assert {f"{row}-{n}" for row in range(60) for n in range(50)} <= rest | parts


def test_keys_that_are_drawn_or_counted_share_a_field() -> None:
    drawn = ["0b9f7a52-54c4-4d1e-9b36-6a7f5a3f1c01", "7f3a09c1d2e4", "20260131"]
    cells = [json.dumps({key: {"mail": f"{n}@example.org", "n": n} for n, key in enumerate(drawn)}), '{"x": 1}']
    assert opened([*cells, json.dumps({drawn[0]: {"mail": None, "n": "four"}})]) == {
        "id": [0, 1, 2],
        "payload": ["{}"] * 3,
        "payload.*.mail": [["0@example.org", "1@example.org", "2@example.org"], None, None],
        "payload.*.n": [["0", "1", "2"], None, ["four"]],
        "payload.x": [None, 1, None],
    }


def test_columns_with_more_parts_than_an_asset_may_have_stay_text() -> None:
    count = MOST_PARTS // 900 + 1
    cells = [json.dumps({f"k{n}": n for n in range(900)})]
    (one,) = Nested().opened(Batch(pa.record_batch({f"c{n}": cells for n in range(count)})))
    assert one.data.num_columns == count + 900 * (count - 1)
    assert one.data.column(f"c{count - 1}").to_pylist() == cells


def test_what_nests_nothing_is_handed_on_as_it_is() -> None:
    plain = batch(["one", None, "[three]"], first=7)
    (same,) = Nested().opened(plain)
    assert same is plain


def test_rows_keep_their_positions_and_the_batch_its_ends() -> None:
    count = 2 * ROWS + 5
    cells = [json.dumps({"n": n}) for n in range(count)]
    for given_ in ({"first": 11}, {"positions": range(11, 11 + count)}):
        parts = list(Nested().opened(batch(cells, bytes=99, resume="on", **given_)))
        assert sum(part.bytes for part in parts) == 99
        assert [part.resume for part in parts] == [None, None, "on"]
        places = [
            place
            for part in parts
            for place in (part.positions or range(part.first or 0, (part.first or 0) + part.data.num_rows))
        ]
        assert places == list(range(11, 11 + count))
        assert [n for part in parts for n in part.data.column("payload.n").to_pylist()] == list(range(count))


def test_rows_that_lack_a_part_that_others_had_are_rows_of_it() -> None:
    nested = Nested()
    first = list(nested.opened(batch(['{"a": 1, "b": "x"}'])))
    second = list(nested.opened(batch(['{"a": 2}', "text"])))
    third = list(nested.opened(batch([None, None, None])))
    assert [[part.data.column("payload.b").to_pylist() for part in parts] for parts in (first, second, third)] == [
        [["x"]],
        [[None, None]],
        [[None] * 3],
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def texts(value: Any) -> Iterator[str]:
    """The texts in a value."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def spelled_alike(text: str) -> bool:
    """Whether a text is itself in JSON, too, and no JSON."""
    return text.isprintable() and not any(char in text for char in '"\\{[')


@settings(deadline=None)
@given(st.lists(JSON.map(json.dumps) | st.text() | st.none(), min_size=1, max_size=12))
def test_no_text_is_lost(cells: list[str | None]) -> None:
    found = opened(cells)
    for row, cell in enumerate(cells):
        if (left := found["payload"][row]) == cell:
            continue
        assert left == "{}"
        here = list(texts([column[row] for column in found.values()]))
        assert all(any(text in one for one in here) for text in texts(json.loads(cell or "")) if spelled_alike(text))


PEOPLE: list[dict[str, Any]] = [
    {
        "id": n,
        "payload": json.dumps({"customer": {"email": f"ada.{n}@example.org"}, "login": {"ip": f"198.51.100.{n}"}})
        if n % 4
        else f"imported by bob.{n}@example.org",
    }
    for n in range(40)
]


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def of_category(rows: Sequence[dict[str, Any]], category: str) -> dict[str, dict[str, Any]]:
    return {row["field"]: row for row in rows if row["category"] == category}


def test_a_csv_file_with_a_column_of_json_has_findings_in_its_parts(tmp_path: Path, mapkeeper: Run) -> None:
    write_csv(tmp_path / "orders.csv", PEOPLE)
    rows = mapkeeper("inspect", tmp_path / "orders.csv", "--format", "json").rows
    emails = of_category(rows, "contact.email")
    assert set(emails) == {"payload", "payload.customer.email"}
    part, rest = emails["payload.customer.email"], emails["payload"]
    assert (part["level"], part["rows"], part["filled"], part["hits"]) == ("certain", 40, 30, 30)
    assert part["where"][:2] == ["row 2", "row 3"]
    assert (rest["rows"], rest["filled"], rest["hits"], rest["where"][0]) == (40, 40, 10, "row 1")
    assert set(of_category(rows, "online.ip")) == {"payload.login.ip"}


def test_a_json_column_of_sqlite_is_scanned_by_its_parts(workspace: Path, mapkeeper: Run) -> None:
    with closing(sqlite3.connect(workspace / "stores" / "shop.db")) as store:
        store.execute("create table orders (id integer primary key, payload text)")
        store.executemany("insert into orders values (:id, :payload)", PEOPLE)
        store.commit()
    add_source(workspace, "globex", "shop", "sql", url="sqlite:///stores/shop.db")
    assert mapkeeper("scan", "--workspace", workspace).exit == 0
    rows = mapkeeper("findings", "--workspace", workspace, "--format", "json").rows
    assert set(of_category(rows, "contact.email")) == {"payload", "payload.customer.email"}
    assert of_category(rows, "online.ip")["payload.login.ip"]["hits"] == 30


def test_jsonb_of_postgresql_is_scanned_by_its_parts(workspace: Path, mapkeeper: Run, postgres_url: str) -> None:
    where = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(where, autocommit=True)) as connection:
        connection.execute("CREATE TABLE orders (id int, payload jsonb, log json[])")
        for row in PEOPLE:
            body = row["payload"] if row["id"] % 4 else json.dumps(row["payload"])
            log = [json.dumps({"by": f"eve.{row['id']}@example.org"})]
            connection.execute("INSERT INTO orders VALUES (%s, %s, %s::json[])", (row["id"], body, log))
    seen = mapkeeper("inspect", postgres_url, "--format", "json").rows
    add_source(workspace, "globex", "crm", "sql", url=postgres_url)
    mapkeeper("scan", "--workspace", workspace)
    kept = mapkeeper("findings", "--workspace", workspace, "--format", "json").rows
    for rows in (seen, kept):
        emails = of_category(rows, "contact.email")
        assert {"payload", "payload.customer.email"} <= set(emails)
        part = emails["payload.customer.email"]
        assert (part["level"], part["rows"], part["filled"], part["hits"]) == ("certain", 40, 30, 30)


def test_what_identifies_somebody_in_a_key_of_json_in_a_column_is_not_kept(workspace: Path, mapkeeper: Run) -> None:
    cell = json.dumps({MAIL: {IBAN: 1, "in": json.dumps({CARD: [{MAIL: "x"}]})}, "by": MAIL})
    write_csv(workspace / "stores" / "orders.csv", [{"id": n, "payload": cell} for n in range(9)])
    add_source(workspace, "globex", "shop", "files", path="stores")
    search = Search()
    reports = [
        mapkeeper("scan", "--workspace", workspace),
        *(mapkeeper(*what, "--workspace", workspace, "--format", "json") for what in (["findings"], ["coverage"])),
    ]
    assert "payload.by" in of_category(reports[1].rows, "contact.email")
    for ran in reports:
        search.look(ran.out + ran.err, "what a command prints")
    search.look_in(workspace, besides=workspace / "stores")
    assert search.nothing()
