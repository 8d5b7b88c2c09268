"""The configuration: design's examples load as they are, and what is wrong is said with the nearest right word."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapkeeper import config
from mapkeeper.config import Workspace
from mapkeeper.errors import ConfigurationError

SETTINGS: Mapping[str, Mapping[str, bool]] = {
    "files": {"path": False, "follow_links": False},
    "sql": {"url": True},
    "s3": {"bucket": False, "prefix": False, "role_arn": False, "external_id": False, "secret_key": True},
}
CATALOGUE = {name: (lambda given=given: given) for name, given in SETTINGS.items()}

MAIN = """
[provider]
name = "Northlight Security"
country = "CA-QC"
privacy_officer = { name = "J. Tremblay", email = "privacy@northlight.example" }

[inventory]
url = "sqlite:///inventory.db"

[scan]
depth = "sample"
workers = 2
index = "scanned"

[[source]]
id = "siem"
connector = "s3"
bucket = "northlight-siem"
clients = { by = "prefix", map = { "globex/" = "globex", "globex/initech/" = "initech" } }
"""

GLOBEX = """
[client]
id = "globex"
name = "Globex SA"
country = "FR"
regimes = ["EU-GDPR"]
domains = ["globex.example"]
key = "file:keys/globex.key"

[client.contacts]
privacy_officer = { name = "A. Martin", email = "dpo@globex.example", phone = "+33 1 00 00 00 00" }
escalation = [{ level = 1, grade = "high", to = "mailto:soc@globex.example", within_hours = 4 }]

[agreement]
reference = "DPA-2026-014"
signed = 2026-01-15
ends = 2027-01-14
our_role = "processor"
purposes = ["EnforceSecurity"]
categories = ["credential.username", "online.ip"]
subjects = ["employee"]
transfers_permitted = ["EEA", "CA-QC"]
breach_notice_hours = 24
audit = { notice_days = 30, every_months = 12, last = 2025-11-03 }
at_end = { action = "delete", within_days = 30 }
sub_processors = { authorisation = "general", objection_days = 30 }
liability_cap = "EUR 500000"

[[activity]]
id = "soc"
name = "Monitoring for unauthorised access"
template = "monitoring"
legal_basis = "A6-1-f"
sources = ["siem", "crm"]
retention = { default = "P395D", "health" = "P30D" }
recipients = ["ti-vendor"]

[[recipient]]
id = "ti-vendor"
name = "TI Vendor Inc."
country = "US"
role = "sub_processor"
service = "reputation look-ups"
mechanism = "SCC_M3"
assessment = { kind = "TIA", date = 2026-03-02, reference = "TIA-7" }
conditions = { dpf = false }
due_diligence = 2026-02-20
notified = 2026-03-01

[[access]]
country = "IN"
who = "tier-1 analysts"

[[source]]
id = "crm"
connector = "sql"
url = "env:GLOBEX_CRM_URL"
include = ["public.*"]
exclude = ["*.tmp_*"]
place = { country = "FR" }
legal_hold = false

