"""A confidence is the share of findings of that confidence that are right, on generated tables and logs."""

from __future__ import annotations

import pytest

from benchmarks.calibration import judged, measured
from mapkeeper import discover
from mapkeeper.classify import Engine
from mapkeeper.model import CERTAIN_FROM, LIKELY_FROM

TABLES = 90


@pytest.fixture(scope="module")
def found() -> list[tuple[float, bool]]:
    findings = judged(Engine(discover.rules()), 4, TABLES, most_rows=200)
    return [(finding.confidence, right) for finding, right, _ in findings]


def test_of_a_hundred_certain_findings_at_least_97_are_right(found: list[tuple[float, bool]]) -> None:
    certain = [right for confidence, right in found if confidence >= CERTAIN_FROM]

    assert len(certain) >= TABLES
    assert sum(certain) / len(certain) >= 0.97


def test_likely_findings_are_more_often_right_than_not_and_less_often_than_certain_ones(
    found: list[tuple[float, bool]],
) -> None:
    likely = [right for confidence, right in found if LIKELY_FROM <= confidence < CERTAIN_FROM]

    assert 0.5 <= sum(likely) / len(likely) < 0.97


def test_a_band_says_how_many_findings_it_has_and_how_many_are_right() -> None:
    rows = measured([(0.6, True), (0.6, False), (0.4, True), (0.9, True), (0.99, True)])

    assert rows == [("0.5 to 0.7", 2, 0.6, 0.5), ("0.85 to 0.95", 1, 0.9, 1.0), ("0.95 to 1.0", 1, 0.99, 1.0)]
