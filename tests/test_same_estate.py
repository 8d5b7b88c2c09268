"""The same estate gives the same findings, in whatever store it lies."""

from __future__ import annotations

from pathlib import Path

import pytest

import estate
from calling import Run, add_source
from services.s3 import S3Server

Found = set[tuple[str, str, str, str, int]]


def found(mapkeeper: Run, workspace: Path) -> Found:
    """What is found: table, field, category, level and hits."""
    ran = mapkeeper("scan", "--workspace", workspace)
    assert ran.exit == 0, ran.err
    rows = mapkeeper("findings", "--workspace", workspace, "--format", "json").rows
    return {(_table(row["asset"]), row["field"], row["category"], row["level"], row["hits"]) for row in rows}


def _table(asset: str) -> str:
    return asset.removesuffix(".csv").rpartition(".")[2]


@pytest.fixture
def expected(workspace: Path, tmp_path: Path, mapkeeper: Run) -> Found:
    """What is found in the estate as a SQLite file; the workspace has no source afterwards."""
    clean = (workspace / "clients" / "globex.toml").read_text()
    url = f"sqlite:///{tmp_path / 'estate.db'}"
    estate.into_database(url)
    add_source(workspace, "globex", "estate", "sql", url=url)
    seen = found(mapkeeper, workspace)
    (workspace / "clients" / "globex.toml").write_text(clean)
    (workspace / "inventory.db").unlink()
    fields = {(table, field, category) for table, field, category, _, _ in seen}
    assert {
        ("customers", "email", "contact.email"),
        ("payments", "iban", "financial.bank_account"),
        ("logins", "client_ip", "online.ip"),
        ("tickets", "note", "contact.email"),
    } <= fields
    return seen


@pytest.mark.parametrize("server", ["postgres_url", "mariadb_url"])
def test_a_database_server_gives_the_findings_of_the_sqlite_file(
    server: str,
    request: pytest.FixtureRequest,
    expected: Found,
    workspace: Path,
    mapkeeper: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ESTATE_URL", url := request.getfixturevalue(server))
    estate.into_database(url)
    add_source(workspace, "globex", "estate", "sql", url="env:ESTATE_URL")
    assert found(mapkeeper, workspace) == expected


def test_a_bucket_gives_the_findings_of_the_sqlite_file(
    s3: S3Server, bucket: str, expected: Found, workspace: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, rows in estate.tables().items():
        s3.client().put_object(Bucket=bucket, Key=f"export/{name}.csv", Body=estate.as_csv(rows))
    monkeypatch.setenv("ESTATE_KEY", s3.access_key)
    monkeypatch.setenv("ESTATE_SECRET", s3.secret_key)
    add_source(
        workspace, "globex", "estate", "s3", bucket=bucket, prefix="export/", endpoint=s3.endpoint_url,
        region=s3.region, access_key="env:ESTATE_KEY", secret_key="env:ESTATE_SECRET",
    )  # fmt: skip
    assert found(mapkeeper, workspace) == expected
