"""The pages say what is so: they are fresh, their links lead somewhere, their examples work."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mapkeeper import config, discover
from mapkeeper.categories import categories
from mapkeeper.cli import app
from mapkeeper.config.files import ClientFile, WorkspaceFile
from mapkeeper.rules import load, prove

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COGGED = [page for page in PAGES if "[[[cog" in page.read_text("utf-8")]

LINK = re.compile(r"!?\[[^\]]*\]\((?P<to>[^)\s]+)\)")
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def shown(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """A page without its code."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text("utf-8")))


def slug(heading: str) -> str:
    """The anchor that a heading gets: small letters, digits, '_', and '-' for blanks."""
    plain = LINK.sub(lambda found: found[0][1:].partition("]")[0], heading)
    return re.sub(r"[^\w -]", "", plain.lower()).strip().replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {slug(found) for found in re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)}


def examples(page: str, language: str) -> list[str]:
    """The blocks of code of a page, without what cog wrote."""
    text = re.sub(r"<!-- \[\[\[cog.*?\[\[\[end\]\]\] -->", "", (ROOT / page).read_text("utf-8"), flags=re.DOTALL)
    return [found["text"] for found in FENCE.finditer(text) if found["language"] == language]


# Fresh


def test_what_the_pages_take_from_the_code_is_fresh() -> None:
    names = [shown(page) for page in COGGED]
    command = [sys.executable, "-m", "cogapp", "--check", "--diff", "--verbosity=1", "-I", "docs", *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"stale; run make docs\n{done.stdout[-4000:]}{done.stderr[-2000:]}"


def test_what_cog_writes_lies_between_its_marks() -> None:
    for page in COGGED:
        text = page.read_text("utf-8")
        assert text.count("[[[cog") == text.count("[[[end]]]"), shown(page)
        assert not re.search(r"\]\]\] -->\n<!-- \[\[\[end", text), f"{shown(page)}: nothing was written; run make docs"


# Links


def links() -> Iterator[tuple[Path, str]]:
    for page in [*PAGES, *ROOT.glob("*/README.md")]:
        for found in LINK.finditer(prose(page)):
            if not found["to"].startswith(("http:", "https:", "mailto:")):
                yield page, found["to"]


@pytest.mark.parametrize(("page", "to"), [pytest.param(*link, id=f"{shown(link[0])}: {link[1]}") for link in links()])
def test_a_link_leads_to_a_page_and_a_heading(page: Path, to: str) -> None:
    path, _, anchor = to.partition("#")
    target = (page.parent / path).resolve() if path else page
    assert target.exists(), f"{shown(page)}: {to}"
    if anchor:
        assert anchor in anchors(target), f"{shown(page)}: {to}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen = {ROOT / "README.md"}
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        for found in LINK.finditer(prose(page)):
            target = (page.parent / found["to"].partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists() and target not in seen:
                seen.add(target)
                todo.append(target)
    assert [shown(page) for page in PAGES if page not in seen] == []


def test_every_image_that_a_page_shows_exists_and_says_what_it_shows() -> None:
    for page in PAGES:
        for alt, to in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", prose(page)):
            assert (page.parent / to).is_file(), f"{shown(page)}: {to}"
            assert len(alt) > 10, f"{shown(page)}: {to} has no alternative text"
        for tag in re.findall(r"<img [^>]*>", prose(page)):
            source, alt = re.search(r'src="([^"]+)"', tag), re.search(r'alt="([^"]{10,})"', tag)
            assert source is not None, f"{shown(page)}: {tag}"
            assert (page.parent / source[1]).is_file(), f"{shown(page)}: {tag}"
            assert alt is not None, f"{shown(page)}: {tag} has no alternative text"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


# Examples


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The examples of the page on configuration, as a workspace."""
    main, *clients = examples("docs/configuration.md", "toml")
    (tmp_path / "mapkeeper.toml").write_text(main, "utf-8")
    (tmp_path / "clients").mkdir()
    (tmp_path / "keys").mkdir()
    for text in clients:
        id = tomllib.loads(text)["client"]["id"]
        (tmp_path / "clients" / f"{id}.toml").write_text(text, "utf-8")
        (tmp_path / "keys" / f"{id}.key").write_text("0" * 64, "utf-8")
    monkeypatch.setenv("INITECH_KEY", "1" * 64)
    return tmp_path


def test_the_examples_of_the_configuration_are_a_workspace(workspace: Path) -> None:
    loaded = config.load(workspace, discover.catalogue())
    assert set(loaded.clients) == {"globex", "initech", "provider"}
    assert loaded.own is not None
    assert loaded.own.id == "provider"
    assert loaded.client_of("siem", "initech/auth.log") == ("initech", False)
    assert loaded.client_of("siem", "stray.log") == ("provider", True)
    assert [len(loaded.key_of(client)) for client in loaded.clients] == [64, 64, 64]


def test_the_long_example_of_a_client_has_every_kind_of_table(workspace: Path) -> None:
    text = (workspace / "clients" / "globex.toml").read_text("utf-8")
    assert set(tomllib.loads(text)) == set(ClientFile.model_fields)
    main = (workspace / "mapkeeper.toml").read_text("utf-8")
    assert set(tomllib.loads(main)) == set(WorkspaceFile.model_fields)


def test_no_meaning_of_a_key_is_left_over() -> None:
    from mapkeeper.config import files

    meanings = tomllib.loads((ROOT / "docs" / "pages" / "meanings.toml").read_text("utf-8"))
    connectors = {cls.__name__: cls for cls in map(discover.connector, discover.catalogue())}
    for name, keys in meanings.items():
        cls: Any = connectors[name] if name in connectors else getattr(files, name)
        known = cls.model_fields if hasattr(cls, "model_fields") else cls.__dataclass_fields__
        assert [key for key in keys if key not in known] == [], name


def test_the_example_of_a_rule_proves_itself() -> None:
    (text,) = [text for text in examples("docs/own-rules.md", "toml") if "[[rule]]" in text]
    (rule,) = load(text, "example", {}, frozenset(categories()))
    assert prove(rule) == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_example_in_toml_is_toml(page: Path) -> None:
    for found in FENCE.finditer(page.read_text("utf-8")):
        if found["language"] == "toml":
            tomllib.loads(found["text"])


def test_every_command_that_a_page_names_exists() -> None:
    import typer

    root: Any = typer.main.get_command(app)
    known = {
        *root.commands,
        *(f"{name} {inner}" for name in ("client", "db") for inner in root.commands[name].commands),
    }
    planned = prose_of_not_yet()
    for page in PAGES:
        for words in re.findall(r"(?:\.venv/bin/|`)mapkeeper ((?:client |db )?[a-z]+)", page.read_text("utf-8")):
            assert words in known or f"`{words.split()[-1]}`" in planned, f"{shown(page)}: mapkeeper {words}"


def prose_of_not_yet() -> str:
    return (ROOT / "docs" / "not-yet.md").read_text("utf-8")


# The keys of listings, against rows that a scan made


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small workspace, scanned once."""
    folder = tmp_path_factory.mktemp("workspace")
    assert CliRunner().invoke(app, ["init", str(folder)]).exit_code == 0
    assert CliRunner().invoke(app, ["client", "add", "globex", "--workspace", str(folder)]).exit_code == 0
    with (folder / "clients" / "globex.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[source]]\nid = "exports"\nconnector = "files"\npath = "exports"\n')
    (folder / "exports").mkdir()
    rows = "".join(f"{number},person{number}@mail.example\n" for number in range(50))
    (folder / "exports" / "people.csv").write_text(f"number,email\n{rows}", "utf-8")
    result = CliRunner().invoke(app, ["scan", "--workspace", str(folder)])
    assert result.exit_code == 0, result.output
    return folder


@pytest.mark.parametrize(
    ("heading", "command"),
    [
        ("`findings` and `inspect`:", ["findings"]),
        ("`coverage`, and `inspect --coverage`", ["coverage"]),
        ("`sources`; ", ["sources"]),
        ("`history`; ", ["history"]),
        ("`history N`; ", ["history", "1"]),
    ],
    ids=["findings", "coverage", "sources", "history", "history N"],
)
def test_the_keys_of_a_listing_are_those_that_it_prints(heading: str, command: list[str], scanned: Path) -> None:
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    section = text[text.index(f"\n{heading}") :]
    said = re.search(r"^\]\]\] -->\n(.+)\n", section, re.MULTILINE)
    assert said is not None
    result = CliRunner().invoke(app, [*command, "--workspace", str(scanned), "--format", "json"])
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert printed
    for row in printed:
        assert list(row) == re.findall(r"`(\w+)`", said[1])


def test_every_key_of_findings_and_coverage_is_explained(scanned: Path) -> None:
    for command, page in ((["findings"], "cli.md"), (["coverage"], "coverage.md")):
        result = CliRunner().invoke(app, [*command, "--workspace", str(scanned), "--format", "json"])
        cells = re.findall(r"^\| (`.+?) \|", (ROOT / "docs" / page).read_text("utf-8"), re.MULTILINE)
        explained = set(re.findall(r"`(\w+)`", " ".join(cells)))
        assert set(json.loads(result.stdout)[0]) - explained <= {"client", "source", "asset", "kind"}, page
