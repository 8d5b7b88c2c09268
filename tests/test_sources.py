"""Sources: listed, their access tried without reading, and the stores that none of them covers discovered."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import NullPool, create_engine, make_url

from calling import Run, add_source
from mapkeeper import config, discover
from mapkeeper.config.files import SourceEntry
from mapkeeper.plugin import Store, secret
from mapkeeper.report.entry import entry, suggested_id
from services.databases import DatabaseServer
from services.s3 import S3Server

LODGE = '''
"""A lodge with wings: what it answers stands in a file, by wing."""

import json
from dataclasses import dataclass
from pathlib import Path

from mapkeeper.plugin import Access, Asset, Connector, Kind, Reason, SourceError, Store, secret


@dataclass
class Lodge(Connector):
    """A wing of a lodge."""

    path: str
    wing: str = "east"
    lamp: bool = False
    key: str = secret(default="")
    spare: str = secret(default="")

    @classmethod
    def settings_for(cls, target):
        return {"path": target.removeprefix("lodge://")} if target.startswith("lodge://") else None

    @classmethod
    def within(cls, folder, settings):
        return {**settings, "path": str(folder / settings["path"])}

    @property
    def target(self):
        return f"lodge://{self.path}"

    def told(self, what):
        return json.loads(Path(self.path).read_text()).get(what)

    def open(self):
        if self.told("fault"):
            raise ValueError(self.told("fault"))
        if self.told("closed"):
            raise SourceError(Reason(self.told("closed")), f"{self.target}: is closed; ring the bell")

    def survey(self):
        for name in self.told("assets") or ():
            if name == "denied":
                raise SourceError(Reason.DENIED, f"{self.target}: the guests may not be listed; ask for the book")
            if name == "never":
                raise AssertionError("listed further than needed")
            yield Asset(name, Kind.TABLE, "lodge", name)

    def read(self, asset, plan, resume_from=None):
        raise AssertionError("contents were read")
        yield

    def mark(self, asset):
        raise AssertionError("an asset was looked into")

    def check(self):
        for needs, granted, says in self.told("check") or ():
            if needs == "lost":
                raise SourceError(Reason.UNREACHABLE, f"{self.target}: the line was lost; try again")
            yield Access(needs, granted, says, needed="who is there" not in says)

    def rights(self):
        return self.told("rights")

    @property
    def store(self):
        return f"lodge://hall/{self.wing}"

    def stores(self):
        if self.told("stores") is None:
            raise SourceError(Reason.DENIED, f"{self.target}: its wings may not be listed; ask the porter")
        for wing in self.told("stores"):
            yield Store(f"lodge://hall/{wing}", {"path": "lodge.json", "wing": wing, "lamp": True}, f"wing {wing}")
'''


@pytest.fixture
def lodge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installed package with a connector for lodges."""
    folder = tmp_path / "plugin"
    about = folder / "mapkeeper_lodge-1.0.dist-info"
    about.mkdir(parents=True)
    about.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: mapkeeper-lodge\nVersion: 1.0\n")
    about.joinpath("entry_points.txt").write_text("[mapkeeper.connectors]\nlodge = mapkeeper_lodge:Lodge\n")
    folder.joinpath("mapkeeper_lodge.py").write_text(LODGE)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "mapkeeper_lodge", raising=False)
    return folder


def a_lodge(workspace: Path, file: str = "lodge.json", **answers: Any) -> Path:
    (workspace / file).write_text(json.dumps(answers))
    return workspace / file


def add_lodge(workspace: Path, id: str = "hall", client: str = "globex", **settings: str) -> None:
    add_source(workspace, client, id, "lodge", **{"path": "lodge.json", **settings})


def add_shop(workspace: Path, id: str = "shop") -> None:
    with sqlite3.connect(workspace / "stores" / "shop.db") as connection:
        connection.execute("CREATE TABLE customers (email TEXT)")
    connection.close()
    add_source(workspace, "globex", id, "sql", url="sqlite:///stores/shop.db")


