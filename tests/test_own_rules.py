"""Rules of one's own: packs and Presidio's recognizers reach what they are meant for, and nothing else."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from calling import Run, add_source
from mapkeeper import config, discover
from mapkeeper.errors import MapkeeperError
from mapkeeper.scan import crew
from mapkeeper.scan.rules import Rulebook

BADGES = [{"badge": f"BDG-{204817 + n}", "door": f"D{n % 7}"} for n in range(40)]

PACK = """
[[rule]]
id = "badge"
title = "Badge number"
category = "employment.employee_id"
entity = "BADGE_NUMBER"
find = '\\bBDG-\\d{6}\\b'
score = 0.8
names = ["badge"]
match = ["BDG-204817", "opened by BDG-204817"]
miss = ["BDG-20481", "ABDG-204817"]
"""

# As Presidio documents them: a list of recognizers, one by patterns, one by a list of words.
RECOGNIZERS = """
recognizers:
  -
    name: "Zip code Recognizer"
    supported_language: "de"
    patterns:
      -
         name: "zip code (weak)"
         regex: "(\\\\b\\\\d{5}(?:\\\\-\\\\d{4})?\\\\b)"
         score: 0.01
    context:
     - zip
     - code
    supported_entity: "ZIP"
  -
    name: "Titles recognizer"
    supported_language: "en"
    supported_entity: "TITLE"
    deny_list:
      - Mr.
      - Mrs.
      - Ms.
      - Miss
      - Dr.
      - Prof.
"""

# And as a registry is configured: predefined recognizers by name, some of them disabled.
REGISTRY = """
global_regex_flags: 26
supported_languages:
  - en
  - es
recognizers:
  - CryptoRecognizer
  - name: CreditCardRecognizer
    supported_languages:
    - language: en
      context: [credit, card, visa]
    - language: es
      context: [tarjeta, credito, visa]
    type: predefined
  - name: EmailRecognizer
    type: predefined
    enabled: false
  - name: SpacyRecognizer
    type: predefined
    enabled: false
  - name: ContractRecognizer
    type: custom
    supported_entity: CONTRACT
    supported_languages:
    - language: en
      context: [contract]
    - language: es
      context: [contrato]
    patterns:
    - {name: contract, regex: 'ctr-[a-z]{2}\\d{4}(?!\\d)', score: 0.6}
  - name: OldRecognizer
    supported_entity: OLD
    supported_language: en
    enabled: false
    deny_list: [nothing]