[[flow]]
from = "crm:public.customers"
to = "ti-vendor"
categories = ["online.ip"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The workspace of the design's examples, with a second client and the provider's own."""
    (tmp_path / "mapkeeper.toml").write_text(MAIN)
    (tmp_path / "clients").mkdir()
    (tmp_path / "clients" / "globex.toml").write_text(GLOBEX)
    config.add_client(tmp_path, "initech", "Initech", "US-CA")
    config.add_client(tmp_path, "provider", "Northlight Security", "CA-QC", own=True)
    (tmp_path / "keys" / "globex.key").write_text("0" * 64)
    return tmp_path


def load(folder: Path) -> Workspace:
    return config.load(folder, CATALOGUE)


def refusal(folder: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        load(folder)
    return str(refused.value).splitlines()


def amend(folder: Path, old: str, new: str, file: str = "clients/globex.toml") -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))


def test_the_examples_of_the_design_load_as_they_are(folder: Path) -> None:
    workspace = load(folder)
    assert set(workspace.clients) == {"globex", "initech", "provider"}
    assert set(workspace.sources) == {"siem", "crm"}
    assert workspace.owners == {"siem": None, "crm": "globex"}
    assert workspace.sources["crm"].settings == {"url": "env:GLOBEX_CRM_URL"}
    assert workspace.clients["globex"].file.flow[0].source == "crm:public.customers"
    assert workspace.inventory_url == f"sqlite:///{folder / 'inventory.db'}"


def test_the_longest_prefix_tells_whose_an_asset_is(folder: Path) -> None:
    workspace = load(folder)
    assert workspace.client_of("siem", "globex/auth.log") == ("globex", False)
    assert workspace.client_of("siem", "globex/initech/auth.log") == ("initech", False)
    assert workspace.client_of("crm", "anything") == ("globex", False)


def test_what_maps_to_no_client_is_booked_to_the_provider(folder: Path) -> None:
    assert load(folder).client_of("siem", "stray.log") == ("provider", True)


def test_a_shared_source_needs_the_provider_as_a_client(folder: Path) -> None:
    (folder / "clients" / "provider.toml").unlink()
    assert refusal(folder) == [
        "mapkeeper.toml: source 'siem' is shared, and what maps to no client is booked to the provider:"
        " add a client file with own = true"
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("purposes =", "purpses =", "clients/globex.toml: agreement.purpses: unknown key; did you mean 'purposes'?"),
        ('"online.ip"]\nsub', '"online.ipp"]\nsub', "categories[1]: is no category; did you mean 'online.ip'?"),
        ('country = "US"', 'country = "UK"', "recipient[0].country: is no country code"),
        ('"SCC_M3"', '"SCC_3"', "recipient[0].mechanism: 'SCC_3' is not known; did you mean 'SCC_M3'?"),
        ('"EU-GDPR"', '"EU-GDRP"', "client.regimes[0]: 'EU-GDRP' is not known; did you mean 'EU-GDPR'?"),
        ('"P395D"', '"395 days"', "activity[0].retention.default: is no duration; give ISO 8601 such as P395D"),
        ('"siem", "crm"', '"siem", "crn"', "activity 'soc' names source 'crn'; did you mean 'crm'?"),
        ('recipients = ["ti-vendor"]', 'recipients = ["ti-vendr"]', "'ti-vendr'; did you mean 'ti-vendor'?"),
        ('connector = "sql"', 'connector = "sqll"', "connector: 'sqll' is not installed; did you mean 'sql'?"),
        ('url = "env', 'ulr = "env', "source[0].ulr: unknown key, and no setting of sql; did you mean 'url'?"),
        ('"env:GLOBEX_CRM_URL"', '"postgresql://u:p@h/d"', "url: holds a secret in the clear; give env:NAME"),
        ("level = 1", "level = 0", "client.contacts.escalation[0].level: input should be greater than or equal to 1"),
        ('from = "crm:public', 'from = "crn:public', "flow[0].from: 'crn' is no source; did you mean 'crm'?"),
        ('key = "file:', 'key = "', "client.key: must be env:NAME or file:PATH"),
        ('id = "crm"', 'id = "siem"', "source[0].id: 'siem' is taken by mapkeeper.toml: source[0]"),
        ('id = "globex"', 'id = "initech"', "client.id: 'initech' is taken by clients/globex.toml"),
        ('name = "Globex SA"\n', "", "clients/globex.toml: client.name: is missing"),
        ("signed = 2026-01-15", "signed = 2026-01", "clients/globex.toml: is not valid TOML"),
    ],
)  # fmt: skip
def test_an_error_names_file_key_and_the_nearest_right_word(folder: Path, old: str, new: str, said: str) -> None:
    amend(folder, old, new)
    assert any(said in line for line in refusal(folder)), refusal(folder)


def test_a_shared_source_names_clients_that_exist(folder: Path) -> None:
    amend(folder, '"globex/" = "globex"', '"globex/" = "globx"', "mapkeeper.toml")
    assert refusal(folder) == ["mapkeeper.toml: source[0].clients.map: 'globx' is no client; did you mean 'globex'?"]


def test_every_error_is_said_at_once(folder: Path) -> None:
    amend(folder, "purposes =", "purpses =")
    amend(folder, "workers = 2", "workers = 0", "mapkeeper.toml")
    assert len(refusal(folder)) == 2


def test_norway_is_a_country_and_not_false(folder: Path) -> None:
    amend(folder, 'country = "US"', 'country = "NO"')
    assert load(folder).clients["globex"].file.recipient[0].country == "NO"


def test_none_is_a_declaration_and_silence_is_not(folder: Path) -> None:
    amend(folder, 'subjects = ["employee"]', 'subjects = "none"')
    amend(folder, 'transfers_permitted = ["EEA", "CA-QC"]\n', "")
    agreement = load(folder).clients["globex"].file.agreement
    assert agreement is not None
    assert agreement.subjects == ()
    assert agreement.transfers_permitted is None


def test_the_key_of_a_client_is_read_late_and_a_missing_one_is_named(folder: Path) -> None:
    workspace = load(folder)
    (folder / "keys" / "globex.key").unlink()
    with pytest.raises(ConfigurationError, match=r"globex.toml: client.key: there is no file keys/globex.key"):
        workspace.key_of("globex")


def test_a_short_key_is_refused_without_being_shown(folder: Path) -> None:
    (folder / "keys" / "globex.key").write_text("hunter2")
    with pytest.raises(ConfigurationError) as refused:
        load(folder).key_of("globex")
    assert "hunter2" not in str(refused.value)


def test_a_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CRM_URL", " sqlite:///crm.db\n")
    assert config.resolve("env:CRM_URL", tmp_path, "x") == "sqlite:///crm.db"
    monkeypatch.delenv("CRM_URL")
    with pytest.raises(ConfigurationError, match=r"^x: environment variable CRM_URL is not set$"):
        config.resolve("env:CRM_URL", tmp_path, "x")


@pytest.mark.parametrize(
    "reference",
    [
        "env:postgresql://u:hunter2@h/d",
        "env:hunter2!",
        "file:hunter2",
        "file:/hunter2/x",
        "file:hunter2/x",
        "file:hunter2\0/",
    ],
)
def test_a_secret_where_its_reference_belongs_is_not_shown(reference: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        config.resolve(reference, tmp_path, "clients/globex.toml: client.key")
    assert str(refused.value).startswith("clients/globex.toml: client.key: ")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@h/d",
        "postgresql://u:pa/ss@h/d",
        "postgresql://u:pa#ss@h/d",
        "postgresql://u:pa?ss@h/d",
        "postgresql://h/d?user=u&password=p",
        "postgresql://h/d?sslPassword=p",
        "mssql+pyodbc://?odbc_connect=DRIVER%3D%7Bx%7D%3BUID%3Du%3BPWD%3Dp",
        "snowflake://h/d?token=p",
    ],
)
def test_a_password_anywhere_in_a_url_is_a_secret_in_the_clear(url: str, folder: Path) -> None:
    amend(folder, '"env:GLOBEX_CRM_URL"', json.dumps(url))
    (error,) = refusal(folder)
    assert "url: holds a secret in the clear; give env:NAME" in error
    assert url not in error


@pytest.mark.parametrize(
    "url",
    ["postgresql://u@h:5432/d?sslmode=require&sslkey=/etc/key.pem", "sqlite:////srv/pass/keys/token.db?mode=ro"],
)
def test_a_url_without_a_password_may_stand_in_the_clear(url: str, folder: Path) -> None:
    amend(folder, '"env:GLOBEX_CRM_URL"', json.dumps(url))
    assert load(folder).sources["crm"].settings["url"] == url


def test_a_setting_that_is_no_secret_may_not_hold_one(folder: Path) -> None:
    amend(folder, 'bucket = "northlight-siem"', 'bucket = "https://u:hunter2@h/northlight-siem"', "mapkeeper.toml")
    (error,) = refusal(folder)
    assert "bucket: holds a secret in the clear" in error
    assert "hunter2" not in error


def test_init_writes_a_workspace_that_loads(tmp_path: Path) -> None:
    config.start(tmp_path / "new", 'The "North" light', "CA-QC")
    workspace = load(tmp_path / "new")
    assert workspace.provider.name == 'The "North" light'
    assert workspace.own is not None
    assert len(workspace.key_of("provider")) == 64


def test_init_leaves_an_existing_workspace_alone(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing was written"):
        config.start(folder, "x", "FR")
    assert (folder / "mapkeeper.toml").read_text() == MAIN


def test_every_commented_example_of_a_new_client_is_true(folder: Path) -> None:
    """What `init` and `client add` show as comments must load when somebody takes the '#' away."""
    path = folder / "clients" / "initech.toml"
    lines = [line.removeprefix("# ") for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines).replace('id = "crm"', 'id = "crm2"').replace('["crm"]', '["crm2"]'))
    assert load(folder).sources["crm2"].include == ("public.*",)


def test_a_key_is_readable_by_its_owner_only(folder: Path) -> None:
    assert stat.S_IMODE((folder / "keys" / "initech.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "keys").stat().st_mode) == 0o700


def test_two_clients_have_two_keys(folder: Path) -> None:
    workspace = load(folder)
    assert workspace.key_of("initech") != workspace.key_of("provider")


def test_the_workspace_is_found_from_a_folder_below(folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    assert config.find(folder / "a" / "b", None) == folder
    with pytest.raises(ConfigurationError, match="'mapkeeper init' makes a workspace"):
        config.find(Path("/"), None)


@given(st.binary(max_size=400))
def test_any_bytes_in_a_client_file_load_or_are_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, text: bytes
) -> None:
    folder = tmp_path_factory.mktemp("w")
    config.start(folder, "x", "FR")
    (folder / "clients" / "odd.toml").write_bytes(text)
    lines = refusal(folder)
    assert lines
    assert all(line.startswith("clients/odd.toml: ") for line in lines)