# The list


def test_the_bare_command_lists_the_sources(workspace: Path, mapkeeper: Run) -> None:
    add_shop(workspace)
    add_source(workspace, "provider", "own", "files", path="stores")
    ran = mapkeeper("sources", "-w", workspace, "--format", "json")
    assert ran.exit == 0
    assert [row["source"] for row in ran.rows] == ["shop", "own"]
    assert list(ran.rows[0]) == [
        "client", "source", "connector", "target", "country", "region", "known_by", "last_scan", "state",
    ]  # fmt: skip
    assert [row["source"] for row in mapkeeper("sources", "-c", "globex", "-w", workspace, "-f", "json").rows] == [
        "shop"
    ]
    assert "never scanned" in mapkeeper("sources", "-w", workspace).out


def test_the_table_fits_a_terminal_of_80_columns(workspace: Path) -> None:
    import pty

    add_source(workspace, "globex", "siem-of-group", "files", path="stores", place="FR")
    text = (workspace / "clients" / "globex.toml").read_text().replace('place = "FR"', 'place = { country = "FR" }')
    (workspace / "clients" / "globex.toml").write_text(text)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "mapkeeper", "sources", "-w", str(workspace)]
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
    assert subprocess.run(command, stdout=theirs, env=environment, check=False).returncode == 0
    os.close(theirs)
    lines = os.read(ours, 1 << 16).decode().splitlines()
    os.close(ours)
    assert all(len(line) <= 80 for line in lines)
    assert "siem-of-group" in lines[1]
    assert "never scanned" in lines[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--client", "globx"), "did you mean 'globex'?"),
        (("--rights",), "--rights says more of --check"),
        (("--client", "globex", "discover"), "put --client behind 'discover'"),
        (("--check", "discover"), "put --check behind 'discover'"),
        (("discover", "s3://", "--client", "globex"), "leave --client and --source out"),
        (("discover", "nothing:at-all"), "no installed connector reads this"),
        (("discover", "env:NOT_SET_ANYWHERE"), "environment variable NOT_SET_ANYWHERE is not set"),
    ],
)
def test_a_wrong_call_says_what_would_be_right(
    workspace: Path, mapkeeper: Run, words: tuple[str, ...], says: str
) -> None:
    ran = mapkeeper("sources", *words, "-w", workspace)
    assert (ran.exit, ran.out) == (2, "")
    assert says in ran.err
    assert len(ran.err.splitlines()) == 1


# Access


def test_real_sources_that_can_be_read_are_granted(workspace: Path, mapkeeper: Run) -> None:
    add_shop(workspace)
    add_source(workspace, "globex", "exports", "files", path="stores")
    ran = mapkeeper("sources", "--check", "-w", workspace, "-f", "json")
    assert ran.exit == 0, ran.err
    exports, shop = ran.rows
    assert [one["granted"] for one in shop["check"]] == [True]
    assert [(one["needs"].split()[0], one["granted"]) for one in exports["check"]] == [("read", True), ("enter", True)]
    assert (shop["reached"], shop["error"], shop["rights"]) == (True, None, None)
    assert "✓ granted" in mapkeeper("sources", "--check", "-w", workspace).out


def test_what_is_refused_asks_for_attention_and_the_rights_stand_below(
    workspace: Path, lodge: Path, mapkeeper: Run
) -> None:
    check: list[list[Any]] = [
        ["ENTER east", True, "to come in"],
        ["READ guests", False, "to read it"],
        ["READ v", None, "a view"],
    ]
    a_lodge(workspace, check=check, rights="GRANT ENTER ON east;\nGRANT READ ON guests;")
    add_lodge(workspace)
    ran = mapkeeper("sources", "--check", "-w", workspace)
    assert ran.exit == 1
    assert "✓ granted" in ran.out
    assert "✗ refused  READ guests" in ran.out
    assert "? unknown" in ran.out
    assert ran.out.endswith("The least rights for hall:\n\nGRANT ENTER ON east;\nGRANT READ ON guests;\n")
    (row,) = mapkeeper("sources", "--check", "-w", workspace, "-f", "json").rows
    assert row["check"] == [{"needs": one[0], "granted": one[1], "needed": True, "says": one[2]} for one in check]
    assert row["rights"] == "GRANT ENTER ON east;\nGRANT READ ON guests;"