"""


def write(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def put(folder: Path, **files: str) -> None:
    (folder / "rules").mkdir(exist_ok=True)
    for name, text in files.items():
        suffix = "yaml" if "recognizers:" in text else "toml"
        (folder / "rules" / f"{name}.{suffix}").write_text(text)


def amend(file: Path, text: str) -> None:
    file.write_text(f"{file.read_text()}\n{text}\n")


def found(workspace: Path, mapkeeper: Run, **wanted: str) -> set[str]:
    rows = mapkeeper("findings", "--workspace", workspace, "--all", "--format", "json").rows
    return {row["rule"] for row in rows if all(row[key] == value for key, value in wanted.items())}


@pytest.fixture(scope="module")
def book() -> Rulebook:
    """The installed rules, loaded once."""
    return Rulebook()


@pytest.fixture
def siem(workspace: Path) -> Path:
    """A store of two clients, with badges of both."""
    for client in ("globex", "initech"):
        rows = [row | {"email": f"a{n}@example.com"} for n, row in enumerate(BADGES)]
        write(workspace / "stores" / "siem" / client / "doors.csv", rows)
    (workspace / "clients" / "initech.toml").write_text(
        '[client]\nid = "initech"\nname = "Initech"\ncountry = "DE"\nkey = "file:keys/globex.key"\n'
    )
    amend(
        workspace / "mapkeeper.toml",
        '[[source]]\nid = "siem"\nconnector = "files"\npath = "stores/siem"\n'
        'clients = { by = "prefix", map = { "globex/" = "globex", "initech/" = "initech" } }',
    )
    return workspace


# Packs


def test_a_pack_of_the_workspace_holds_for_every_client_and_what_one_has_off_for_the_others(
    siem: Path, mapkeeper: Run
) -> None:
    put(siem, staff=PACK)
    amend(siem / "mapkeeper.toml", '[rules]\npacks = ["rules/*.toml"]')
    amend(siem / "clients" / "globex.toml", '[rules]\noff = ["standard/contact/*", "presidio/*"]')
    assert mapkeeper("scan", "--workspace", siem).exit == 0
    rows = mapkeeper("findings", "--workspace", siem, "--format", "json").rows
    badges = {(row["client"], row["rule"], row["level"]) for row in rows if row["field"] == "badge"}
    assert badges == {(client, "provider/staff/badge@1", "certain") for client in ("globex", "initech")}
    assert {row["client"] for row in rows if row["category"] == "contact.email"} == {"initech"}


def test_a_pack_of_a_client_holds_for_it_alone_and_a_change_of_it_makes_its_data_be_read_again(
    siem: Path, mapkeeper: Run
) -> None:
    put(siem, staff=PACK)
    amend(siem / "clients" / "globex.toml", '[rules]\npacks = ["rules/staff.toml"]')
    assert mapkeeper("scan", "--workspace", siem).exit == 0
    assert found(siem, mapkeeper, client="globex", field="badge") == {"globex/staff/badge@1"}
    assert "globex/staff/badge@1" not in found(siem, mapkeeper, client="initech")
    put(siem, staff=PACK.replace("score = 0.8", "score = 0.7"))
    again = mapkeeper("scan", "--workspace", siem).out.splitlines()[1].split()
    assert again[:4] == ["siem", "ok", "1", "1"], "one asset read, one unchanged"


def test_a_worker_has_the_rules_of_each_client(siem: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "WORTH_A_PROCESS", 0)
    put(siem, staff=PACK)
    amend(siem / "clients" / "globex.toml", '[rules]\npacks = ["rules/staff.toml"]')
    assert mapkeeper("scan", "--workspace", siem, "--workers", "1").exit == 0
    assert found(siem, mapkeeper, client="globex", field="badge") == {"globex/staff/badge@1"}
    assert "globex/staff/badge@1" not in found(siem, mapkeeper, client="initech")


def test_a_rule_of_ones_own_may_use_a_check_of_the_installed_ones(workspace: Path, mapkeeper: Run) -> None:
    checked = PACK.replace("score = 0.8", 'score = 0.8\ncheck = "uuid"\n')
    put(workspace, staff=checked)
    amend(workspace / "mapkeeper.toml", '[rules]\npacks = ["rules/*.toml"]')
    refused = mapkeeper("rules", "prove", "provider/*", "--workspace", workspace)
    assert (refused.exit, refused.out) == (2, "")
    assert "rules/staff.toml: rule provider/staff/badge: check 'uuid' is not among" in refused.err
    put(workspace, staff=checked.replace('"uuid"', '"account"'))
    assert mapkeeper("rules", "show", "provider/staff/badge", "--workspace", workspace).exit == 0


def test_names_are_redacted_by_rules_of_ones_own_and_by_those_that_are_off(workspace: Path, mapkeeper: Run) -> None:
    put(workspace, staff=PACK.replace("score = 0.8", "score = 0.8\nidentifying = true"))
    amend(workspace / "mapkeeper.toml", '[rules]\npacks = ["rules/*.toml"]\noff = ["standard/*", "presidio/*"]')
    write(workspace / "stores" / "crm" / "BDG-204817.csv", [{"plan": "basic"}] * 5)
    write(workspace / "stores" / "crm" / "ada@example.com.csv", [{"email": f"a{n}@example.com"} for n in range(5)])
    add_source(workspace, "globex", "crm", "files", path="stores/crm")
    assert mapkeeper("scan", "--workspace", workspace).exit == 0
    rows = mapkeeper("coverage", "--workspace", workspace, "--format", "json").rows
    assert sorted(re.sub(":[0-9a-f]+", "", row["asset"]) for row in rows) == ["{email}.csv", "{employee_id}.csv"]
    assert found(workspace, mapkeeper) == set()


# Errors: nothing is scanned


@pytest.mark.parametrize(
    ("entry", "files", "words"),
    [
        ('packs = ["rules/*.toml"]', {}, ["mapkeeper.toml: rules.packs[0]", "no file", "'rules/*.toml'"]),
        ('pack = ["a.toml"]', {}, ["mapkeeper.toml: rules.pack", "unknown key", "'packs'"]),
        ('packs = ["rules/*.toml"]', {"a": "[[rule"}, ["rules/a.toml", "not valid TOML"]),
        ('packs = ["rules/*.toml"]', {"a": "[[rules]]\n"}, ["rules/a.toml", "unknown key 'rules'", "[[rule]]"]),
        ('packs = ["rules/*.toml"]', {"a": ""}, ["rules/a.toml", "holds no rule"]),
        ('packs = ["rules/*.toml"]', {"a b": PACK}, ["rules/a b.toml", "name it with letters"]),
        (
            'packs = ["rules/*.toml"]',
            {"a": PACK.replace("score =", "scroe =")},
            ["rules/a.toml: rule provider/a/badge", "scroe"],
        ),
        (
            'packs = ["rules/*.toml"]',
            {"a": PACK.replace("0.8", '"high"')},
            ["rule provider/a/badge: score must be a number"],
        ),
        (
            'packs = ["rules/*.toml"]',
            {"a": PACK.replace("0.8", "8")},
            ["rule provider/a/badge: score must be a number from 0 to 1"],
        ),
        ('packs = ["rules/*.toml"]', {"a": PACK.replace('["badge"]', '"badge"')}, ["names must be a list of texts"]),
        ('packs = ["rules/*.toml"]', {"a": PACK.replace('"badge"\ntitle', '"my badge"\ntitle')}, ["id must be a word"]),
        (
            'packs = ["rules/*.toml"]',
            {"a": PACK.replace("(", "").replace("{6}", "{6}(")},
            ["rules/a.toml", "not a regular expression"],
        ),
        (
            'packs = ["rules/*.toml"]',
            {"a": PACK.replace("employee_id", "employe")},
            ["'employment.employe' is no category"],
        ),
        ('packs = ["rules/*.toml"]', {"a": PACK + PACK}, ["rules/a.toml: rule provider/a/badge is there already"]),
        (
            'off = ["presidio/us_bank_numbr"]',
            {},
            ["mapkeeper.toml: rules.off[0]", "is no rule", "presidio/us_bank_number"],
        ),
        ('entities = { ZIP = "contact.zip" }', {}, ["mapkeeper.toml: rules.entities.ZIP", "is no category"]),
        (
            'presidio = ["rules/*.yaml"]\nentities = { ZIP = "contact" }',
            {"r": RECOGNIZERS},
            ["rules.entities.ZIP: 'contact' is the beginning of several"],
        ),
        ('presidio = ["rules/*.yaml"]', {"r": RECOGNIZERS}, ["rules/r.yaml", "ZIP", "[rules.entities]", "TITLE"]),
        ('presidio = ["rules/*.yaml"]', {"r": "recognizers: ["}, ["rules/r.yaml", "not valid YAML, line 1"]),
        ('presidio = ["rules/*.yaml"]', {"r": "a: 1 # recognizers:"}, ["rules/r.yaml", "no list 'recognizers'"]),
        (
            'presidio = ["rules/*.yaml"]',
            {"r": RECOGNIZERS.replace("score: 0.01", "score: 7")},
            ["rules/r.yaml: recognizers[0] 'Zip code Recognizer'", "patterns", "score should be between 0 and 1"],
        ),
        (
            'presidio = ["rules/*.yaml"]',
            {"r": RECOGNIZERS.replace("\\\\d{5}(?", "\\\\d{5}((?")},
            ["recognizers[0] 'Zip code Recognizer'", "Invalid regex pattern"],
        ),
        (
            'presidio = ["rules/*.yaml"]',
            {"r": REGISTRY.replace("EmailRecognizer", "MailRecognizer")},
            ["recognizers[2] 'MailRecognizer'", "no recognizer of Presidio's"],
        ),
        (
            'presidio = ["rules/*.yaml"]',
            {"r": REGISTRY.replace("26", "64")},
            ["recognizers[4] 'ContractRecognizer'", "global_regex_flags"],
        ),
    ],
)
def test_what_is_wrong_with_rules_is_said_with_file_rule_and_key(
    entry: str, files: dict[str, str], words: list[str], workspace: Path, book: Rulebook
) -> None:
    put(workspace, **files)
    amend(workspace / "mapkeeper.toml", f"[rules]\n{entry}")
    with pytest.raises(MapkeeperError) as refused:
        book.holding(config.load(workspace, discover.catalogue()).rules)
    said = str(refused.value)
    assert "\n" not in said
    assert [word for word in words if word not in said] == []
    assert "\\d{5}" not in said, "an expression may hold a value"
    assert "204817" not in said


def test_a_wrong_pack_of_one_client_stops_every_scan_before_it_begins(siem: Path, mapkeeper: Run) -> None:
    put(siem, staff=PACK.replace("title", "titel"))
    amend(siem / "clients" / "globex.toml", '[rules]\npacks = ["rules/staff.toml"]')
    done = mapkeeper("scan", "--workspace", siem, "--client", "initech")
    assert done.exit == 2
    assert done.err == (
        "mapkeeper: rules/staff.toml: rule globex/staff/badge: unknown key 'titel'; known are category, chance, check,"
        " context, countries, entity, everywhere, find, fit, id, identifying, match, miss, names, score, title, types,"
        " values, version\n"
    )
    assert mapkeeper("history", "--workspace", siem, "--format", "json").rows == []


# Presidio's YAML


def test_recognizers_load_as_presidio_documents_them(workspace: Path, mapkeeper: Run) -> None:
    put(workspace, mine=RECOGNIZERS)
    amend(
        workspace / "mapkeeper.toml",
        '[rules]\npresidio = ["rules/mine.yaml"]\nentities = { ZIP = "contact.postal_code", TITLE = "identity.name" }',
    )
    rows = mapkeeper("rules", "show", "provider/*", "--workspace", workspace, "--format", "json").rows
    zip, titles = rows
    assert (zip["id"], zip["title"], zip["entity"]) == (
        "provider/mine/zip-code-recognizer",
        "Zip code Recognizer",
        "ZIP",
    )
    assert (zip["category"], zip["runs"], zip["context"]) == ("contact.postal_code", "in context", ["zip", "code"])
    assert zip["find"] == [{"regex": "(?i)(\\b\\d{5}(?:\\-\\d{4})?\\b)", "score": 0.01}]
    assert titles["values"] == ["dr.", "miss", "mr.", "mrs.", "ms.", "prof."]
    assert zip["file"] == titles["file"] == "rules/mine.yaml"


def test_recognizers_find_what_presidio_finds(workspace: Path, mapkeeper: Run) -> None:
    put(workspace, mine=RECOGNIZERS)
    amend(
        workspace / "mapkeeper.toml",
        '[rules]\npresidio = ["rules/mine.yaml"]\nentities = { ZIP = "contact.postal_code", TITLE = "identity.name" }',
    )
    rows = [
        {"zip code": f"{n * 977 % 90000 + 10000}", "letter": f"dear {title} {chr(65 + n)}., order {n}"}
        for n, title in enumerate(["Mr.", "mrs.", "Dr.", "Prof."] * 10)
    ]
    write(workspace / "people.csv", rows)
    shown = mapkeeper("inspect", workspace / "people.csv", "-w", workspace, "--all", "--format", "json").rows
    assert ("letter", "provider/mine/titles-recognizer@1", 40) in {
        (row["field"], row["rule"], row["hits"]) for row in shown
    }
    (code,) = [row for row in shown if row["field"] == "zip code"]
    assert code["category"] == "contact.postal_code"
    assert code["hits"] == 40


def test_a_registry_loads_and_what_it_disables_is_off(workspace: Path, mapkeeper: Run) -> None:
    put(workspace, registry=REGISTRY)
    amend(
        workspace / "mapkeeper.toml",
        '[rules]\npresidio = ["rules/*.yaml"]\nentities = { CONTRACT = "identity.customer_id" }',
    )
    shown = mapkeeper("rules", "show", "--workspace", workspace, "--format", "json")
    rows = {row["id"]: row for row in shown.rows}
    contract = rows["provider/registry/contractrecognizer"]
    assert contract["context"] == ["contract", "contrato"]
    assert {id for id in rows if id.startswith("provider/")} == {contract["id"]}
    off = {row["entity"] for row in rows.values() if row["state"] == "off"}
    assert off == {"EMAIL_ADDRESS"}
    assert "rules/registry.yaml: rules are off for what it disables: EMAIL_ADDRESS" in shown.err
    assert "languages are not told apart" in shown.err
    write(workspace / "notes.csv", [{"ref": f"see CTR-ab{n + 1000}, a{n}@example.com"} for n in range(40)])
    seen = mapkeeper("inspect", workspace / "notes.csv", "-w", workspace, "--all", "--format", "json").rows
    rules = {(row["rule"], row["hits"]) for row in seen}
    assert ("provider/registry/contractrecognizer@1", 40) in rules
    assert not any(row["entity"] == "EMAIL_ADDRESS" for row in seen)


def test_the_configuration_of_a_whole_analyzer_is_read_for_its_recognizers(workspace: Path, mapkeeper: Run) -> None:
    text = "supported_languages: [en]\nrecognizer_registry:\n" + REGISTRY.replace("\n", "\n  ")
    put(workspace, analyzer=text)
    amend(
        workspace / "mapkeeper.toml",
        '[rules]\npresidio = ["rules/*.yaml"]\nentities = { CONTRACT = "identity.customer_id" }',
    )
    (row,) = mapkeeper("rules", "show", "provider/*", "--workspace", workspace, "--format", "json").rows
    assert row["id"] == "provider/analyzer/contractrecognizer"


def test_an_entity_that_rules_know_needs_no_category(workspace: Path, mapkeeper: Run) -> None:
    put(workspace, staff=PACK, cards=RECOGNIZERS.replace('"ZIP"', "CREDIT_CARD").replace('"TITLE"', "BADGE_NUMBER"))
    amend(workspace / "mapkeeper.toml", '[rules]\npacks = ["rules/*.toml"]\npresidio = ["rules/*.yaml"]')
    rows = mapkeeper("rules", "show", "provider/cards/*", "--workspace", workspace, "--format", "json").rows
    assert [row["category"] for row in rows] == ["financial.card", "employment.employee_id"]


def test_recognizers_of_one_name_have_ids_of_their_own(workspace: Path, mapkeeper: Run) -> None:
    put(workspace, mine=RECOGNIZERS.replace("Titles recognizer", "Zip code Recognizer"))
    amend(
        workspace / "mapkeeper.toml",
        '[rules]\npresidio = ["rules/*.yaml"]\nentities = { ZIP = "contact.postal_code", TITLE = "identity.name" }',
    )
    rows = mapkeeper("rules", "show", "provider/*", "--workspace", workspace, "--format", "json").rows
    assert [row["id"] for row in rows] == ["provider/mine/zip-code-recognizer", "provider/mine/zip-code-recognizer-2"]


# Inspect


def test_inspect_takes_files_of_rules(tmp_path: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "doors.csv", BADGES)
    (tmp_path / "staff.toml").write_text(PACK)
    (tmp_path / "cards.yml").write_text(RECOGNIZERS.replace('"ZIP"', "CREDIT_CARD").replace('"TITLE"', "CREDIT_CARD"))
    without = mapkeeper("inspect", "doors.csv", "--format", "json").rows
    assert not any(row["rule"].startswith("inspect/") for row in without)
    rows = mapkeeper("inspect", "doors.csv", "--rules", "staff.toml", "--rules", "cards.yml", "--format", "json").rows
    assert [row["rule"] for row in rows if row["field"] == "badge"] == ["inspect/staff/badge@1"]


def test_inspect_names_the_file_that_it_cannot_read(tmp_path: Path, mapkeeper: Run) -> None:
    write(tmp_path / "doors.csv", BADGES)
    done = mapkeeper("inspect", tmp_path / "doors.csv", "--rules", tmp_path / "none.toml")
    assert done.exit == 2
    assert "none.toml: cannot be read: No such file" in done.err


# Init


def test_the_commented_example_of_init_is_true(workspace: Path, mapkeeper: Run) -> None:
    main = workspace / "mapkeeper.toml"
    text = main.read_text()
    start = text.index("# [rules]")
    example = text[start : text.index("\n\n", start)]
    main.write_text(text.replace(example, "\n".join(line.removeprefix("# ") for line in example.splitlines())))
    put(workspace, staff=PACK)
    (workspace / "recognizers.yaml").write_text(REGISTRY.replace("CONTRACT", "ZIP"))
    rows = mapkeeper("rules", "show", "--workspace", workspace, "--format", "json").rows
    assert {"provider/staff/badge", "provider/recognizers/contractrecognizer"} <= {row["id"] for row in rows}
    assert json.dumps("presidio/us_bank_number") in json.dumps([row["id"] for row in rows if row["state"] == "off"])


# The page


def test_the_examples_of_the_page_are_true(workspace: Path, mapkeeper: Run) -> None:
    page = Path(__file__).parents[1].joinpath("docs", "own-rules.md").read_text()
    table, pack = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (yaml,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    put(workspace, staff=pack)
    (workspace / "recognizers.yaml").write_text(yaml)
    amend(workspace / "mapkeeper.toml", table)
    done = mapkeeper("rules", "prove", "provider/*", "--workspace", workspace)
    assert done.out == "2 rules, 1 without examples: 0 faults\n"
    rows = {row["id"]: row for row in mapkeeper("rules", "show", "-w", workspace, "--format", "json").rows}
    assert rows["provider/recognizers/zip-code-recognizer"]["runs"] == "in context"
    assert rows["standard/contact/email"]["state"] == "off"
