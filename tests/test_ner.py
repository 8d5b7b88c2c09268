"""The language model: which names it marks in running text, whatever the text."""

from __future__ import annotations

import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapkeeper.classify import ner
from mapkeeper.classify.ner import Ner, Rampart, installed
from mapkeeper.errors import PluginError

SENTENCES = {
    "en": ("The invoice was paid by Alice Johnson on Monday.", "Alice Johnson"),
    "de": ("Bitte rufen Sie Herrn Jürgen Müller zurück.", "Jürgen Müller"),
    "fr": ("Le dossier a été transmis à Camille Dubois.", "Camille Dubois"),
    "es": ("La señora Carmen López vive en Madrid.", "Carmen López"),
    "it": ("Il signor Giuseppe Rossi abita a Torino.", "Giuseppe Rossi"),
    "nl": ("De heer Pieter Jansen woont in Utrecht.", "Pieter Jansen"),
    "pt": ("O cliente João Pereira reclamou em Lisboa.", "João Pereira"),
}


@pytest.fixture(scope="module")
def model() -> Ner:
    found = installed()
    assert found is not None, "install mapkeeper[ner]"
    return found


@pytest.mark.parametrize("language", SENTENCES)
def test_a_name_is_marked_where_it_stands(model: Ner, language: str) -> None:
    text, name = SENTENCES[language]
    ((number, start, end, score),) = model.people([text])
    assert (number, text[start:end]) == (0, name)
    assert 0.5 <= score <= 1


def test_a_sentence_without_a_name_has_no_mention(model: Ner) -> None:
    assert model.people(["The invoice was paid on Monday.", "", " \n ", "1234567"]) == []


def test_mentions_come_by_text_and_place_however_they_were_run(model: Ner) -> None:
    texts = [SENTENCES["en"][0], SENTENCES["de"][0] * 30, SENTENCES["fr"][0]]
    found = model.mentions(texts)
    assert [(one.text, one.start) for one in found] == sorted((one.text, one.start) for one in found)
    alone = [(one.start, one.end, one.kind) for one in model.mentions(texts[2:])]
    assert [(one.start, one.end, one.kind) for one in found if one.text == 2] == alone


def test_a_long_text_is_read_to_its_end(model: Ner) -> None:
    filling = "The parcel was weighed and put upon the shelf again. " * 400
    text, name = f"{filling}{SENTENCES['en'][0]}", "Alice Johnson"
    assert len(text) > 10 * ner.WINDOW
    assert [text[start:end] for _, start, end, _ in model.people([text])] == [name]


def test_a_text_of_more_tokens_than_the_model_takes_is_cut(model: Ner) -> None:
    text = "한국어 문장입니다 " * 300
    assert all(0 <= one.start < one.end <= len(text) for one in model.mentions([text]))


def test_offsets_are_code_points(model: Ner) -> None:
    text = f"😀😀 {SENTENCES['en'][0]}"
    ((_, start, end, _),) = model.people([text])
    assert text[start:end] == "Alice Johnson"


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(), max_size=60), max_size=3))
def test_no_text_is_too_strange(model: Ner, texts: list[str]) -> None:
    for one in model.mentions([*texts, "\ud800 Bob \x00"]):
        assert 0 <= one.start < one.end <= len([*texts, "\ud800 Bob \x00"][one.text])


def test_the_model_is_loaded_and_run_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refused)
    loaded = installed()
    assert loaded is not None
    assert loaded.people([SENTENCES["en"][0]])


def test_without_the_extra_there_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ner, "find_spec", lambda name: None)
    assert installed() is None


def test_a_model_that_cannot_be_loaded_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Rampart) -> None:
        raise OSError("/some/where/model.onnx")

    monkeypatch.setattr(Rampart, "__init__", broken)
    with pytest.raises(PluginError, match=r"cannot be loaded \(OSError\); install mapkeeper\[ner\] again"):
        installed()


def test_a_mention_holds_no_text(model: Ner) -> None:
    assert "Alice" not in repr(model.mentions([SENTENCES["en"][0]]))
