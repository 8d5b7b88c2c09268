"""The machine finds what Python's regex finds, place by place."""

import numpy as np
import polars as pl
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from mapkeeper.classify.assembling import assembled
from mapkeeper.classify.jobs import Jobs, Texts
from mapkeeper.classify.machine import matches
from mapkeeper.classify.passage import Passage
from mapkeeper.classify.program import program

Place = tuple[int, int, int]

EXPRESSIONS = [
    r"\b\d{9}\b", r"(?<!\d)\d{3}-\d{2}(?!\d)", r"(?i)ab+c?|x{2,3}y", r"(?<=no )\d+(?=[a-c])", r"([:-])a(?:b\1){2}",
    r"^a\d$|b\Z", r"[\w.+-]+@[\w-]+(?:\.[a-z]{2,})+", r"[^\s@]{2,}@", r"a.?b", r"(?:(?<!a)b|c(?!d))\d",
    r"\((?P<value>\d+)\)", r"[[&~a-c-]+=", r"(?>a+)b", r"a++b", r"a+?b|a*?c", r"\p{Lu}\p{L}+", r"\b(?!00)\d{2}[AB]",
    r"é+|[à-ü]{2}", r"a{,2}b{2}", r"x{a}", r"(?m)^[a-c]+$", r"(?s)a.b", r"(?i)[^k]s", r"(?i)straße|i[\u0131i]",
    r"\D\W\S",
    r"(?<=\bno\s*:?)\d+", r"(?<=(?:a|bb|c{1,3})-)x", r"(?<!a.{0,2})b", r"(?i)(a|b)x\1", r"(?:ab|a)(?:bc|c)?",
    r"(?:a|ab|abc|b|ba)c", r"(?i)(?:no|yes|x1|xy|x|1[0-2]|1)\b", r"(?:a(?:b(?:c)?)?){1,3}x?", r"(?:ab?)*?b",
    r"(?:a|b)++c",
    r"\B-\B", r"(?=a)\w+|(?=.*b)x", r"(?!.*b)[ax]+", r"(?i)(?P<value>\p{Ll}+)-", r"\d{2,4}?-", r"(\w)\1", r"[^a]+$",
]  # fmt: skip
LETTERS = "abcxyABé -:0123456789.@=&~[](){}\n\tnosSkKi\u0131\u0130\u017f\u212aéÉßñ中😀१\U00020000\u00a0"
TEXTS = st.lists(st.text(alphabet=LETTERS, max_size=14), max_size=6)


def places(expression: str, texts: list[str]) -> list[Place]:
    """What the machine finds, in characters."""
    compiled = program(expression)
    assert compiled is not None
    passage = Passage(pl.Series("text", texts, dtype=pl.String))
    count = len(texts)
    flags = np.zeros(count, bool)
    starts, stops = passage.offsets[:-1], passage.offsets[1:]
    jobs = Jobs(np.zeros(count, np.int32), np.arange(count, dtype=np.int32), starts.copy(), stops - 1)
    found = matches(assembled([compiled]), Texts(passage.data, passage.offsets, flags, flags), jobs)
    data = passage.data.tobytes()

    def chars(text: int, at: int) -> int:
        return len(data[passage.offsets[text] : at].decode())

    assert (found.program == 0).all()
    columns = found.text.tolist(), found.start.tolist(), found.stop.tolist()
    return [(text, chars(text, start), chars(text, stop)) for text, start, stop in zip(*columns, strict=True)]


def wanted(expression: str, texts: list[str]) -> list[Place]:
    """What Python finds."""
    compiled = regex.compile(expression)
    group = compiled.groupindex.get("value", 0)
    found = [(number, *match.span(group)) for number, text in enumerate(texts) for match in compiled.finditer(text)]
    return [(number, start, stop) for number, start, stop in found if start < stop]


@settings(max_examples=600)
@given(st.sampled_from(EXPRESSIONS), TEXTS)
def test_the_machine_finds_what_python_finds(expression: str, texts: list[str]) -> None:
    assert places(expression, texts) == wanted(expression, texts)


ATOMS = st.sampled_from(
    ["a", "b", "1", "-", "é", "[ab]", "[^a]", r"\d", r"\w", r"\s", ".", r"\b", "^", "$", "(?<=a)", "(?!b)"]
)
REPEATS = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{1,3}", "??", "*?", "+?", "++"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    row = st.lists(inner, min_size=1, max_size=3).map("".join)
    choice = st.lists(row, min_size=1, max_size=5).map("|".join)
    around = st.sampled_from(["(?:{})", "({})", "(?={})", "(?!{})", "(?<={})", "(?<!{})", "(?>{})", "(?i:{})"])
    return st.builds(
        lambda around, body, repeat: around.format(body) + (repeat if "=" not in around and "!" not in around else ""),
        around,
        choice,
        REPEATS,
    )


ANY = st.recursive(
    st.builds(lambda atom, repeat: atom + (repeat if atom[-1:] not in "^$)b" else ""), ATOMS, REPEATS),
    _grown,
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(ANY, min_size=1, max_size=3).map("".join), st.lists(st.text(alphabet="abAB1- é\n", max_size=8), max_size=4)
)
def test_the_machine_finds_what_python_finds_with_any_expression(expression: str, texts: list[str]) -> None:
    if program(expression) is None:
        return
    assert places(expression, texts) == wanted(expression, texts)


def test_what_would_take_too_long_is_given_up_and_told() -> None:
    expression = r"(?:a|aa)+(?:a|aa)+(?:a|aa)+b"
    compiled = program(expression)
    assert compiled is not None
    passage = Passage(pl.Series("text", ["a" * 200, "aab"]))
    flags = np.zeros(2, bool)
    jobs = Jobs(
        np.zeros(2, np.int32), np.arange(2, dtype=np.int32), passage.offsets[:-1].copy(), passage.offsets[1:] - 1
    )
    found = matches(assembled([compiled]), Texts(passage.data, passage.offsets, flags, flags), jobs)

    assert list(zip(found.program.tolist(), found.text.tolist(), strict=True)) == [(-1, 0)]


@pytest.mark.parametrize("expression", [r"(?<=(a)b)\1", r"(?>(a)b)\1", r"(?:a*)*b", r"a?", r"\X"])
def test_what_the_machine_has_no_word_for_is_left_to_python(expression: str) -> None:
    assert program(expression) is None
