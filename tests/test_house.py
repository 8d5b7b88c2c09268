"""The house keeps its own rules: what no linter checks, and what documents must not forget."""

from __future__ import annotations

import ast
import csv
import dataclasses
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import typer

from mapkeeper import discover
from mapkeeper.categories import categories
from mapkeeper.cli import app
from mapkeeper.model import Reason

ROOT = Path(__file__).parent.parent
ROOTS = (
    ROOT / "src" / "mapkeeper",
    ROOT / "connectors" / "mapkeeper_connectors",
    ROOT / "classifiers" / "mapkeeper_classifiers",
    ROOT / "migrations" / "mapkeeper_migrations",
)
MODULES = sorted(path for root in ROOTS for path in root.rglob("*.py"))
CODE_OF_DOCS = sorted((ROOT / "docs").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


# Entry points


def declared() -> dict[str, dict[str, str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {group: project["entry-points"][group] for group in (discover.CONNECTORS, discover.CLASSIFIERS)}


def test_the_installed_entry_points_are_those_of_pyproject() -> None:
    installed: dict[str, dict[str, str]] = {group: {} for group in declared()}
    for entry in distribution("mapkeeper").entry_points:
        if entry.group in installed:
            installed[entry.group][entry.name] = entry.value
    assert installed == declared(), "entry points are read from the installed metadata: run pip install -e . again"


@pytest.mark.parametrize(
    ("group", "folder"),
    [(discover.CONNECTORS, ROOTS[1]), (discover.CLASSIFIERS, ROOTS[2])],
    ids=["connectors", "classifiers"],
)
def test_every_entry_point_names_something_in_its_root(group: str, folder: Path) -> None:
    for name, value in declared()[group].items():
        module, _, attribute = value.partition(":")
        path = folder.parent / Path(*module.split("."))
        file = next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)
        assert file is not None, f"pyproject: {group}: {name} names {module}, which is not in {shown(folder)}"
        tree = ast.parse(file.read_text("utf-8"))
        names = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
        assert attribute in names, f"pyproject: {group}: {name}: {shown(file)} has no {attribute}"


def test_every_connector_module_is_an_entry_point() -> None:
    known = {value.partition(":")[0] for value in declared()[discover.CONNECTORS].values()}
    there = {
        f"{ROOTS[1].name}.{path.stem}"
        for path in ROOTS[1].iterdir()
        if not path.name.startswith("__") and (path.suffix == ".py" or (path / "__init__.py").is_file())
    }
    assert there == known, "a connector is a module of connectors/ and a line of pyproject.toml"


# Modules


def test_a_module_says_in_its_first_line_what_it_is_for() -> None:
    silent = []
    for path in MODULES + CODE_OF_DOCS + TESTS:
        first = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n\n")[0].strip()
        if not re.fullmatch(r"[A-Z0-9`].{15,}[.:]", first, re.DOTALL):
            silent.append(shown(path))
    assert silent == [], "the docstring begins with a sentence"


def test_a_module_has_a_name_that_says_something() -> None:
    vague = {"util", "utils", "helper", "helpers", "base", "common", "misc", "shared", "lib", "tools", "manager"}
    names = {shown(path): path.parent.name if path.name == "__init__.py" else path.stem for path in MODULES}
    assert [path for path, name in names.items() if name in vague] == [], "a module has the name of one noun or verb"


def test_a_module_stays_short() -> None:
    lengths = {shown(path): len(path.read_text("utf-8").splitlines()) for path in MODULES + CODE_OF_DOCS}
    assert {path: lines for path, lines in lengths.items() if lines >= 400} == {}, "split it by noun"


# What must not be in any text

HOSTS = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "proxy." + "golang", "docker" + ".io")
"""Package registries; written so that this file does not name them."""

NOBODY = "alice|bob|carol|dave|erin|jane|john|user"
MACHINE = re.compile(
    rf"(?<![\w.~/-])(?:/{'root'}|/{'work'}|(?:/{'home'}|/Users|[A-Z]:\\+Users)[/\\]+(?!(?i:{NOBODY})\b)\w+)(?![\w-])"
)
"""A folder of one person's machine; people who do not exist may have one."""


def texts() -> Iterator[Path]:
    kinds = {".py", ".md", ".toml", ".csv", ".txt", ".html", ".css", ".js", ".mako", ".yml", ".yaml", ".sh"}
    skipped = {"images", "packs", "__pycache__"}  # the examples of rules hold what people's machines have
    for top in ("src", "connectors", "classifiers", "migrations", "tests", "docs", ".ci"):
        for path in (ROOT / top).rglob("*"):
            if path.is_file() and not skipped & set(path.parts) and (path.suffix in kinds or top == ".ci"):
                yield path
    yield from (path for path in ROOT.iterdir() if path.suffix in kinds or path.name == "Makefile")


def test_no_text_names_a_registry_or_a_folder_of_somebodys_machine() -> None:
    found = []
    for path in texts():
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if any(host in line for host in HOSTS) or MACHINE.search(line):
                found.append(f"{shown(path)}:{number}")
    assert not found, f"a path of a machine or the host of a registry: {', '.join(found)}"


@pytest.mark.parametrize(
    "line", ["cd /" + "root/x", "see /" + "home/ann/a.py", "'/" + "work/main'", r"C:\Us" + r"ers\ann"]
)
def test_the_search_for_folders_finds_them(line: str) -> None:
    assert MACHINE.search(line)


@pytest.mark.parametrize(
    "line",
    [
        "/srv/siem",
        "https://site.example/home/x",
        "docs/work/x",
        "/workers",
        "/homework/x",
        "/rooted",
        "/" + "home/alice",
    ],
)
def test_the_search_for_folders_leaves_others_alone(line: str) -> None:
    assert not MACHINE.search(line)


# What the pages must not forget


def commands() -> Iterator[tuple[str, ...]]:
    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield words
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*words, name))

    return walk(typer.main.get_command(app), ("mapkeeper",))


