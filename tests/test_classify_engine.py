"""The engine finds what the rules say, whatever the types and however the rows are cut."""

import dataclasses
import datetime as dt
import itertools
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pytest
import regex
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mapkeeper.classify import Classification, Engine, Judgement
from mapkeeper.classify.program import program
from mapkeeper.classify.ruleset import Ruleset
from mapkeeper.classify.weights import Weights, Words
from mapkeeper.model import Finding
from mapkeeper.plugin import Batch
from mapkeeper.rules import Pattern, Rule, recognizes
from mapkeeper_classifiers.standard import rules

RULES = tuple(rules())
ENGINE = Engine(RULES)
SHOWING_ALL = Weights(regex.sub(r"(?m)^floor = .*", "floor = 0.0", Weights.shipped().text))
"""Weights by which nothing that was counted is too little to say."""

EXAMPLES = [text for rule in RULES for text in (*rule.match, *rule.miss) if text.strip()]


def classify(
    engine: Engine, columns: Mapping[str, object], asset: str = "things", cut: Sequence[int] = (), reveal: int = 0
) -> Judgement:
    data = pa.RecordBatch.from_pydict(dict(columns))
    run = engine.start(asset, reveal=reveal)
    edges = sorted({0, *(edge for edge in cut if edge < data.num_rows), data.num_rows})
    for start, end in itertools.pairwise(edges):
        run.add(Batch(data.slice(start, end - start), first=start + 1))
    if not data.num_rows:
        run.add(Batch(data, first=1))
    return run.finish()


def only(judgement: Judgement, category: str) -> Finding:
    (found,) = (finding for finding in judgement.findings if finding.category == category)
    return found


def lone(**keys: object) -> Rule:
    given = {
        "id": "t/code",
        "version": "1",
        "title": "Code",
        "category": "contact.email",
        "entity": "CODE",
        "find": (Pattern(r"\bQ\d{4}\b", 0.9),),
    }
    return Rule(**{**given, **keys})  # type: ignore[arg-type]


def test_counts_positions_and_samples_are_those_of_the_cells() -> None:
    found = only(
        classify(Engine([lone()]), {"a": ["Q1234", None, "", " x ", "Q9999 or Q1234", "Q1234"]}), "contact.email"
    )

    assert (found.rows, found.filled, found.hits, found.distinct) == (6, 4, 3, 2)
    assert (found.valid, found.chance) == (None, None)
    assert found.where == ("row 1", "row 5")
    assert found.rule == "t/code@1"


def test_a_check_separates_hits_from_valid_ones() -> None:
    rule = lone(check=lambda value: value == "Q1234", check_name="is 1234", chance=0.0001)
    found = only(classify(Engine([rule]), {"a": ["Q1234", "Q2222", "Q1234", "none"]}), "contact.email")

    assert (found.hits, found.valid, found.chance, found.distinct) == (3, 2, 0.0001, 1)


def test_a_check_that_raises_has_not_held() -> None:
    def check(value: str) -> bool:
        raise ValueError(value)

    assert not classify(Engine([lone(check=check)]), {"a": ["Q1234"]}).findings


def test_a_group_named_value_is_the_value() -> None:
    rule = lone(find=(Pattern(r"code=(?P<value>\d+)", 0.9),))
    judged = classify(Engine([rule]), {"a": ["code=123456 x", "code=77", "code=123456"]}, reveal=9)

    assert judged.values["a", "contact.email"] == ("123456", "77")


def test_a_list_is_a_cell_with_several_values() -> None:
    found = only(
        classify(Engine([lone()]), {"a": [["Q1111", "Q2222"], ["x"], [], None, ["x", "Q1111"]]}), "contact.email"
    )

    assert (found.rows, found.filled, found.hits, found.distinct) == (5, 3, 2, 2)


def test_a_weak_rule_only_looks_where_a_word_speaks_for_it() -> None:
    engine = Engine([lone(find=(Pattern(r"\bQ\d{4}\b", 0.2),), context=("ticket",))])
    texts = ["the ticket is Q1234", "the screw is Q5678", "no number"]

    assert not classify(engine, {"a": ["Q1234", "Q5678"]}).findings
    assert only(classify(engine, {"a": texts}, reveal=5), "contact.email").hits == 1
    assert only(classify(engine, {"ticket": ["Q1234", "Q5678"]}), "contact.email").hits == 2
    assert only(classify(engine, {"a": ["Q1234", "Q5678", "Q9012"]}, asset="tickets"), "contact.email").hits == 3