def test_rights_are_printed_for_every_source_when_asked(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    a_lodge(workspace, check=[["ENTER east", True, ""]], rights="GRANT ENTER ON east;")
    add_lodge(workspace)
    plain = mapkeeper("sources", "--check", "-w", workspace)
    assert (plain.exit, "GRANT" in plain.out) == (0, False)
    assert "GRANT ENTER ON east;" in mapkeeper("sources", "--check", "--rights", "-w", workspace).out


def test_what_only_reading_would_tell_is_no_refusal(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    a_lodge(workspace, check=[["READ v", None, "a view"]])
    add_lodge(workspace)
    assert mapkeeper("sources", "--check", "-w", workspace).exit == 0


def test_what_is_optional_may_be_refused(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    a_lodge(workspace, check=[["SEE the book", False, "tells who is there"]], rights="GRANT SEE;")
    add_lodge(workspace)
    ran = mapkeeper("sources", "--check", "-w", workspace)
    assert (ran.exit, "✗ refused" in ran.out, "GRANT" in ran.out) == (0, True, False)
    assert "optional: tells who" in ran.out


def test_a_source_that_cannot_be_reached_says_why_and_the_others_are_tried(
    workspace: Path, lodge: Path, mapkeeper: Run
) -> None:
    a_lodge(workspace, closed="unreachable", rights="GRANT ENTER ON east;")
    add_lodge(workspace)
    add_source(workspace, "globex", "gone", "files", path="nowhere")
    add_source(workspace, "globex", "unset", "sql", url="env:NOT_SET_ANYWHERE")
    add_shop(workspace)
    ran = mapkeeper("sources", "--check", "-w", workspace, "-f", "json")
    assert ran.exit == 1
    assert {row["source"]: row["reached"] for row in ran.rows} == {
        "hall": False, "gone": False, "unset": False, "shop": True,
    }  # fmt: skip
    errors = {row["source"]: row["error"] for row in ran.rows}
    assert errors["hall"] == f"lodge://{workspace}/lodge.json: is closed; ring the bell"
    assert "nothing at this path; correct it" in errors["gone"]
    assert "NOT_SET_ANYWHERE is not set" in errors["unset"]
    table = mapkeeper("sources", "--check", "-w", workspace).out
    assert "✗ not reached" in table
    assert "GRANT" not in table, "rights do not help where nobody answers"


def test_a_login_that_is_refused_is_shown_its_rights(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    a_lodge(workspace, closed="denied", rights="GRANT ENTER ON east;")
    add_lodge(workspace)
    ran = mapkeeper("sources", "--check", "-w", workspace)
    assert ran.exit == 1
    assert "GRANT ENTER" in ran.out


def test_only_the_sources_asked_for_are_tried(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    a_lodge(workspace, closed="unreachable")
    add_lodge(workspace)
    add_shop(workspace)
    assert mapkeeper("sources", "--check", "--source", "shop", "-w", workspace).exit == 0
    assert mapkeeper("sources", "--check", "--client", "provider", "-w", workspace).out.startswith("no sources")
    assert mapkeeper("sources", "--check", "-c", "provider", "-w", workspace, "-f", "csv").out.startswith("client,")


def test_a_source_that_is_configured_no_more_is_not_tried(workspace: Path, mapkeeper: Run) -> None:
    before = (workspace / "clients" / "globex.toml").read_text()
    add_shop(workspace)
    mapkeeper("sources", "-w", workspace)
    (workspace / "clients" / "globex.toml").write_text(before)
    assert mapkeeper("sources", "--check", "-w", workspace, "-f", "json").rows == []


def test_a_connector_with_nothing_to_try_lists_its_first_asset_and_no_more(
    workspace: Path, lodge: Path, mapkeeper: Run
) -> None:
    a_lodge(workspace, assets=["guests", "never"])
    add_lodge(workspace)
    ran = mapkeeper("sources", "--check", "-w", workspace, "-f", "json")
    assert (ran.exit, ran.rows[0]["error"]) == (0, None)
    assert [one["granted"] for one in ran.rows[0]["check"]] == [True]
    a_lodge(workspace, assets=[])
    (row,) = mapkeeper("sources", "--check", "-w", workspace, "-f", "json").rows
    assert row["check"][0]["says"] == "nothing lies there"


def test_a_listing_that_is_denied_is_refused(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    a_lodge(workspace, assets=["denied"])
    add_lodge(workspace)
    ran = mapkeeper("sources", "--check", "-w", workspace, "-f", "json")
    assert ran.exit == 1
    (one,) = ran.rows[0]["check"]
    assert (one["granted"], one["says"].split("; ")[1]) == (False, "ask for the book")


def test_what_was_tried_before_the_line_was_lost_is_told(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    a_lodge(workspace, check=[["ENTER east", True, ""], ["lost", None, ""]])
    add_lodge(workspace)
    ran = mapkeeper("sources", "--check", "-w", workspace, "-f", "json")
    assert ran.exit == 1
    (row,) = ran.rows
    assert (row["reached"], len(row["check"]), row["error"].rpartition(": ")[2]) == (
        True, 1, "the line was lost; try again",
    )  # fmt: skip
    assert "✗ failed" in mapkeeper("sources", "--check", "-w", workspace).out


def test_a_fault_of_a_connector_costs_its_source_and_quotes_nothing(
    workspace: Path, lodge: Path, mapkeeper: Run
) -> None:
    a_lodge(workspace, fault="could not parse ada@example.org")
    add_lodge(workspace)
    add_shop(workspace)
    ran = mapkeeper("sources", "--check", "--debug", "-w", workspace, "-f", "json")
    assert ran.exit == 1
    assert [row["reached"] for row in ran.rows] == [False, True]
    assert "ValueError: a fault of the connector" in ran.rows[0]["error"]
    assert "ada@example.org" not in ran.out + ran.err


def test_names_that_identify_somebody_are_tokens_under_the_key_of_whose_source_it_is(
    workspace: Path, lodge: Path, mapkeeper: Run
) -> None:
    a_lodge(workspace, check=[["READ export_ada@example.org", False, "ada@example.org: refused"]])
    add_lodge(workspace)
    with (workspace / "mapkeeper.toml").open("a") as file:
        file.write(
            '\n[[source]]\nid = "shared"\nconnector = "lodge"\npath = "lodge.json"\n'
            'clients = { by = "prefix", map = { "globex/" = "globex" } }\n'
        )
    ran = mapkeeper("sources", "--check", "-w", workspace, "-f", "json")
    assert "ada@example.org" not in ran.out + ran.err + mapkeeper("sources", "--check", "-w", workspace).out
    needs = [row["check"][0]["needs"] for row in ran.rows]
    assert all(one.startswith("READ {email:") for one in needs)
    assert len(set(needs)) == 2, "each under its own key"


def test_the_address_of_the_source_is_told_as_it_is_configured(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    """It is no name that was found there, even where it looks like somebody's."""
    a_lodge(workspace, "ada@example.org", closed="unreachable")
    add_lodge(workspace, path="ada@example.org")
    (row,) = mapkeeper("sources", "--check", "-w", workspace, "-f", "json").rows
    assert row["error"] == f"{row['target']}: is closed; ring the bell"


def test_what_a_store_says_steers_no_terminal(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    a_lodge(workspace, check=[["READ \x1b[2J", False, "\u202egnp"]], rights="GRANT\x1b]0;owned\x07;\nsecond")
    add_lodge(workspace)
    for format in ("table", "json", "csv"):
        ran = mapkeeper("sources", "--check", "-w", workspace, "-f", format)
        assert not {"\x1b", "\x07", "\u202e"} & set(ran.out + ran.err)
    assert mapkeeper("sources", "--check", "-w", workspace).out.endswith(";\nsecond\n")


def test_a_table_with_its_rights_is_written_as_one_file(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    a_lodge(workspace, check=[["READ guests", False, ""]], rights="GRANT READ ON guests;")
    add_lodge(workspace)
    shown = mapkeeper("sources", "--check", "-w", workspace).out
    ran = mapkeeper("sources", "--check", "-w", workspace, "-o", workspace / "access.txt")
    assert (ran.exit, ran.out) == (1, "")
    assert (workspace / "access.txt").read_text() == shown


def test_a_folder_that_may_be_listed_but_not_entered_is_refused(workspace: Path) -> None:
    """Without rights, for root may do everything."""
    code = """
        import os, sys
        from mapkeeper_connectors.files import Files
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        with Files(sys.argv[1]) as files:
            print(*[one.granted for one in files.check()])
    """
    store = workspace / "stores"
    for folder in (store, *store.parents):
        if folder.stat().st_uid == os.getuid() and folder not in (Path("/"), Path("/tmp")):
            folder.chmod(folder.stat().st_mode | 0o055)
    store.chmod(0o444)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), store], capture_output=True, text=True, check=False
    )
    store.chmod(0o755)
    assert done.stdout.split() == ["True", "False"], done.stderr


# Stores that no source covers


def test_a_store_that_no_source_covers_is_listed_with_an_entry(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    a_lodge(workspace, stores=["east", "west"])
    add_lodge(workspace)
    ran = mapkeeper("sources", "discover", "-w", workspace)
    assert ran.exit == 0, ran.err
    assert "lodge://hall/west" in ran.out
    assert "lodge://hall/east" not in ran.out
    (row,) = mapkeeper("sources", "discover", "-w", workspace, "-f", "json").rows
    assert list(row) == ["store", "connector", "says", "covered_by", "seen_from", "entry"]
    assert (row["store"], row["connector"], row["says"], row["covered_by"], row["seen_from"]) == (
        "lodge://hall/west", "lodge", "wing west", [], "hall",
    )  # fmt: skip
    assert row["entry"] in ran.out


def test_a_covered_store_is_listed_when_asked_and_has_no_entry(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    a_lodge(workspace, stores=["east"])
    add_lodge(workspace)
    add_lodge(workspace, "again")
    assert mapkeeper("sources", "discover", "-w", workspace).out.startswith("every store that could be seen is covered")
    (row,) = mapkeeper("sources", "discover", "--all", "-w", workspace, "-f", "json").rows
    assert (row["covered_by"], row["entry"]) == (["hall", "again"], None)
    table = mapkeeper("sources", "discover", "--all", "-w", workspace).out
    assert "hall, again" in table
    assert "[[source]]" not in table


def test_the_entry_pasted_covers_the_store(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    a_lodge(workspace, stores=["east", "west", "Nord & Süd", "west/"], check=[["ENTER", True, ""]])
    add_lodge(workspace, key="env:LODGE_KEY", spare="file:keys/globex.key")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LODGE_KEY", "secret")
        rows = mapkeeper("sources", "discover", "-w", workspace, "-f", "json").rows
        with (workspace / "clients" / "globex.toml").open("a") as file:
            file.write("\n".join(row["entry"] for row in rows))
        opened = config.load(workspace, discover.catalogue())
        assert list(opened.sources) == ["hall", "nord-s-d", "west", "west-2"]
        assert opened.sources["west"].settings == {
            "path": "lodge.json", "wing": "west", "lamp": True, "key": "env:LODGE_KEY", "spare": "file:keys/globex.key",
        }  # fmt: skip
        assert mapkeeper("sources", "discover", "-w", workspace, "-f", "json").rows == []
        assert mapkeeper("sources", "--check", "-w", workspace).exit == 0


def test_a_target_is_asked_instead_of_the_sources(
    workspace: Path, lodge: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = a_lodge(workspace, "there.json", stores=["east", "tower"])
    a_lodge(workspace, closed="unreachable")
    add_lodge(workspace)
    monkeypatch.setenv("LODGE", f"lodge://{there}")
    for target in ("env:LODGE", f"lodge://{there}"):
        ran = mapkeeper("sources", "discover", target, "-w", workspace, "-f", "json")
        assert ran.exit == 0, ran.err
        assert [(row["store"], row["seen_from"]) for row in ran.rows] == [("lodge://hall/tower", None)]


def test_where_nothing_could_be_asked_the_exit_status_is_3(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    add_source(workspace, "globex", "exports", "files", path="stores")
    ran = mapkeeper("sources", "discover", "-w", workspace)
    assert (ran.exit, ran.out) == (3, "")
    assert "give one as TARGET" in ran.err
    ran = mapkeeper("sources", "discover", workspace / "stores", "-w", workspace)
    assert ran.exit == 3
    assert "connector files knows of no stores but the one it is given" in ran.err
    a_lodge(workspace)
    add_lodge(workspace)
    ran = mapkeeper("sources", "discover", "-w", workspace)
    assert ran.exit == 3
    assert "source hall: lodge://" in ran.err
    assert "may not be listed; ask the porter" in ran.err


def test_one_that_cannot_be_asked_costs_itself(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    a_lodge(workspace, stores=["east", "west"])
    a_lodge(workspace, "faulty.json", fault="quoting ada@example.org")
    add_lodge(workspace)
    add_lodge(workspace, "faulty", path="faulty.json")
    ran = mapkeeper("sources", "discover", "-w", workspace, "-f", "json")
    assert ran.exit == 1
    assert [row["store"] for row in ran.rows] == ["lodge://hall/west"]
    assert ran.err == "mapkeeper: source faulty: ValueError: a fault of the connector; report it to its author\n"
    assert mapkeeper("sources", "discover", "--source", "hall", "-w", workspace).exit == 0


def test_a_source_of_which_it_is_not_known_what_it_covers_is_told(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    """Its store would be listed as if nobody covered it."""
    a_lodge(workspace, stores=["east", "west"])
    add_lodge(workspace)
    add_lodge(workspace, "locked", client="provider", wing="west", key="env:NOT_SET_ANYWHERE")
    ran = mapkeeper("sources", "discover", "--client", "globex", "-w", workspace, "-f", "json")
    assert ran.exit == 1
    assert [row["store"] for row in ran.rows] == ["lodge://hall/west"]
    assert ran.err.startswith("mapkeeper: source locked: ")
    assert "NOT_SET_ANYWHERE is not set" in ran.err


def test_entries_are_written_below_the_table_in_one_file(workspace: Path, lodge: Path, mapkeeper: Run) -> None:
    a_lodge(workspace, stores=["west"])
    add_lodge(workspace)
    shown = mapkeeper("sources", "discover", "-w", workspace).out
    ran = mapkeeper("sources", "discover", "-w", workspace, "-o", workspace / "stores.txt")
    assert (ran.exit, ran.out) == (0, "")
    assert (workspace / "stores.txt").read_text() == shown
    assert "[[source]]" in shown


# Real servers


def tell(url: str, statements: str) -> None:
    """Run statements as the owner of a server."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with contextlib.closing(engine.raw_connection()) as connection, contextlib.closing(connection.cursor()) as cursor:
        for statement in filter(str.strip, statements.split(";")):
            cursor.execute(statement)  # as it is: SQLAlchemy would take "%" for its own


@dataclass
class Server:
    """A database on a real server: what its owner may do, and a source that lies there."""

    url: str
    user: str = "mapkeeper_scanner"

    @property
    def theirs(self) -> str:
        """The address for a user who does not exist before the rights are granted."""
        password = "CHANGE-ME" if self.url.startswith("postgresql") else "<password>"
        return make_url(self.url).set(username=self.user, password=password).render_as_string(hide_password=False)

    def store(self, url: str | None = None) -> str:
        parsed = make_url(url or self.url)
        return f"{parsed.get_backend_name()}://{parsed.host}:{parsed.port}/{parsed.database}"


@pytest.fixture(params=["postgres_url", "mariadb_url"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A database with a table and a view, on each server in turn."""
    made = Server(request.getfixturevalue(request.param))
    tell(made.url, "CREATE TABLE customers (email varchar(80)); CREATE VIEW addresses AS SELECT email FROM customers")
    try:
        yield made
    finally:
        if made.url.startswith("postgresql"):
            with contextlib.suppress(psycopg.errors.UndefinedObject):  # the user was never made
                tell(made.url, f"DROP OWNED BY {made.user}; DROP ROLE {made.user}")
        else:
            tell(made.url, f"DROP USER IF EXISTS {made.user}")


def test_the_rights_that_are_printed_are_all_that_a_scan_needs(
    server: Server, workspace: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_URL", server.theirs)
    add_source(workspace, "globex", "crm", "sql", url="env:CRM_URL")
    before = mapkeeper("sources", "--check", "-w", workspace, "-f", "json")
    assert before.exit == 1
    assert before.rows[0]["reached"] is False
    tell(server.url, re.sub("--.*", "", before.rows[0]["rights"]))
    after = mapkeeper("sources", "--check", "-w", workspace, "-f", "json")
    assert (after.exit, after.rows[0]["error"]) == (0, None), after.out
    assert all(one["granted"] for one in after.rows[0]["check"])
    assert mapkeeper("scan", "-w", workspace).exit == 0


def test_a_table_that_a_server_refuses_is_named(
    server: Server, workspace: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_URL", server.theirs)
    add_source(workspace, "globex", "crm", "sql", url="env:CRM_URL")
    (row,) = mapkeeper("sources", "--check", "-w", workspace, "-f", "json").rows
    tell(server.url, re.sub("--.*", "", row["rights"]))
    if server.url.startswith("postgresql"):
        tell(server.url, f"REVOKE SELECT ON customers FROM {server.user}")
    else:
        tell(server.url, f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {server.user}")
        tell(server.url, f"GRANT SELECT, SHOW VIEW ON addresses TO {server.user}")
        tell(server.url, f"GRANT INSERT ON customers TO {server.user}")
    ran = mapkeeper("sources", "--check", "-w", workspace)
    assert ran.exit == 1
    assert re.search(r"✗ refused +SELECT on \S*customers", ran.out), ran.out
    assert "The least rights for crm:" in ran.out


def test_another_database_of_the_server_is_discovered_and_the_entry_covers_it(
    server: Server, workspace: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_URL", server.url)
    add_source(workspace, "globex", "crm", "sql", url="env:CRM_URL")
    with DatabaseServer(server.url).fresh() as other:
        asked = mapkeeper("sources", "discover", "--all", "-w", workspace, "-f", "json")
        assert asked.exit == 0, asked.err
        seen = {row["store"].partition("://")[2]: row for row in asked.rows}
        ours, theirs = (server.store(url).partition("://")[2] for url in (server.url, other))
        assert seen[ours]["covered_by"] == ["crm"]
        text = seen[theirs]["entry"]
        (entry_,) = tomllib.loads(text)["source"]
        assert entry_["id"] == make_url(other).database
        with (workspace / "clients" / "globex.toml").open("a") as file:
            file.write(text)
        monkeypatch.setenv(entry_["url"].removeprefix("env:"), other)
        again = mapkeeper("sources", "discover", "-w", workspace, "-f", "json")
        assert theirs not in {row["store"].partition("://")[2] for row in again.rows}
        assert mapkeeper("sources", "--check", "--source", entry_["id"], "-w", workspace).exit == 0


def test_a_server_is_asked_by_its_address(server: Server, workspace: Path, mapkeeper: Run) -> None:
    ran = mapkeeper("sources", "discover", server.url, "-w", workspace, "-f", "json")
    assert ran.exit == 0, ran.err
    assert server.store().partition("://")[2] in {row["store"].partition("://")[2] for row in ran.rows}


def test_a_bucket_that_nobody_configured_is_discovered_and_reached_with_the_same_keys(
    s3: S3Server, bucket: str, workspace: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCESS", s3.access_key)
    monkeypatch.setenv("SECRET", s3.secret_key)
    known, keys = s3.create_bucket(), {"access_key": "env:ACCESS", "secret_key": "env:SECRET"}
    add_source(workspace, "globex", "logs", "s3", bucket=known, endpoint=s3.endpoint_url, region=s3.region, **keys)
    checked = mapkeeper("sources", "--check", "-w", workspace, "-f", "json")
    assert (checked.exit, checked.rows[0]["error"]) == (0, None), checked.out
    assert checked.rows[0]["check"][0]["granted"] is True
    assert json.loads(checked.rows[0]["rights"])["Version"] == "2012-10-17"
    rows = mapkeeper("sources", "discover", "--all", "-w", workspace, "-f", "json").rows
    seen = {row["store"].rpartition("/")[2]: row for row in rows}
    assert (seen[known]["covered_by"], seen[bucket]["covered_by"]) == (["logs"], [])
    with (workspace / "clients" / "globex.toml").open("a") as file:
        file.write(seen[bucket]["entry"])
    rows = mapkeeper("sources", "discover", "-w", workspace, "-f", "json").rows
    assert bucket not in {row["store"].rpartition("/")[2] for row in rows}
    assert mapkeeper("sources", "--check", "--source", bucket, "-w", workspace).exit == 0


# The entry


@dataclass
class Settings:
    """Settings as a connector may have them."""

    bucket: str
    url: str = secret()
    pin: str = secret()
    deep: bool = False
    port: int = 0
    tags: Any = None
    token: str = secret(default="")


def written(store: Store, id: str = "x", like: Mapping[str, Any] | None = None) -> dict[str, Any]:
    text = entry(id, "sql", fields(Settings), store, like or {})
    (source,) = tomllib.loads(text)["source"]
    assert isinstance(source, dict)
    return source


def test_a_secret_is_a_reference_to_be_set_and_what_is_known_of_it_a_remark() -> None:
    store = Store("postgresql://db/crm", {"url": "postgresql://scan@db/crm", "bucket": "b"})
    text = entry("2024-crm", "sql", fields(Settings), store, {"token": "env:TOKEN"})
    assert 'url = "env:SOURCE_2024_CRM_URL"  # postgresql://scan@db/crm, with the password' in text
    assert written(store, "crm", {"token": "env:TOKEN"}) == {
        "id": "crm",
        "connector": "sql",
        "bucket": "b",
        "url": "env:CRM_URL",
        "pin": "env:CRM_PIN",
        "token": "env:TOKEN",
    }


@given(
    bucket=st.text(), says=st.text(), port=st.integers(-9, 1 << 40), tags=st.lists(st.text(max_size=3) | st.booleans())
)
def test_any_names_make_an_entry_that_says_what_it_was_given(
    bucket: str, says: str, port: int, tags: list[str | bool]
) -> None:
    store = Store(bucket, {"bucket": bucket, "deep": True, "port": port, "tags": tags, "url": says}, says)
    source = written(store)
    assert (source["bucket"], source["deep"], source["port"], source["tags"]) == (bucket, True, port, tags)
    assert source["url"] == "env:X_URL"
    id = suggested_id(store, "sql", {"sql", "a"})
    assert SourceEntry(id=id, connector="sql").id not in {"sql", "a"}


def test_an_id_is_the_last_word_of_the_name_and_never_taken() -> None:
    assert suggested_id(Store("s3://Acme.Logs/", {}), "s3", ()) == "acme-logs"
    long = Store(f"s3://{'a' * 80}", {})
    assert suggested_id(long, "s3", ()) == "a" * 63
    assert suggested_id(long, "s3", {"a" * 63}) == "a" * 61 + "-2"
