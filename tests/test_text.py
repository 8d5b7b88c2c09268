"""Personal data in running text: spans, and the command that finds them line by line."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from mapkeeper import discover
from mapkeeper.classify.ner import Mention, Ner
from mapkeeper.classify.pieces import pieces
from mapkeeper.classify.spans import PIECE, Spans
from mapkeeper.cli import app
from mapkeeper.cli import text as command


class Knows(Ner):
    """A language model that knows some words by heart."""

    name = "heart@1"

    def __init__(self, **kinds: str) -> None:
        self._kinds = {word.replace("_", " "): kind for word, kind in kinds.items()}

    def mentions(self, texts: Sequence[str]) -> list[Mention]:
        return [
            Mention(number, text.index(word), text.index(word) + len(word), kind, 0.99)
            for number, text in enumerate(texts)
            for word, kind in self._kinds.items()
            if word in text
        ]


@pytest.fixture(scope="module")
def spans() -> Spans:
    return Spans(discover.rules())


def found(spans: Spans, text: str) -> dict[str, str]:
    (some,) = spans.of([text])
    return {text[one.start : one.end]: one.category for one in some}


def modelled(text: str, **kinds: str) -> dict[str, str]:
    return found(Spans((), Knows(**kinds)), text)


# Rules


@pytest.mark.parametrize(
    ("text", "value", "category"),
    [
        ("Write to alice@example.com today", "alice@example.com", "contact.email"),
        ("the card 4539 1488 0343 6467 was declined", "4539 1488 0343 6467", "financial.card"),
        ("My IBAN is GB82 WEST 1234 5698 7654 32.", "GB82 WEST 1234 5698 7654 32", "financial.bank_account"),
        ("born on 17 May 1984 in the north", "17 May 1984", "identity.date_of_birth"),
        ("a 45-year-old man", "45", "identity.age"),
        ("passport number X12345678 was seen", "X12345678", "identity.passport"),
        ("login from 198.51.100.23 at noon", "198.51.100.23", "online.ip"),
    ],
)
def test_a_value_is_found_where_it_stands(spans: Spans, text: str, value: str, category: str) -> None:
    assert found(spans, text).get(value) == category


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The meeting of 2026-11-21 was moved to 14:30.",
        "We sold 4539148803436468 units of 123456789 parts.",
        "release 10.0.19041.1 of the driver",
        "listening on 127.0.0.1",
        "order 4111 1111 1111 1111 is the published test number",
    ],
)
def test_numbers_and_dates_that_are_nobodys_are_not_found(spans: Spans, text: str) -> None:
    assert found(spans, text) == {}


def test_digits_alone_need_a_word_near_them(spans: Spans) -> None:
    assert found(spans, "ring 020 7946 0958 if it breaks") == {}
    assert found(spans, "her phone: ring 020 7946 0958 if it breaks") == {"020 7946 0958": "contact.phone"}
    assert found(spans, "the phone is one two three four five six seven eight 020 7946 0958") == {}


def test_a_national_number_is_known_where_the_country_is() -> None:
    text = "ring 020 7946 0958 if it breaks"
    assert found(Spans((), countries=("GB",)), text) == {"020 7946 0958": "contact.phone"}
    assert found(Spans((), countries=("FR",)), text) == {}


def test_a_label_says_more_than_a_check_digit(spans: Spans) -> None:
    assert found(spans, "account number 12345678Z was closed") == {"12345678Z": "financial.bank_account"}


def test_no_two_spans_overlap_and_the_surer_one_wins(spans: Spans) -> None:
    assert found(spans, "mailto:bob.4539148803436467@example.com") == {
        "bob.4539148803436467@example.com": "contact.email"
    }


def test_a_published_number_and_its_like_are_told_apart(spans: Spans) -> None:
    assert "financial.card" in found(spans, "pay with card 4539148803436467").values()


# Labels


@pytest.mark.parametrize(
    ("text", "value", "category"),
    [
        ("Date of birth: 17/05/1984", "17/05/1984", "identity.date_of_birth"),
        ("Fecha de nacimiento: 17/05/1984\nSexo: M", "17/05/1984", "identity.date_of_birth"),
        ("Nachname: Beispiel; Vorname: Anna", "Beispiel", "identity.name"),
        ("Nachname: Beispiel; Vorname: Anna", "Anna", "identity.name"),
        ("Edad: 46 años", "46", "identity.age"),
        ("user=alice ip=198.51.100.7", "alice", "credential.username"),
        ('{"nationality": "Belgian", "n": 1}', "Belgian", "identity.nationality"),
    ],
)
def test_what_stands_behind_a_label_is_what_the_label_says(spans: Spans, text: str, value: str, category: str) -> None:
    assert found(spans, text).get(value) == category


@pytest.mark.parametrize("text", ["passport: missing", "Status: Active", "nationality: see below", "Dear all: hello"])
def test_a_label_without_a_value_says_nothing(spans: Spans, text: str) -> None:
    assert found(spans, text) == {}


def test_the_next_label_ends_a_value(spans: Spans) -> None:
    assert found(spans, "City: Springfield Phone: 202-555-0143") == {
        "Springfield": "location.coarse",
        "202-555-0143": "contact.phone",
    }


# Names


def test_a_name_from_the_language_model_is_a_span() -> None:
    assert modelled("we met Anna Beispiel there", Anna_Beispiel="person") == {"Anna Beispiel": "identity.name"}


@pytest.mark.parametrize("text", ["we met Example Ltd. there", "the Hospital Example was full", "Calle Example 4"])
def test_a_company_a_hospital_a_street_is_nobody(text: str) -> None:
    assert "identity.name" not in modelled(text, Example="person").values()


def test_small_letters_are_no_name_in_a_text_that_knows_capitals() -> None:
    assert modelled("The abdomen was soft", abdomen="person") == {}
    assert modelled("hi its bob sample here", bob_sample="person") == {"bob sample": "identity.name"}


def test_a_name_that_was_found_once_is_found_again() -> None:
    (some,) = Spans((), Knows(Anna_Beispiel="person")).of(["Anna Beispiel came. Then Anna Beispiel left."])
    assert [one.start for one in some] == [0, 25]


def test_countries_are_found_in_several_languages(spans: Spans) -> None:
    assert found(spans, "She moved from Frankreich to Italy") == {
        "Frankreich": "location.coarse",
        "Italy": "location.coarse",
    }


# Addresses


def test_the_pieces_of_an_address_are_one_span() -> None:
    text = "Send it to 12 Sample Street, Apt. 4\nSpringfield 90210\nplease"
    kinds = {"12_Sample_Street": "street", "Apt._4": "street", "Springfield": "place", "90210": "postal code"}
    assert modelled(text, **kinds) == {"12 Sample Street, Apt. 4\nSpringfield 90210": "contact.postal_address"}


def test_a_lone_number_is_no_address() -> None:
    assert modelled("it was built in 1911", **{"1911": "postal code"}) == {}
    assert modelled("she turned 35", **{"35": "street"}) == {}


# Any text


def test_spans_of_many_texts_are_those_of_each(spans: Spans) -> None:
    texts = ["a alice@example.com", "", "DOB: 17/05/1984", "b alice@example.com"]
    assert spans.of(texts) == [spans.of([text])[0] for text in texts]


def test_a_text_of_any_length_is_read_to_its_end(spans: Spans) -> None:
    text = "nothing to see here. " * (3 * PIECE // 21) + "alice@example.com"
    (some,) = spans.of([text])
    assert [text[one.start : one.end] for one in some] == ["alice@example.com"]


@given(st.text(max_size=300), st.integers(1, 50))
def test_pieces_are_the_text(text: str, most: int) -> None:
    cut = list(pieces(text, most))
    assert "".join(text[start:end] for start, end in cut) == text
    assert all(0 < end - start <= most for start, end in cut)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), max_size=80), st.sampled_from(["", "alice@example.com", "DOB: 17/05/1984", "user="]))
def test_spans_lie_in_the_text_one_after_the_other(spans: Spans, text: str, known: str) -> None:
    whole = f"{text} {known}"
    (some,) = spans.of([whole])
    edges = [edge for one in some for edge in (one.start, one.end)]
    assert edges == sorted(edges)
    assert all(0 <= one.start < one.end <= len(whole) and 0.5 <= one.confidence < 1 for one in some)


def test_a_span_holds_no_text(spans: Spans) -> None:
    assert "alice" not in repr(spans.of(["alice@example.com"]))


# The command


Answers = tuple[int, list[dict[str, Any]], str]
Run = Callable[..., Answers]


@pytest.fixture
def run(spans: Spans, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command with rules that are read once for all tests."""

    def run(given: bytes, *options: str) -> Answers:
        done = CliRunner().invoke(app, ["text", *(options or ("--no-ner",))], input=given)
        return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    monkeypatch.setattr("mapkeeper.classify.spans.Spans", lambda rules, ner: spans)
    monkeypatch.setattr(discover, "rules", list)
    return run