def test_every_command_is_in_the_page_of_the_command_line() -> None:
    headings = set(re.findall(r"^### (.+)$", page("cli.md"), re.MULTILINE))
    assert {" ".join(words) for words in commands()} == {one for one in headings if one.startswith("mapkeeper")}


def test_every_option_is_in_the_page_of_the_command_line() -> None:
    text = page("cli.md")
    for words in commands():
        command: Any = typer.main.get_command(app)
        for word in words[1:]:
            command = command.commands[word]
        section = text.split(f"### {' '.join(words)}\n", 1)[1].split("\n### ", 1)[0]
        for option in (name for parameter in command.params for name in parameter.opts if name.startswith("--")):
            assert option in section, f"docs/cli.md: {' '.join(words)} {option}"


@pytest.mark.parametrize("reason", Reason, ids=str)
def test_every_reason_of_a_gap_is_explained(reason: Reason) -> None:
    row = re.search(rf"^\| `{reason.value}` \| (.+) \| (.+) \|$", page("coverage.md"), re.MULTILINE)
    assert row is not None
    assert all(len(cell) > 3 for cell in row.groups())


def test_every_setting_of_every_connector_is_explained() -> None:
    text = page("connectors.md")
    for name in declared()[discover.CONNECTORS]:
        section = text.split(f"## {name}\n", 1)[1].split("\n## ", 1)[0]
        cls: Any = discover.connector(name)
        for field in (field for field in dataclasses.fields(cls) if field.init):
            assert re.search(rf"^\| `{field.name}` \|.*\| .{{5,}} \|$", section, re.MULTILINE), f"{name}: {field.name}"


def test_every_rule_category_and_concern_has_its_row() -> None:
    from mapkeeper.assess import concern_rules

    rules, kinds, concerns = page("rules.md"), page("categories.md"), page("concerns.md")
    ours = tuple(f"{name}/" for name in declared()[discover.CLASSIFIERS])
    known = [rule.ref for rule in discover.rules() if rule.id.startswith(ours)]
    assert [ref for ref in known if f"| `{ref}` |" not in rules] == []
    assert [key for key in categories() if f"| `{key}` |" not in kinds] == []
    assert [id for id in concern_rules() if f"| `{id}` |" not in concerns] == []


def test_the_changelog_has_what_is_not_released_yet() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(r"^## Unreleased$", text, re.MULTILINE)


def test_a_decision_is_one_page() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in pages] == [f"{number:04d}" for number in range(1, len(pages) + 1)]
    for path in pages:
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= 40, shown(path)
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], shown(path)
        assert f"(decisions/{path.name})" in page("index.md"), f"docs/index.md does not lead to {path.name}"


# Start


@pytest.mark.parametrize(
    "module", ["alembic", "boto3", "networkx", "phonenumbers", "polars", "presidio_analyzer", "pyarrow", "sqlalchemy"]
)
def test_the_command_line_starts_without_anything_heavy(module: str, started: frozenset[str]) -> None:
    assert module not in started, f"import mapkeeper.cli imports {module}; import it inside the command that needs it"


@pytest.fixture(scope="session")
def started() -> frozenset[str]:
    """The packages that are loaded once the command line is imported, in a process of its own."""
    script = "import sys, mapkeeper.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return frozenset(done.stdout.split())


# The table of categories


def test_the_table_of_categories_is_whole() -> None:
    known = categories()
    assert len(known) == 63
    for key, category in known.items():
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", key)
        assert category.title[:1].isupper()
        assert re.fullmatch(r"[A-Za-z]+", category.dpv), f"{key}: dpv"
        assert re.fullmatch(r"user(\.[a-z_0-9]+)*", category.fides), f"{key}: fides"
        assert category.enisa in {"S", "B", "F", "X"}, f"{key}: enisa"
        assert category.gdpr_article in {"", "8", "9", "10", "87", "88"}, f"{key}: gdpr_article"
        assert category.law25_sensitive in {"", "y", "c"}, f"{key}: law25_sensitive"


def test_no_category_stands_twice_in_the_table() -> None:
    text = files("mapkeeper").joinpath("categories.csv").read_text("utf-8")
    keys = [row["category"] for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))]
    assert len(keys) == len(set(keys)) == len(categories())


def test_credentials_and_what_the_gdpr_sets_apart_are_never_sampled() -> None:
    unsampled = {key for key, category in categories().items() if category.unsampled}
    apart = {key for key, category in categories().items() if category.gdpr_article in ("9", "10")}
    assert {key for key in categories() if key.startswith("credential.")} | apart == unsampled
    assert apart == {key for key in categories() if key.startswith(("biometric.", "criminal.", "health.", "special."))}
