"""What several tests stand on: the command line as users call it, and workspaces to call it in."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import hypothesis
import pytest
from typer.testing import CliRunner

import shipped
from calling import Ran, Run
from mapkeeper import config
from mapkeeper.classify import engine
from mapkeeper.cli import app

pytest_plugins = ["services.fixtures", "inventories"]

# How long an example takes says how busy the machine is, not whether what it shows is true.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture
def mapkeeper(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call the command line, with a folder of its own for temporary files.

    In this process, as that saves the seconds of a start, with the installed rules made ready once for all tests; in
    one of its own where it is to have another environment.
    """
    temporary = tmp_path_factory.mktemp("tmp")
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(engine, "Ruleset", shipped.ruleset)

    def run(*args: str | Path, env: Mapping[str, str] | None = None) -> Ran:
        words = [str(arg) for arg in args]
        if env is None:
            called = CliRunner().invoke(app, words)
            ran = Ran(called.exit_code, called.stdout, called.stderr)
        else:
            done = subprocess.run(
                [sys.executable, "-m", "mapkeeper", *words],
                capture_output=True,
                text=True,
                timeout=120,
                env={**os.environ, **env},
                check=False,
            )
            ran = Ran(done.returncode, done.stdout, done.stderr)
        assert list(temporary.iterdir()) == [], "temporary files were left behind"
        return ran

    return run


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with the provider as a client, one other client, and a folder of stores."""
    folder = tmp_path / "workspace"
    config.start(folder, "Northlight Security", "CA-QC")
    config.add_client(folder, "globex", "Globex SA", "FR")
    (folder / "stores").mkdir()
    return folder