def test_each_line_has_its_answer_in_order(run: Run) -> None:
    lines = [{"id": n, "text": "x" * n + " alice@example.com"} for n in range(40)]
    status, answers, stderr = run("\n".join(map(json.dumps, lines)).encode())
    assert (status, stderr) == (0, "")
    assert [answer["id"] for answer in answers] == list(range(40))
    for n, answer in enumerate(answers):
        (span,) = answer["spans"]
        assert (span["start"], span["end"]) == (n + 1, n + 18)
        assert (span["entity"], span["category"]) == ("EMAIL_ADDRESS", "contact.email")
        assert 0.85 <= span["confidence"] < 1


def test_nothing_in_gives_nothing_out(run: Run) -> None:
    assert run(b"") == (0, [], "")
    assert run(b"\n\r\n \n") == (0, [], "")


def test_offsets_count_code_points(run: Run) -> None:
    _, answers, _ = run('{"id": 1, "text": "😀é alice@example.com"}'.encode())
    assert (answers[0]["spans"][0]["start"], answers[0]["spans"][0]["end"]) == (3, 20)


@pytest.mark.parametrize("id", ["a", 7, -1.5, None, True, [1, {"b": "c"}], {"a": None}, 10**30, "\ud800", "é"])
def test_an_id_comes_back_as_it_was(run: Run, id: Any) -> None:
    assert run(json.dumps({"id": id, "text": ""}).encode())[:2] == (0, [{"id": id, "spans": []}])