def test_fit_counts_only_where_the_name_speaks() -> None:
    engine = Engine([lone(find=(), fit=r"\w+", names=("login",))])

    assert not classify(engine, {"a": ["one", "two"]}).findings
    assert only(classify(engine, {"login": ["one", "two", "th ree"]}), "contact.email").hits == 2


def test_numbers_and_days_are_looked_at_as_they_are_written() -> None:
    born = lone(find=(), fit=r"\d{4}-\d\d-\d\d", names=("born",), types=frozenset({"date"}))
    digits = lone(
        id="t/n", find=(), fit=r"\d{7}", names=("serial",), types=frozenset({"integer"}), category="online.mac"
    )
    judged = classify(
        Engine([born, digits]),
        {"born": [dt.date(1970, 1, 1), dt.date(1999, 12, 31)], "serial": pa.array([1234567.0, 7654321.0])},
    )

    assert {finding.category: finding.hits for finding in judged.findings} == {"contact.email": 2, "online.mac": 2}


def test_positions_name_the_member_of_a_family() -> None:
    run = Engine([lone()]).start("logs")
    for member, texts in (("a.log", ["x", "Q1234"]), ("b.log", ["Q2345", "y"])):
        run.add(Batch(pa.record_batch({"text": texts}), unit="line", first=1, member=member))
    run.add(Batch(pa.record_batch({"text": ["Q3456"]}), unit="line", first=1, positions=[40]))
    run.add(Batch(pa.record_batch({"text": ["y", "Q5678"]}), method="random rows", random=True, positions=[7, 3]))
    run.add(Batch(pa.record_batch({"text": ["Q4567"]})))
    (found,) = run.finish().findings

    assert found.where == ("line 2 of a.log", "line 1 of b.log", "line 40", "row 3")


def test_values_are_revealed_only_as_far_as_asked() -> None:
    texts = {"a": [f"Q{number}" for number in range(1000, 1100)]}

    assert not classify(Engine([lone()]), texts).values
    assert classify(Engine([lone()]), texts, reveal=3).values == {("a", "contact.email"): ("Q1000", "Q1001", "Q1002")}


def test_special_categories_and_credentials_have_no_sample() -> None:
    for category in ("credential.password", "health.record"):
        assert (
            only(
                classify(Engine([lone(category=category, find=(Pattern(r"Q\d{8}", 0.9),))]), {"a": ["Q12345678"]}),
                category,
            ).sample
            == ()
        )
    assert only(
        classify(Engine([lone(find=(Pattern(r"Q\d{8}", 0.9),))]), {"a": ["Q12345678"]}), "contact.email"
    ).sample == ("Q***",)


def test_the_fingerprint_changes_with_a_rule_and_not_with_their_order() -> None:
    one, two = lone(), lone(id="t/other")
    prints = {
        Engine(rules).fingerprint
        for rules in ([one], [one, two], [two, one], [lone(version="2")], [lone(fit="x")], [lone(names=("a",))])
    }

    assert len(prints) == 5
    assert Engine([one, two]).fingerprint == Engine([two, one]).fingerprint


def test_no_value_is_in_a_repr_or_an_error() -> None:
    canary = "Canary@Cage.example"
    run = ENGINE.start("birds", reveal=5)
    run.add(Batch(pa.record_batch({"email": [canary], "note": [f"call {canary}"]})))
    shown = [repr(ENGINE), repr(run)]
    judged = run.finish()
    shown += [
        repr(judged),
        repr(run),
        *(repr(vars(finding)) if hasattr(finding, "__dict__") else repr(finding) for finding in judged.findings),
    ]

    assert any(canary in values for values in judged.values.values())
    assert not any("canary" in text.casefold() for text in shown)


def test_a_hostile_text_is_given_up_after_a_while() -> None:
    slow = lone(find=(Pattern(r"(?=(?:a|aa|b)+!)(?P<value>\w+)", 0.9),))

    assert not classify(Engine([slow]), {"x": ["ab" * 30_000]}).findings


