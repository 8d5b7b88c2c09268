"""A name that identifies somebody is replaced where it does, and only there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapkeeper.classify import Engine
from mapkeeper_classifiers.standard import rules

ENGINE = Engine(rules())


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
    ],
)
def test_the_part_that_identifies_is_replaced(name: str, redacted: str) -> None:
    assert ENGINE.redact(name, token) == redacted


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
    assert ENGINE.redact(name, token) == name


@given(st.text(max_size=60))
def test_redaction_never_raises_and_changes_nothing_where_nobody_is_named(name: str) -> None:
    assert ENGINE.redact(name.replace("@", ""), lambda kind, value: value) == name.replace("@", "")
