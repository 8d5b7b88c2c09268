"""Acme's plug-ins keep mapkeeper's contract: its acceptance kit says so."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from mapkeeper_acme.loyalty import rules  # pyright: ignore[reportMissingImports]
from mapkeeper_acme.tills import Tills  # pyright: ignore[reportMissingImports]

from mapkeeper.plugin import Gap, ReadPlan, Reason, SourceError
from mapkeeper.testing import Check, Trial, accept_rules, checks, contents

CANARY = "ACME-1234-5678-8"


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    sales = [f"{n % 9}|{n % 24:02}:15|ACME-0000-{n:04}-0|{n}.50" for n in range(2_500)]
    sales[7] = f"3|12:00|{CANARY}|9.99"
    tmp_path.joinpath("monday.till").write_text("\n".join(["store|time|loyalty|total", *sales]) + "\n")
    tmp_path.joinpath("tuesday.till").write_text("store|time|loyalty|total\n")

    def change(name: str) -> None:
        with tmp_path.joinpath(name).open("a") as roll:
            roll.write("9|23:59||1.00\n")

    return Trial(
        lambda: Tills(str(tmp_path), pin="4711"),
        expect={"monday.till": 2_500, "tuesday.till": 0},
        canary=CANARY,
        target=f"acme:{tmp_path}",
        missing=lambda: Tills(str(tmp_path / "closed"), pin="4711"),
        change=change,
        vanish=lambda name: tmp_path.joinpath(name).unlink(),
        fingerprint=lambda: contents(tmp_path),
    )


@pytest.mark.parametrize("check", checks())
def test_the_connector_keeps_the_contract(check: Check, trial: Trial) -> None:
    check(trial)


def test_the_rules_prove_themselves() -> None:
    accept_rules(rules())


def test_a_torn_sale_is_one_gap(tmp_path: Path) -> None:
    tmp_path.joinpath("monday.till").write_text("store|total\n1|2.50\n1|\n7\n")
    with Tills(str(tmp_path)) as tills:
        [asset] = tills.survey()
        batch, gap = tills.read(asset, ReadPlan())
    assert gap == Gap(Reason.UNREADABLE, 1, "sales with another number of fields")
    assert not isinstance(batch, Gap)
    assert batch.data.num_rows == 2


def test_a_wrong_pin_is_denied(tmp_path: Path) -> None:
    tmp_path.joinpath("PIN.sha256").write_text(hashlib.sha256(b"4711").hexdigest())
    with pytest.raises(SourceError) as denied:
        Tills(str(tmp_path), pin="4712").open()
    assert denied.value.reason is Reason.DENIED
    assert "4712" not in str(denied.value)
