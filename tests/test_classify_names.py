"""How far the name of a field speaks for a rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapkeeper.classify.names import Vocabulary
from mapkeeper.classify.weights import Weights, Words
from mapkeeper.rules import Rule


def rule(*names: str, id: str = "t/x") -> Rule:
    return Rule(id=id, version="1", title="X", category="contact.email", entity="X", names=names)


def vocabulary(*rules: Rule) -> Vocabulary:
    return Vocabulary(rules, Words.shipped(), Weights.shipped())


def strength(name: str, *phrases: str) -> float:
    known = vocabulary(rule(*phrases))
    speech = known.speaks(known.name(name)).get(0)
    return speech.strength if speech else 0.0


@pytest.mark.parametrize(
    "name",
    [
        "email_address",
        "EmailAddress",
        "EMAIL-ADDRESS",
        "emailaddress",
        "e.mail.address",
        "EMAILADDRESS",
        "Email Addresses",
        "tbl_email_addr",
        "emailAddress1",
    ],
)
def test_a_name_speaks_however_it_is_spelled(name: str) -> None:
    assert strength(name, "email address") >= 0.9


@pytest.mark.parametrize(
    "name",
    [
        "email_count",
        "email_verified",
        "is_email",
        "EmailStatus",
        "email_id",
        "has_email",
        "emailHash",
        "num_email_sent",
    ],
)
def test_a_word_that_changes_the_meaning_silences_the_name(name: str) -> None:
    assert strength(name, "email") == 0.0


def test_a_phrase_that_a_rule_spells_out_is_not_silenced() -> None:
    assert strength("email_id", "email id") == 1.0


def test_the_whole_name_speaks_louder_than_its_end_and_its_end_than_its_middle() -> None:
    assert strength("email", "email") > strength("customer_email", "email") > strength("email_remark", "email") > 0


def test_words_that_say_nothing_do_not_weaken_a_name() -> None:
    assert strength("email_old", "email") == strength("email", "email")


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("dob", "date of birth"),
        ("fname", "first name"),
        ("cust_nm", "customer name"),
        ("tel_no", "telephone number"),
        ("usr_pwd", "user password"),
    ],
)
def test_short_forms_are_written_out(name: str, phrase: str) -> None:
    assert strength(name, phrase) == 1.0


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("dateofbirth", "date of birth"),
        ("FECHADENACIMIENTO", "fecha de nacimiento"),
        ("nomdefamille", "nom de famille"),
        ("datadinascita", "data di nascita"),
        ("Straße", "strasse"),
        ("STRAßE", "strasse"),
        ("Fødselsdato", "fodselsdato"),
    ],
)
def test_a_name_speaks_run_together_and_in_its_own_letters(name: str, phrase: str) -> None:
    assert strength(name, phrase) == 1.0


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("direcciones", "direccion"),
        ("Adressen", "adresse"),
        ("indirizzi", "indirizzo"),
        ("cognomi", "cognome"),
        ("telefones", "telefone"),
        ("naissances", "naissance"),
    ],
)
def test_a_plural_of_any_language_speaks_like_its_singular(name: str, phrase: str) -> None:
    assert strength(name, phrase) == 1.0


def test_a_copy_of_a_mail_is_no_credit_card() -> None:
    assert strength("cc_number", "credit card number") == 1.0
    assert strength("cc", "credit card") == 0.0
    assert strength("mail_cc", "credit card") == 0.0


def test_accents_do_not_matter() -> None:
    assert strength("Prénom", "prenom") == 1.0


def test_the_longest_phrase_owns_its_words() -> None:
    known = vocabulary(rule("name", id="t/name"), rule("user name", id="t/user"))

    assert set(known.speaks(known.name("user_name"))) == {1}


def test_a_vague_word_after_a_thing_does_not_speak() -> None:
    known = vocabulary(rule("name"))

    assert not known.speaks(known.name("product_name"))
    assert known.speaks(known.name("name"))[0].vague


@given(st.text(max_size=30))
def test_any_text_can_be_a_name(text: str) -> None:
    known = vocabulary(rule("email"))
    assert all(0 < speech.strength <= 1 for speech in known.speaks(known.name(text)).values())
