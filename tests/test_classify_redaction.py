"""A name that identifies somebody is replaced where it does, and only there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipped import engine


def token(kind: str, value: str) -> str:
    return f"{{{kind}:{len(value)}}}"


@pytest.mark.parametrize(
    ("name", "redacted"),
    [
        ("exports/jane.doe@globex.com/2026.csv", "exports/{email:19}/2026.csv"),
        ("mail/jane.doe@globex.com.jsonl.gz", "mail/{email:19}.jsonl.gz"),
        ("mail?to=jane.doe@globex.com&x=1", "mail?to={email:19}&x=1"),
        ("hosts/203.0.113.9/auth.log", "hosts/{ip:11}/auth.log"),
        ("calls/+12025550143.wav", "calls/{phone:12}.wav"),
        ("calls/+1 202 555 0143 late.wav", "calls/{phone:15} late.wav"),
        ("iban_GB82WEST12345698765432.pdf", "iban_{bank_account:22}.pdf"),
        ("peers.203.0.113.9.203.0.113.77.bytes", "peers.{ip:11}.{ip:12}.bytes"),
        ("jane.doe@globex.com.john@globex.com.bytes", "{email:19}.{email:15}.bytes"),
        ("call (202) 555-0143.wav", "call {phone:14}.wav"),
        ("tel_0911 12 34 56", "tel_{phone:13}"),
        ("key-ghp_x7Kq2Lm9Zr4Tt8Vw1Yb3Nc6Pd5Fg0Hj4Sa2B.txt", "key-{secret:40}.txt"),
    ],
)
def test_the_part_that_identifies_is_replaced(name: str, redacted: str) -> None:
    assert engine().redact(name, token) == redacted


@pytest.mark.parametrize(
    "name",
    [
        "orders_2026-01-01.csv",
        "20260101",
        "v1.2.3.4/notes.txt",
        "backup-20260101T101500Z.tar.gz",
        "part-00001-of-00010.parquet",
        "public.customers",
        "logs/2026/11/22/app.log.17",
        "order_1234567890",
        "metrics_1700000000.json",
        "Sheet1",
        "first_name",
        "a/b/c",
        "",
        "report (3).pdf",
        "img_1700000000123.jpg",
        "lib-1.10.0.so",
        "sd.conn@32473.src",
    ],
)
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert engine().redact(name, token) == name


@pytest.mark.parametrize(
    ("name", "redacted"),
    [
        ("mail/jane.doe%40globex.com.json", "mail/{email:19}.json"),
        ("mail/jane%2Edoe%2540globex.com", "mail/{email:19}"),
        ("inbox%2Fjane.doe%40globex.com", "inbox%2F{email:19}"),
        ("call_%2B1%20202%20555%200143.wav", "call_{phone:15}.wav"),
        ("jane.doe\uff20globex.com", "{email:19}"),
        ("jane\xad.doe@globex.com", "{email:19}"),
        ("\uff0b\uff11202\uff15\uff15\uff150143", "{phone:12}"),
        ("GB82_WEST_1234_5698_7654_32.pdf", "{bank_account:27}.pdf"),
        ("+1_202_555_0143.wav", "{phone:15}.wav"),
        ("gb82west12345698765432.pdf", "{bank_account:22}.pdf"),
        ("192.0.2.7@globex.com", "{email:20}"),
        ("+12025550143@globex.com", "{email:23}"),
    ],
)
def test_another_spelling_hides_nobody(name: str, redacted: str) -> None:
    """Percent-encoded, in full width, with invisible characters, glued by underscores, in small letters."""
    assert engine().redact(name, token) == redacted


def test_two_spellings_of_one_address_have_one_token() -> None:
    names = ("jane.doe@globex.com", "jane.doe%40globex.com", "jane.doe\uff20globex.com")
    assert {engine().redact(name, lambda kind, value: f"{kind} {value}") for name in names} == {
        "email jane.doe@globex.com"
    }


@pytest.mark.parametrize("part", ["1.1.1.1.", "a1@b.", "+1 2", "%401", "::1:"])
def test_a_name_made_to_stall_is_hidden_whole(part: str) -> None:
    name = f"inbox/{part * 1000}/x.csv"
    redacted = engine().redact(name, token)
    assert redacted == f"inbox/{{name:{len(part) * 1000}}}/x.csv"


@given(st.text(max_size=60))
def test_redaction_never_raises_and_changes_nothing_where_nobody_is_named(name: str) -> None:
    assert engine().redact(name.replace("@", ""), lambda kind, value: value) == name.replace("@", "")
