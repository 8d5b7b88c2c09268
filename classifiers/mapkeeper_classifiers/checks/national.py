"""Numbers that states give to people and that no library checks, each from what its authority says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from mapkeeper.rules import Check


def _digits(value: str, drops: str = " -.") -> list[int] | None:
    """The digits of a number without what may stand between them; ``None`` where it holds anything else."""
    plain = "".join(char for char in value if char not in drops)
    return [int(char) for char in plain] if plain.isascii() and plain.isdigit() else None


def _weighed(digits: list[int], weights: tuple[int, ...]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False))


def ca_ohip(value: str) -> bool:
    """Whether the ten digits of a health number of Ontario end in their check digit, whatever its version code.

    Ministry of Health of Ontario, Technical Specifications, Interface to Health Care Systems: MOD 10 (Luhn).
    """
    found = re.fullmatch(r"([\d -]+?)[ -]?(?:[A-Za-z]{1,2})?", value, re.ASCII)
    digits = _digits(found[1]) if found else None
    if digits is None or len(digits) != 10:
        return False
    return sum(d if place % 2 else sum(divmod(2 * d, 10)) for place, d in enumerate(digits)) % 10 == 0


def ca_ramq(value: str) -> bool:
    """Whether a health insurance number of Quebec holds a day of birth, the month plus 50 for women.

    Régie de l'assurance maladie du Québec: three letters of the family name, one of the first name, two digits each
    for year, month and day, and two that tell apart those whose are the same.
    """
    found = re.fullmatch(r"[A-Za-z]{4}\d\d(\d\d)(\d\d)\d\d", value.replace(" ", "").replace("-", ""), re.ASCII)
    if not found:
        return False
    month, day = int(found[1]) % 50, int(found[2])
    return (
        int(found[1]) < 63
        and 1 <= month <= 12
        and 1 <= day <= (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]
    )


def hu_tax(value: str) -> bool:
    """Whether a tax number of a person in Hungary ends in its check digit.

    Act XX of 1996, annex, III: an 8, nine digits; the tenth is the sum of each times its place, modulo 11.
    """
    digits = _digits(value)
    if digits is None or len(digits) != 10 or digits[0] != 8:
        return False
    return _weighed(digits[:9], tuple(range(1, 10))) % 11 == digits[9]


def hu_taj(value: str) -> bool:
    """Whether a social insurance number of Hungary ends in its check digit.

    Act XX of 1996, annex, II: eight digits times 3 and 7 in turn, modulo 10.
    """
    digits = _digits(value)
    return digits is not None and len(digits) == 9 and any(digits) and _weighed(digits, (3, 7) * 4) % 10 == digits[8]


def lu_matricule(value: str) -> bool:
    """Whether the identification number of a person in Luxembourg ends in its two check digits.

    Règlement grand-ducal du 21 mai 2013: the day of birth, three digits, Luhn's and Verhoeff's check of these eleven.
    """
    from stdnum import luhn, verhoeff

    digits = _digits(value)
    if digits is None or len(digits) != 13:
        return False
    text = "".join(map(str, digits))
    return bool(luhn.is_valid(text[:12]) and verhoeff.is_valid(text[:11] + text[12]))


def br_pis(value: str) -> bool:
    """Whether the number of a worker in Brazil (PIS, PASEP, NIS) ends in its check digit.

    Caixa Econômica Federal: weights 3, 2, 9 to 2, modulo 11.
    """
    digits = _digits(value)
    if digits is None or len(digits) != 11 or len(set(digits)) == 1:
        return False
    return -_weighed(digits[:10], (3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11 % 10 == digits[10]


def br_cns(value: str) -> bool:
    """Whether the fifteen digits of a health card of Brazil hold together.

    DATASUS, Cartão Nacional de Saúde: weights 15 to 1, a sum that 11 divides.
    """
    digits = _digits(value)
    if digits is None or len(digits) != 15 or digits[0] not in (1, 2, 7, 8, 9):
        return False
    return _weighed(digits, tuple(range(15, 0, -1))) % 11 == 0


def hk_id(value: str) -> bool:
    """Whether the sign in brackets is the check digit of an identity card number of Hong Kong.

    Letters count from 10, a missing first one 36; weights 9 to 1, a sum that 11 divides; A stands for 10.
    """
    found = re.fullmatch(r"([A-Z]?)([A-Z])(\d{6})\(?([\dA])\)?", value, re.ASCII)
    if not found:
        return False
    first = int(found[1], 36) if found[1] else 36
    places = [first, int(found[2], 36), *map(int, found[3]), int(found[4], 16)]
    return _weighed(places, tuple(range(9, 0, -1))) % 11 == 0


_TAIWAN = "ABCDEFGHJKLMNPQRSTUVXYWZIO"


def tw_id(value: str) -> bool:
    """Whether the number of an identity or resident card of Taiwan ends in its check digit.

    Ministry of the Interior: the letter is a county that counts from 10, weights 1, 9 to 1 and 1, modulo 10.
    """
    if not re.fullmatch(rf"[{_TAIWAN}][1289]\d{{8}}", value, re.ASCII):
        return False
    county = divmod(10 + _TAIWAN.index(value[0]), 10)
    return _weighed([*county, *map(int, value[1:])], (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)) % 10 == 0


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        function.__name__: function
        for function in (ca_ohip, ca_ramq, hu_tax, hu_taj, lu_matricule, br_pis, br_cns, hk_id, tw_id)
    }
)
