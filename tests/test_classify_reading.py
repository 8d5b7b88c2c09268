"""What is read of an expression is true of every match."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from mapkeeper.classify.patterns import study

EXPRESSIONS = [
    r"\b\d{9}\b",
    r"(?<!\d)\d{3}-\d{2}(?!\d)",
    r"(?i)ab+c?|x{2,3}y",
    r"(?<=no )\d+(?=[a-c])",
    r"(?<![\w-])[A-Z]{1,2} \d{1,3}(?!\w)",
    r"([:-])a(?:b\1){2}",
    r"^a\d$|b\Z",
    r"[\w.+-]+@[\w-]+(?:\.[a-z]{2,})+",
    r"[^\s@]{2,}@",
    r"a.?b",
    r"(?:(?<!a)b|c(?!d))\d",
    r"\((?P<value>\d+)\)",
    r"[[&~a-c-]+=",
    r"(?>a+)b",
    r"a++b",
    r"\p{Lu}\p{L}+",
    r"\b(?!00)\d{2}[AB]",
    r"é+|[à-ü]{2}",
    r"a{,2}b{2}",
    r"x{a}",
]
TEXTS = st.text(alphabet="abcxyABé -:0123456789.@=&~[](){}\n\tno", max_size=14).map(str.strip)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_expression_of_the_list_is_understood(expression: str) -> None:
    assert study(expression).tree is not None


@pytest.mark.parametrize("expression", [r"(?x) a b", r"(?(1)a|b)", r"\X", r"[[:alpha:]]", r"(?R)", r"\G", "a)"])
def test_what_is_not_understood_is_left_to_python(expression: str) -> None:
    learned = study(expression)

    assert learned.tree is None
    assert learned.spans
    assert (learned.needs.length, learned.needs.digits) == (0, 0)


@given(st.sampled_from(EXPRESSIONS), TEXTS)
def test_every_match_holds_what_the_expression_is_said_to_need(expression: str, text: str) -> None:
    learned = study(expression)
    for match in regex.finditer(expression, text):
        value = match.group()
        assert len(value) >= learned.needs.length
        assert sum(char.isdigit() for char in value) >= learned.needs.digits
        assert all(mark in value for mark in learned.needs.marks)


@given(st.sampled_from(EXPRESSIONS), TEXTS)
def test_an_expression_that_does_not_span_finds_the_same_in_words_as_in_the_text(expression: str, text: str) -> None:
    if study(expression).spans:
        return
    whole = [match.group() for match in regex.finditer(expression, text)]
    assert [match.group() for word in text.split() for match in regex.finditer(expression, word)] == whole


@pytest.mark.parametrize(
    ("expression", "spans"), [(r"\d{4} ?\d", True), (r"\S+@\w+", False), (r"a[^b]c", True), (r"^a", True)]
)
def test_an_expression_spans_where_white_space_can_matter(expression: str, spans: bool) -> None:
    assert study(expression).spans is spans