COLUMN = st.sampled_from(
    [
        (pa.string(), st.text(max_size=12) | st.sampled_from(EXAMPLES)),
        (pa.large_string(), st.text(max_size=8)),
        (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["a", "b@c.com", "", " "])),
        (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
        (pa.uint64(), st.integers(0, 2**64 - 1)),
        (pa.float64(), st.floats()),
        (pa.decimal128(20, 3), st.decimals(-1000, 1000, places=3)),
        (pa.bool_(), st.booleans()),
        (pa.date32(), st.dates()),
        (pa.timestamp("ns", "UTC"), st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))),
        (pa.time64("us"), st.times()),
        (pa.duration("s"), st.integers(0, 10**9)),
        (pa.binary(), st.binary(max_size=6)),
        (pa.null(), st.none()),
        (pa.list_(pa.string()), st.lists(st.sampled_from(EXAMPLES) | st.none(), max_size=3)),
        (pa.list_(pa.list_(pa.int32())), st.lists(st.lists(st.integers(0, 9), max_size=2), max_size=2)),
        (pa.struct([("x", pa.int8())]), st.fixed_dictionaries({"x": st.integers(0, 9)})),
        (
            pa.map_(pa.string(), pa.int8()),
            st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=2).map(lambda m: list(m.items())),
        ),
    ]
)
NAMES = st.sampled_from(
    ["email", "name", "text", "phone", "date of birth", "x", "", "id", "card number", "photo", "ip", "Notes", "gender"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_column_of_any_type_is_counted_and_never_raises(data: st.DataObject) -> None:
    rows = data.draw(st.integers(0, 12))
    arrays, names = [], []
    for _ in range(data.draw(st.integers(1, 3))):
        type, values = data.draw(COLUMN)
        arrays.append(pa.array(data.draw(st.lists(values | st.none(), min_size=rows, max_size=rows)), type))
        names.append(data.draw(NAMES))
    run = ENGINE.start(data.draw(st.sampled_from(["customers", "x", "access.log", ""])))
    run.add(Batch(pa.RecordBatch.from_arrays(arrays, names=names)))
    judged = run.finish()

    assert [field.name for field in judged.fields] == list(dict.fromkeys(names))
    for finding in judged.findings:
        assert 0 <= finding.hits <= finding.filled <= finding.rows == rows
        assert finding.valid is None or 0 <= finding.valid <= finding.hits
        assert 0 < finding.confidence < 1


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(EXAMPLES) | st.text(max_size=10) | st.none(), max_size=25),
    st.lists(st.integers(0, 25), max_size=4),
    NAMES,
)
def test_the_cut_of_the_batches_does_not_matter(cells: list[str | None], cut: list[int], name: str) -> None:
    columns: Mapping[str, object] = {
        name or "x": pa.array(cells, pa.string()),
        "n": pa.array(range(len(cells)), pa.int64()),
    }

    assert classify(ENGINE, columns, "customers", cut) == classify(ENGINE, columns, "customers")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(RULES), st.data())
def test_the_engine_recognizes_in_a_cell_what_the_rule_recognizes(rule: Rule, data: st.DataObject) -> None:
    pieces = st.sampled_from(EXAMPLES) | st.sampled_from([*rule.match, *rule.miss]) | st.text(max_size=4)
    cell = "".join(data.draw(st.lists(pieces, min_size=1, max_size=3))).strip()
    assume(cell.lower() not in Words.shipped().idle)  # such a cell holds no value
    name = rule.names[0] if rule.names else "t"
    asked = dataclasses.replace(rule, names=(name,), types=frozenset({"text"}))
    ruleset = Ruleset([asked], Words.shipped(), SHOWING_ALL)
    # Enough cells that Rust is asked too, and one that is not to be found among them.
    filler = [f"{number} ~ {'x' * 40}" for number in range(data.draw(st.sampled_from([0, 500])))]
    wanted = sum(recognizes(rule, text) for text in (cell, *filler) if text)
    run = Classification(ruleset, "t", (), reveal=1)
    run.add(Batch(pa.record_batch({name: [cell, *filler]})))
    findings = run.finish().findings

    assert sum(finding.hits if finding.valid is None else finding.valid for finding in findings) == wanted
    assert all(finding.hits <= len(filler) + 1 for finding in findings)


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_every_expression_of_the_standard_rules_runs_on_the_machine(rule: Rule) -> None:
    for expression in (*(pattern.regex for pattern in rule.find), *filter(None, [rule.fit])):
        assert program(expression) is not None
