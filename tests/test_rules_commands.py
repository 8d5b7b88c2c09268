"""The commands about rules: what they show of each, and what a proof finds and tells."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from calling import Run
from mapkeeper import discover

PACK = """
[[rule]]
id = "badge"
title = "Badge number"
category = "employment.employee_id"
entity = "BADGE_NUMBER"
find = '{find}'
score = {score}
match = {match}
miss = {miss}
"""

Prove = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def prove(workspace: Path, mapkeeper: Run) -> Prove:
    """Prove a rule of a client's, and hand back the exit status and the lines."""

    def proved(
        find: str = r"\bBDG-\d{6}\b", score: float = 0.8, match: str = '["BDG-204817"]', miss: str = '["BDG-2048"]'
    ) -> tuple[int, list[str]]:
        (workspace / "staff.toml").write_text(PACK.format(find=find, score=score, match=match, miss=miss))
        file = workspace / "clients" / "globex.toml"
        if "\n[rules]" not in file.read_text():
            file.write_text(f'{file.read_text()}\n[rules]\npacks = ["staff.toml"]\n')
        done = mapkeeper("rules", "prove", "globex/*", "--workspace", workspace)
        return done.exit, [*done.out.splitlines(), *done.err.splitlines()]

    return proved


# Show


def test_show_lists_every_installed_rule_and_tells_where_each_runs_and_why(mapkeeper: Run) -> None:
    rows = {row["id"]: row for row in mapkeeper("rules", "show", "--format", "json").rows}
    rules = discover.rules()
    assert set(rows) == {rule.id for rule in rules}
    for rule in rules:
        row = rows[rule.id]
        if rule.find:
            assert row["runs"] == ("in context" if rule.weak else "everywhere"), rule.id
        else:
            assert row["runs"] in ("where a name speaks", "whole values"), rule.id
        assert row["why"], rule.id
        assert row["file"].startswith("mapkeeper_classifiers/"), rule.id
        assert (row["state"], row["client"]) == ("on", None)


def test_show_takes_a_glob(mapkeeper: Run) -> None:
    wanted = [rule.id for rule in discover.rules() if rule.id.startswith("standard/contact/")]
    rows = csv.DictReader(io.StringIO(mapkeeper("rules", "show", "standard/contact/*", "--format", "csv").out))
    assert [row["id"] for row in rows] == wanted
    table = mapkeeper("rules", "show", "standard/contact/*").out.splitlines()
    assert [id for id in wanted if not any(line.startswith(f"{id} ") for line in table)] == []


@pytest.mark.parametrize("id", ["standard/contact/email", "standard/contact/email@1"])
def test_show_tells_everything_about_one_rule(id: str, mapkeeper: Run) -> None:
    (rule,) = [rule for rule in discover.rules() if rule.id == "standard/contact/email"]
    page = mapkeeper("rules", "show", id).out
    assert page.startswith("standard/contact/email@1  E-mail address\n")
    for word in (*rule.match, *rule.miss, rule.category, rule.entity, *(pattern.regex for pattern in rule.find)):
        assert word in page
    assert "everywhere: a lone match is believed to" in page
    assert f"mail domain, which {rule.chance:.2%} of random values pass" in page
    assert "mapkeeper_classifiers/packs/contact.toml" in page
    assert "classifier standard of mapkeeper" in page


def test_a_rule_that_is_not_there_is_refused_with_the_nearest(mapkeeper: Run) -> None:
    done = mapkeeper("rules", "show", "standard/contact/emial")
    assert done.exit == 2
    assert "standard/contact/emial: is no rule; did you mean 'standard/contact/email'?" in done.err


def test_show_tells_of_a_clients_rules_once_and_of_what_is_off_for_it(workspace: Path, mapkeeper: Run) -> None:
    (workspace / "staff.toml").write_text(PACK.format(find="B-[0-9]{4}", score=0.8, match='["B-1234"]', miss='["B-1"]'))
    file = workspace / "clients" / "globex.toml"
    file.write_text(f'{file.read_text()}\n[rules]\npacks = ["staff.toml"]\noff = ["standard/contact/email"]\n')
    rows = mapkeeper("rules", "show", "--workspace", workspace, "--format", "json").rows
    apart = [(row["id"], row["state"], row["client"]) for row in rows if row["client"] is not None]
    assert apart == [("globex/staff/badge", "on", "globex"), ("standard/contact/email", "off", "globex")]
    its = mapkeeper("rules", "show", "--client", "globex", "--workspace", workspace, "--format", "json").rows
    assert len(its) == len(discover.rules()) + 1
    assert [row["id"] for row in its if row["state"] == "off"] == ["standard/contact/email"]
    page = mapkeeper("rules", "show", "globex/staff/badge", "--workspace", workspace).out
    assert "your own, staff.toml" in page
    assert "on for globex" in page


def test_a_client_without_a_workspace_is_a_usage_error(
    tmp_path: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = mapkeeper("rules", "show", "--client", "globex")
    assert done.exit == 2
    assert "no workspace here" in done.err


# Prove


def test_a_sound_rule_is_proved(prove: Prove) -> None:
    assert prove() == (0, ["1 rule, 0 without examples: 0 faults"])


def test_an_example_that_fails_is_named_by_its_number_and_never_quoted(prove: Prove) -> None:
    exit, lines = prove(match='["BDG-204817", "BDG-777"]', miss='["BDG-2048", "x BDG-131313"]')
    assert exit == 1
    assert lines == [
        "globex/staff/badge: match 2 is not recognized",
        "globex/staff/badge: miss 2 is recognized",
        "1 rule, 0 without examples: 2 faults",
    ]


def test_an_expression_that_hostile_text_slows_down_is_named(prove: Prove) -> None:
    exit, lines = prove(find=r"(?:\w+\W?)+BDG-\d{6}$")
    assert exit == 1
    assert lines[0].startswith("globex/staff/badge: find 1 is slow on hostile text")


def test_a_rule_that_is_certain_of_what_others_must_miss_is_named_with_the_example(prove: Prove) -> None:
    exit, lines = prove(find=r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b", score=0.95, match='["1234-56-78"]', miss='["1234-5"]')
    assert exit == 1
    assert any("certain to be employment.employee_id" in line and " of standard/" in line for line in lines)
    assert not any("2026" in line for line in lines), "no example is quoted"


def test_an_expression_that_only_python_can_run_is_said_to_be_slower(prove: Prove) -> None:
    exit, lines = prove(find=r"\b(?(DEFINE)(?P<n>\d{6}))BDG-(?&n)\b")
    assert exit == 0
    assert "mapkeeper: globex/staff/badge: find 1: Python alone can run this, which takes longer" in lines


def test_the_miss_of_ones_own_rule_may_be_what_an_installed_rule_recognizes(prove: Prove) -> None:
    assert prove(miss='["BDG-2048", "192.0.2.77", "ada@example.org"]')[0] == 0


def test_the_installed_rules_are_proved(mapkeeper: Run) -> None:
    done = mapkeeper("rules", "prove", "standard/*")
    assert done.out.splitlines()[:-1] == []
    assert done.exit == 0