@pytest.mark.parametrize(
    "line",
    [
        b'\xef\xbb\xbf{"id": 1, "text": "alice@example.com"}',
        b'{"id": 1, "text": "alice@example.com"}\r\n',
        b'{"id": 1, "text": "no", "text": "alice@example.com"}',
        b'{"id": 1, "text": "alice@example.com\\u0000"}',
        b'{"id": 1, "text": "alice@example.com \\ud800"}',
        b' {"more": [], "text": "alice@example.com", "id": 1} \n\n',
    ],
    ids=["bom", "crlf", "twice", "nul", "surrogate", "spaces"],
)
def test_unusual_lines_are_read(run: Run, line: bytes) -> None:
    status, answers, _ = run(line)
    assert (status, [answer["id"] for answer in answers]) == (0, [1])
    assert answers[0]["spans"][0]["category"] == "contact.email"


@pytest.mark.parametrize(
    "line",
    [
        b"canary",
        b'["canary"]',
        b'"canary"',
        b'{"id": 1, "text": ["canary"]}',
        b'{"id": 1, "canary": 1}',
        b'{"text": "canary"}',
        b'{"id": NaN, "text": "canary"}',
        b'{"id": 1e999, "text": "canary"}',
        b'{"id": 1, "text": "canary"',
        b'{"id": 1, "text": "canary \xff"}',
        b'{"id": ' + b"9" * 5000 + b', "text": "canary"}',
        b"[" * 100_000,
    ],
)
def test_a_bad_line_is_an_error_in_its_place_that_quotes_nothing(run: Run, line: bytes) -> None:
    status, answers, stderr = run(b'{"id": 1, "text": ""}\n' + line + b'\n{"id": 3, "text": ""}')
    assert status == 1
    assert [answer["id"] for answer in answers] == [1, None, 3]
    assert answers[1]["error"].startswith("line 2 ")
    assert "canary" not in json.dumps(answers) + stderr


def test_a_line_that_is_too_long_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "LONGEST", 1000)
    stream = io.BytesIO(b'{"id": 1, "text": ""}\n' + b"x" * 5_000_000 + b'\n{"id": 3, "text": ""}')
    lines = [line for some in command.arriving(stream) for line in some]
    assert lines == [b'{"id": 1, "text": ""}', None, b'{"id": 3, "text": ""}']


def test_a_huge_line_is_answered(run: Run) -> None:
    text = "0" * 200_000 + " alice@example.com"
    status, answers, _ = run(json.dumps({"id": 1, "text": text}).encode())
    assert (status, len(answers[0]["spans"]), answers[0]["spans"][0]["end"]) == (0, 1, len(text))


@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=6), st.integers(1, 9))
def test_lines_are_those_of_the_stream_however_it_arrives(lines: list[bytes], block: int) -> None:
    class Slow(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            return super().read(block)

    stream = b"\n".join(lines)
    got = [line for some in command.arriving(Slow(stream)) for line in some]
    assert got == (stream.removesuffix(b"\n").split(b"\n") if stream else [])


def test_without_a_language_model_it_works_and_says_so_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapkeeper.classify.ner.installed", lambda: None)
    given = b'{"id": 1, "text": "alice@example.com"}\n' * 2
    _, answers, stderr = run(given, "--debug")
    assert [len(answer["spans"]) for answer in answers] == [1, 1]
    assert stderr.count("\n") == 1
    assert "no language model" in stderr
    assert "mapkeeper[ner]" in stderr


def test_no_socket_is_opened(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refused)
    assert run(b'{"id": 1, "text": "ring +44 20 7946 0958, alice@example.co.uk"}')[0] == 0


def test_rules_and_language_model_are_those_that_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "rules", list)
    monkeypatch.setattr("mapkeeper.classify.ner.installed", lambda: Knows(Anna_Beispiel="person"))
    done = CliRunner().invoke(app, ["text"], input='{"id": 1, "text": "we met Anna Beispiel"}')
    (span,) = json.loads(done.stdout)["spans"]
    assert (span["start"], span["end"], span["category"], done.stderr) == (7, 20, "identity.name", "")


@pytest.fixture
def pipe() -> Iterator[subprocess.Popen[bytes]]:
    arguments = [sys.executable, "-m", "mapkeeper", "text", "--no-ner"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_line_is_answered_before_the_next_one_is_written(pipe: subprocess.Popen[bytes]) -> None:
    assert pipe.stdin is not None
    assert pipe.stdout is not None
    for number in range(3):
        pipe.stdin.write(json.dumps({"id": number, "text": "alice@example.com"}).encode() + b"\n")
        pipe.stdin.flush()
        assert json.loads(pipe.stdout.readline())["id"] == number
    pipe.stdin.close()
    assert (pipe.stdout.read(), pipe.wait()) == (b"", 0)
