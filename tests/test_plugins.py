"""Plug-ins of third parties: a package of another's is found, listed, inspects, scans, and may fail alone."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from calling import Run
from mapkeeper import discover
from mapkeeper.errors import PluginError

PACKAGE = Path(__file__).with_name("plugin_package")
README = Path(__file__).parents[1] / "connectors" / "README.md"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the package, built and unpacked as an installer would, without network."""
    source = tmp_path_factory.mktemp("source") / "acme"
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    wheels = tmp_path_factory.mktemp("wheels")
    subprocess.run([sys.executable, "-c", build, str(wheels)], cwd=source, check=True, capture_output=True)
    [wheel] = wheels.glob("mapkeeper_acme-1.4.2-*.whl")
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder)
    return folder


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The folder of an installed package whose connector, by name the first, needs a driver that is not there."""
    folder = tmp_path / "broken"
    about = folder / "mapkeeper_abacus-0.3.dist-info"
    about.mkdir(parents=True)
    about.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: mapkeeper-abacus\nVersion: 0.3\n")
    about.joinpath("entry_points.txt").write_text("[mapkeeper.connectors]\nabacus = mapkeeper_abacus:Abacus\n")
    folder.joinpath("mapkeeper_abacus.py").write_text("import abacus_driver\n")
    return folder


def mapkeeper(
    *arguments: str | Path, path: tuple[Path, ...], cwd: Path, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line with these folders of packages installed."""
    return subprocess.run(
        [sys.executable, "-c", "from mapkeeper.cli import main; main()", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), **env},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def listed(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    rows = json.loads(done.stdout)
    assert isinstance(rows, list)
    return rows


def loyalty_number(number: int) -> str:
    digits = [int(digit) for digit in f"{number:08}"]
    check = (3 * sum(digits[::2]) + sum(digits[1::2])) % 10
    return f"ACME-{number // 10_000:04}-{number % 10_000:04}-{check}"


def fill(folder: Path, pin: str | None = None) -> Path:
    folder.mkdir(parents=True)
    sales = [f"{n % 9}|{n % 24:02}:15|{loyalty_number(n * 7919)}|{n}.50" for n in range(1, 201)]
    folder.joinpath("monday.till").write_text("\n".join(["store|time|loyalty|total", *sales]) + "\n")
    if pin is not None:
        folder.joinpath("PIN.sha256").write_text(hashlib.sha256(pin.encode()).hexdigest())
    return folder


@pytest.fixture(scope="module")
def started(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose client has a source of the third party's connector, locked by a PIN; never scanned."""
    folder = tmp_path_factory.mktemp("started") / "registers"
    assert mapkeeper("init", folder, path=(installed,), cwd=folder.parent).returncode == 0
    assert mapkeeper("client", "add", "globex", path=(installed,), cwd=folder).returncode == 0
    with folder.joinpath("clients", "globex.toml").open("a") as file:
        file.write('\n[[source]]\nid = "shops"\nconnector = "acme"\nfolder = "rolls"\npin = "env:ACME_PIN"\n')
    fill(folder / "rolls", pin="4711")
    return folder


@pytest.fixture
def registers(started: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return Path(shutil.copytree(started, tmp_path / "registers"))


@pytest.fixture
def here(installed: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line in this process, with the package installed, and the PIN of its store."""
    monkeypatch.syspath_prepend(installed)
    monkeypatch.setenv("ACME_PIN", "4711")
    return mapkeeper


def test_the_package_passes_its_own_tests_against_the_kit(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(PACKAGE / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE / "pyproject.toml", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"^2\d passed", done.stdout, re.MULTILINE)


def test_the_example_of_the_readme_keeps_the_contract(tmp_path: Path) -> None:
    connector, test = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    tmp_path.joinpath("acme_decks.py").write_text(connector)
    tmp_path.joinpath("test_decks.py").write_text(test)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_plugins_lists_both_with_distribution_and_version(installed: Path, tmp_path: Path) -> None:
    done = mapkeeper("plugins", "--format", "json", path=(installed,), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    theirs = [row for row in listed(done) if row["distribution"] == "mapkeeper-acme"]
    assert [(row["kind"], row["name"], row["version"], row["works"]) for row in theirs] == [
        ("connector", "acme", "1.4.2", True),
        ("classifier", "acme", "1.4.2", True),
    ]
    assert theirs[0]["says"].startswith("Rolls of Acme tills")
    assert theirs[1]["says"] == "1 rule"


def test_inspect_reads_by_a_connector_and_finds_by_a_rule_of_a_third_party(installed: Path, tmp_path: Path) -> None:
    rolls = fill(tmp_path / "rolls")
    done = mapkeeper("inspect", f"acme:{rolls}", "--format", "json", path=(installed,), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    [found] = [row for row in listed(done) if row["rule"] == "acme/loyalty/number@1"]
    assert (found["source"], found["asset"], found["field"]) == (f"acme:{rolls}", "monday.till", "loyalty")
    assert (found["category"], found["entity"]) == ("identity.customer_id", "ACME_LOYALTY_NUMBER")
    assert (found["rows"], found["hits"], found["valid"], found["level"]) == (200, 200, 200, "certain")
    assert loyalty_number(7919) not in done.stdout + done.stderr


def test_inspect_does_not_know_the_target_where_the_package_is_not_installed(tmp_path: Path) -> None:
    done = mapkeeper("inspect", "acme:rolls", path=(), cwd=tmp_path)
    assert done.returncode == 2
    assert "no installed connector reads this" in done.stderr


def test_a_scan_by_a_third_partys_connector_is_recorded_without_its_secret(here: Run, registers: Path) -> None:
    done = here("scan", "--workspace", registers)
    assert done.exit == 0, done.err
    done = here("findings", "--client", "globex", "--format", "json", "--workspace", registers)
    assert done.exit == 0, done.err
    [found] = [row for row in done.rows if row["rule"] == "acme/loyalty/number@1"]
    assert (found["client"], found["source"], found["asset"]) == ("globex", "shops", "monday.till")
    assert (found["category"], found["rows"], found["valid"]) == ("identity.customer_id", 200, 200)
    kept = b"".join(path.read_bytes() for path in registers.glob("inventory.db*"))
    assert b"monday.till" in kept
    assert b"4711" not in kept
    assert loyalty_number(7919).encode() not in kept


def test_a_second_scan_skips_what_the_connectors_mark_says_is_unchanged(here: Run, registers: Path) -> None:
    said = []
    for _ in range(2):
        done = here("scan", "--workspace", registers)
        assert done.exit == 0, done.err
        said.append(re.search(r"shops\s+ok\s+(\d+)\s+(\d+)", done.out))
    assert [found and found.groups() for found in said] == [("1", "0"), ("0", "1")]


def test_a_store_that_the_connector_may_not_open_is_one_line_and_no_traceback(
    here: Run, registers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_PIN", "0815")
    done = here("scan", "--workspace", registers)
    assert done.exit == 3
    assert "the PIN is another" in done.out + done.err
    assert "0815" not in done.out + done.err
    assert "Traceback" not in done.err


def test_an_unknown_setting_of_a_third_partys_connector_is_a_configuration_error(
    installed: Path, registers: Path
) -> None:
    with registers.joinpath("clients", "globex.toml").open("a") as file:
        file.write('foldr = "rolls"\n')
    done = mapkeeper("scan", path=(installed,), cwd=registers, ACME_PIN="4711")
    assert done.returncode == 2
    assert re.search(r"globex\.toml.*foldr.*folder", done.stderr)


def test_a_plug_in_that_cannot_be_imported_is_listed_with_the_reason(
    installed: Path, broken: Path, tmp_path: Path
) -> None:
    done = mapkeeper("plugins", "--format", "json", path=(installed, broken), cwd=tmp_path)
    assert done.returncode == 1
    rows = {(row["kind"], row["name"]): row for row in listed(done)}
    abacus = rows["connector", "abacus"]
    assert (abacus["distribution"], abacus["version"], abacus["works"]) == ("mapkeeper-abacus", "0.3", False)
    assert "abacus_driver" in abacus["says"]
    assert rows["connector", "acme"]["works"]
    assert "Traceback" not in done.stderr


def test_a_source_of_a_plug_in_that_cannot_be_imported_is_one_line(broken: Path, tmp_path: Path) -> None:
    folder = tmp_path / "registers"
    assert mapkeeper("init", folder, path=(), cwd=tmp_path).returncode == 0
    with folder.joinpath("mapkeeper.toml").open("a") as file:
        file.write('\n[[source]]\nid = "archive"\nconnector = "abacus"\n')
    done = mapkeeper("scan", path=(broken,), cwd=folder)
    assert done.returncode == 2
    assert re.search(r"mapkeeper-abacus 0\.3.*cannot be loaded.*abacus_driver", done.stderr)
    assert "Traceback" not in done.stderr


def test_a_plug_in_that_cannot_be_imported_does_not_cost_another_connectors_target(
    here: Run, broken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(broken)
    rolls = fill(tmp_path / "rolls")
    done = here("inspect", f"acme:{rolls}", "--format", "json")
    assert done.exit == 0, done.err
    assert "acme/loyalty/number@1" in {row["rule"] for row in done.rows}
    done = here("inspect", rolls / "monday.till")
    assert done.exit == 0, done.err


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"path": 5}, "path must be text"),
        ({"path": "x", "hidden": "no"}, "hidden must be true or false"),
        ({"path": ["x"]}, "path must be text"),
    ],
)
def test_a_setting_of_another_type_is_refused(setting: dict[str, object], says: str) -> None:
    with pytest.raises(PluginError, match=says):
        discover.connect("files", setting, Path())


def test_a_whole_number_will_do_where_a_number_is_asked_for() -> None:
    assert discover.connect("sql", {"url": "sqlite:////x.db", "connect_timeout": 3}, Path()) is not None
