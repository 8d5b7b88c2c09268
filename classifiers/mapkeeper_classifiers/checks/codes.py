"""Codes of clinics and devices: what their chapters, namespaces and check digits say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from mapkeeper.rules import Check
from mapkeeper_classifiers.checks.formulas import quick

# The blocks of ICD-10 (WHO, version 2019, https://icd.who.int/browse10) with the categories that ICD-10-CM and
# ICD-10-GM add: letter by letter, the first and last two digits of each run of blocks.
_ICD10 = {
    "A": "00-09 15-28 30-44 46-46 48-60 63-71 74-75 77-99", "B": "00-10 15-83 85-99", "C": "00-97",
    "D": "00-53 55-78 80-89", "E": "00-36 40-46 50-90", "F": "00-48 50-99",
    "G": "00-14 20-26 30-32 35-37 40-47 50-65 70-73 80-83 89-99", "H": "00-06 10-22 25-62 65-75 80-83 90-95",
    "I": "00-02 05-16 20-52 60-89 95-99", "J": "00-06 09-22 30-47 60-70 80-86 90-99",
    "K": "00-14 20-31 35-46 50-68 70-77 80-87 90-95", "L": "00-14 20-30 40-45 49-76 80-99",
    "M": "00-27 30-36 40-43 45-54 60-63 65-68 70-97 99-99", "N": "00-08 10-23 25-53 60-65 70-77 80-99",
    "O": "00-16 20-48 60-92 94-99", "P": "00-15 19-29 35-39 50-61 70-78 80-84 90-96",
    "Q": "00-07 10-18 20-28 30-45 50-56 60-99", "R": "00-23 25-99", "S": "00-99", "T": "00-98", "U": "00-85 99-99",
    "V": "01-99", "W": "00-99", "X": "00-99", "Y": "00-38 40-99", "Z": "00-23 25-79 80-99",
}  # fmt: skip

_CHAPTERS = {letter: tuple((int(run[:2]), int(run[3:])) for run in runs.split()) for letter, runs in _ICD10.items()}

_LETTERED = frozenset({"C4A", "C7A", "C7B", "D3A", "M1A", "O9A", "Z3A"})
"""Categories of ICD-10-CM whose third character is a letter."""


def icd10(value: str) -> bool:
    """Whether a code lies in one of the blocks of ICD-10 or of its clinical modifications."""
    head = value.strip().upper()[:3]
    if head in _LETTERED:
        return True
    number = head[1:]
    if len(number) != 2 or not number.isascii() or not number.isdigit():
        return False
    return any(first <= int(number) <= last for first, last in _CHAPTERS.get(head[0], ()))


def loinc(value: str) -> bool:
    """Whether the digit after the hyphen is the mod 10 check digit of a LOINC code (LOINC Users' Guide, appendix C)."""
    from stdnum import luhn

    return bool(re.fullmatch(r"[1-9][0-9]{0,6}-[0-9]", value)) and bool(luhn.is_valid(value.replace("-", "")))


_PARTITIONS = frozenset({"00", "01", "02", "10", "11", "12"})
"""Concept, description, relationship; short and long form."""


def snomed(value: str) -> bool:
    """Whether it is an identifier of SNOMED CT: partition, length and Verhoeff digit (SNOMED CT Release File
    Specifications, section 6)."""
    from stdnum import verhoeff

    if not re.fullmatch(r"[1-9][0-9]{5,17}", value) or value[-3:-1] not in _PARTITIONS:
        return False
    # The long form holds the seven digits of a namespace.
    return (value[-3] == "0" or len(value) > 10) and bool(verhoeff.is_valid(value))


def iccid(value: str) -> bool:
    """Whether a number of 19 or 20 digits that begins with 89 ends in its Luhn digit (ITU-T E.118)."""
    from stdnum import luhn

    digits = re.sub(r"[ -]", "", value).upper().removesuffix("F")
    return bool(re.fullmatch(r"89[0-9]{17,18}", digits)) and (
        bool(luhn.is_valid(digits)) or bool(luhn.is_valid(digits[:19]))
    )


def imsi(value: str) -> bool:
    """Whether a number of 14 or 15 digits begins with a country and network that ITU-T E.212 has given out."""
    from stdnum import imsi as number

    try:
        return bool(number.is_valid(value)) and "cc" in number.info(value)
    except ValueError:  # of a prefix that the library's list does not know
        return False


CHECKS: Mapping[str, Check] = MappingProxyType(
    {function.__name__: quick(function.__name__, function) for function in (icd10, loinc, snomed, iccid, imsi)}
)
