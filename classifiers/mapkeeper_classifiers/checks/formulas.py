"""Formulas: what checks of numbers compute, over matrices of digits.

Each is written from what the authority says of its number, and compared in the tests with the library that it stands
in for: python-stdnum under the name of the module, Presidio under ``presidio.`` and the entity. Where that library
also looks something up (a county, today's date), the formula can only refuse, and ``final`` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from mapkeeper.rules import Check
from mapkeeper_classifiers.checks import states
from mapkeeper_classifiers.checks.plain import SAYS
from mapkeeper_classifiers.checks.sums import Column, day_exists, luhn, mod_11_10, total, value, verhoeff
from mapkeeper_classifiers.checks.vector import FEW, Formula, Quick, Shared, Stated

if TYPE_CHECKING:
    from mapkeeper_classifiers.checks.vector import Matrix

REFUSES = (False,)
"""The library is asked for what a formula lets through."""


def _cpf(d: Matrix) -> Column:
    first = -total(d, (10, 9, 8, 7, 6, 5, 4, 3, 2), 11) % 11 % 10
    second = -(total(d, (11, 10, 9, 8, 7, 6, 5, 4, 3), 11) + 2 * first) % 11 % 10
    return (first == d[:, 9]) & (second == d[:, 10]) & d.any(axis=1)


def _german_tax(d: Matrix, most: int, one: bool) -> Column:
    """Of the first ten digits one stands twice or three times and the others once, where it is ``one``."""
    counts = [(d[:, :10] == digit).sum(axis=1) for digit in range(10)]
    repeated = sum((count > 1).astype("int64") for count in counts)
    fine = (repeated == 1) if one else repeated >= 0
    for count in counts:
        fine = fine & (count <= most)
    return fine & (d[:, 0] > 0) & mod_11_10(d)


def _egn(d: Matrix) -> Column:
    month = value(d, 2, 4)
    century = 1900 + 100 * (month > 40) - 100 * ((month > 20) & (month <= 40))
    month = month - 40 * (month > 40) - 20 * ((month > 20) & (month <= 40))
    real = day_exists(century + value(d, 0, 2), month, value(d, 4, 6))
    return real & (total(d, (2, 4, 8, 5, 10, 9, 7, 3, 6), 11) % 10 == d[:, 9])


def _baltic(d: Matrix, without_date: bool) -> Column:
    real = day_exists(1800 + (d[:, 0] - 1) // 2 * 100 + value(d, 1, 3), value(d, 3, 5), value(d, 5, 7))
    real &= (d[:, 0] > 0) & (d[:, 0] < 9)
    if without_date:
        real |= d[:, 0] == 9
    first = total(d, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1), 11)
    second = total(d, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3), 11) % 10
    return real & (d[:, 10] == first * (first < 10) + second * (first == 10))


def _cnp(d: Matrix) -> Column:
    check = total(d, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9), 11)
    return (d[:, 0] > 0) & (d[:, 12] == check - 9 * (check == 10))


def _fodselsnummer(d: Matrix) -> Column:
    first = -total(d, (3, 7, 6, 1, 8, 9, 4, 5, 2), 11) % 11
    second = -total(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11) % 11
    return (first == d[:, 9]) & (second == d[:, 10])


def _nir(d: Matrix) -> Column:
    return 97 - value(d, 0, 13) % 97 == value(d, 13, 15)


def _belgian(d: Matrix) -> Column:
    number, check = value(d, 0, 9), value(d, 9, 11)
    return (97 - number % 97 == check) | (97 - (number + 2_000_000_000) % 97 == check)


def _rodne_cislo(d: Matrix) -> Column:
    return value(d, 0, 9) % 11 % 10 == d[:, 9]


def _turkish(d: Matrix) -> Column:
    tenth = (7 * d[:, 0:9:2].sum(axis=1) - d[:, 1:8:2].sum(axis=1)) % 10
    eleventh = d[:, :10].sum(axis=1) % 10
    return (d[:, 0] > 0) & (tenth == d[:, 9]) & (eleventh == d[:, 10])


def _ssn(d: Matrix, areas: Callable[[Column], Column], never: tuple[int, ...]) -> Column:
    import numpy as np

    area, number = value(d, 0, 3), value(d, 0, 9)
    given = ~areas(area) & (value(d, 3, 5) > 0) & (value(d, 5, 9) > 0)
    return given & ~np.isin(number, never)


def _ssn_presidio(d: Matrix) -> Column:
    mixed = (d != d[:, :1]).any(axis=1)
    return mixed & _ssn(d, lambda area: (area == 0) | (area == 666), (123456789, 987654320, 78051120))


def _ssn_stdnum(d: Matrix) -> Column:
    return _ssn(d, lambda area: (area == 0) | (area == 666) | (area > 899), (78051120, 457555462, 219099999))


def _dni(d: Matrix) -> Column:
    import numpy as np

    letters = np.array([int(letter, 36) for letter in "TRWAGMYFPDXBNJZSQVHLCKE"])
    return letters[value(d, 0, d.shape[1] - 1) % 23] == d[:, -1]


def _nie(d: Matrix) -> Column:
    first = d[:, 0] - 33  # X, Y, Z count as 0, 1, 2
    known = (first >= 0) & (first < 3)
    d = d.copy()
    d[:, 0] = first * known
    return known & _dni(d)


def _last_ten(d: Matrix) -> Column:
    return luhn(d[:, -10:])


def _personnummer(d: Matrix) -> Column:
    d = d[:, -10:]
    month, day = value(d, 2, 4), value(d, 4, 6)
    day = day - 60 * (day > 60)
    return (month > 0) & (month < 13) & (day > 0) & (day < 32) & luhn(d)


def _hetu(d: Matrix) -> Column:
    import numpy as np

    signs = np.array([int(char, 36) for char in "0123456789ABCDEFHJKLMNPRSTUVWXY"])
    number = value(d, 0, 6) * 1000 + value(d, d.shape[1] - 4, d.shape[1] - 1)
    return signs[number % 31] == d[:, -1]


def _iban(d: Matrix) -> Column:
    """MOD 97-10 of ISO/IEC 7064: letters count as two digits, the first four places come last."""
    import numpy as np

    rest = np.zeros(len(d), dtype=np.int64)
    for place in (*range(4, d.shape[1]), 0, 1, 2, 3):
        rest = (rest * np.where(d[:, place] > 9, 100, 10) + d[:, place]) % 97
    return rest == 1


def _vin(d: Matrix) -> Column:
    """49 CFR 565.15: letters stand for digits, the ninth place for the remainder of 11."""
    import numpy as np

    # A to Z; I, O and Q are never written.
    worth = np.array([*range(10), *(int(digit) for digit in "12345678012345070923456789")])
    summed = total(worth[d].astype("int32"), (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2), 11)
    return np.where(summed == 10, 33, summed) == d[:, 8]


def _chinese(d: Matrix) -> Column:
    """MOD 11-2 of ISO/IEC 7064, as GB 11643 uses it."""
    check = (1 - total(d, [pow(2, 17 - place, 11) for place in range(17)], 11)) % 11
    return check + 23 * (check == 10) == d[:, 17]


def _lanr(d: Matrix) -> Column:
    return -total(d, (4, 9, 4, 9, 4, 9), 10) % 10 == d[:, 6]


def _npi(d: Matrix) -> Column:
    return luhn(d, more=24) & (d[:, 1:9] != d[:, :1]).any(axis=1)  # 80840 stands before it, unwritten


_ISSUERS = (
    ((4000, 4999), (13, 16, 19)),  # Visa
    ((5100, 5599), (16,)), ((2221, 2720), (16,)),  # Mastercard
    ((3400, 3499), (15,)), ((3700, 3799), (15,)),  # American Express
    ((3000, 3059), (14,)), ((3600, 3699), (14,)), ((3800, 3999), (14,)),  # Diners Club
    ((6011, 6011), (16,)), ((6440, 6599), (16,)),  # Discover
    ((2131, 2131), (15,)), ((1800, 1800), (15,)), ((3500, 3599), (16,)),  # JCB
    ((6200, 6299), (16, 17, 18, 19)),  # UnionPay
    *(((first, last), range(12, 20)) for first, last in (  # Maestro
        (5018, 5018), (5020, 5020), (5038, 5038), (5893, 5893), (6304, 6304), (6759, 6759), (6761, 6763),
    )),
)  # fmt: skip
"""What the first four digits lie between, and how many digits there are."""


def _card(d: Matrix) -> Column:
    import numpy as np

    first, issued = value(d, 0, 4), np.zeros(len(d), dtype=bool)
    for (least, most), lengths in _ISSUERS:
        if d.shape[1] in lengths:
            issued |= (first >= least) & (first <= most)
    return issued & (d != d[:, :1]).any(axis=1) & luhn(d)


def _dea(d: Matrix) -> Column:
    return (d[:, 0:5:2].sum(axis=1) + 2 * d[:, 1:6:2].sum(axis=1)) % 10 == d[:, 6]


def _icao(d: Matrix) -> Column:
    """ICAO Doc 9303, part 3: weights 7, 3 and 1."""
    return total(d, (7, 3, 1, 7, 3, 1, 7, 3), 10) == d[:, 8]


def _german_passport(d: Matrix) -> Column:
    import numpy as np

    return _icao(d) & ~np.isin(d[:, :8], [int(letter, 36) for letter in "ABDEIOQSU"]).any(axis=1)


def _spelled_out(d: Matrix, place: int) -> Matrix:
    """The digits with the letter at a place as two digits: its number in the alphabet."""
    import numpy as np

    letter = d[:, place] - 9
    return np.column_stack((d[:, :place], letter // 10, letter % 10, d[:, place + 1 :]))


def _crossed(d: Matrix, weights: Sequence[int]) -> Column:
    """The sum of the digits of each product."""
    products = d[:, : len(weights)] * weights
    return (products // 10 + products % 10).sum(axis=1)


def _kvnr(d: Matrix) -> Column:
    return _crossed(_spelled_out(d, 0), (1, 2) * 5) % 10 == d[:, 9]


def _german_insurance(d: Matrix) -> Column:
    day, month = value(d, 2, 4), value(d, 4, 6)
    real = (day % 50 > 0) & (day % 50 < 32) & (day < 82) & (month > 0) & (month < 13)
    return real & (_crossed(_spelled_out(d, 8), (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)) % 10 == d[:, 11])


def _ends_in(weights: Sequence[int], modulus: int, drops: str = "") -> Formula:
    """The last digit is the remainder of the weighted sum of those before, 10 becoming 0."""
    return _digits(len(weights) + 1, lambda d: total(d, weights, modulus) % 10 == d[:, len(weights)], drops)


def _digits(
    count: int, holds: Callable[[Matrix], Column], drops: str = "", final: tuple[bool, ...] = (True, False)
) -> Formula:
    return Formula("9" * count, holds, drops, final)


_BSN = (9, 8, 7, 6, 5, 4, 3, 2, -1)
_NHS = (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
_PESEL = (-1, -3, -7, -9, -1, -3, -7, -9, -1, -3)
_SSN_SHAPES = ("999-99-9999", "999999999", "99999-9999", "999-999999", "999 99 9999", "999.99.9999")
_PERSONNUMMER_SHAPES = tuple(f"{'9' * length}{sign}9999" for length in (6, 8, 7) for sign in ("-", "", "+"))

FORMULAS: Mapping[str, tuple[Formula, ...]] = MappingProxyType(
    {
        **states.FORMULAS,
        "at.vnr": (
            _digits(10, lambda d: (d[:, 0] > 0) & (total(d, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6), 11) == d[:, 3]), " "),
        ),
        "be.nn": (_digits(11, _belgian, " -.", REFUSES),),
        "be.bis": (_digits(11, _belgian, " -.", REFUSES),),
        "bg.egn": (_digits(10, _egn, " -."),),
        "br.cpf": (_digits(11, _cpf, " -."),),
        "card": tuple(_digits(length, _card, " -") for length in range(12, 20)),
        "ch.ssn": (_digits(13, lambda d: (value(d, 0, 3) == 756) & (total(d, (1, 3) * 6 + (1,), 10) == 0), " ."),),
        "cn.ric": (Formula("9" * 17 + "X", _chinese, final=REFUSES),),
        "cz.rc": (_digits(10, _rodne_cislo, " /", REFUSES),),
        "de.idnr": (_digits(11, lambda d: _german_tax(d, 3, True), " -./,"),),
        "ee.ik": (_digits(11, lambda d: _baltic(d, False), " "),),
        "es.nie": (Formula("A9999999A", _nie, " -"),),
        "fr.nir": (_digits(15, _nir, " ."),),
        "gb.nhs": (_digits(10, lambda d: total(d, _NHS, 11) == 0, " -"),),
        "gr.amka": (_digits(11, luhn, " -", REFUSES),),
        "hr.oib": (_digits(11, mod_11_10, " -"),),
        "iban": tuple(Formula(f"AA99{'X' * rest}", _iban, " -.", REFUSES) for rest in range(11, 31)),
        "il.idnr": (_digits(9, lambda d: luhn(d) & d.any(axis=1), " -"),),
        "imei": (_digits(15, luhn, " -"),),
        "jp.in_": (_ends_in((-6, -5, -4, -3, -2, -7, -6, -5, -4, -3, -2), 11, "- "),),
        "kr.rrn": (
            _digits(
                13,
                lambda d: (11 - total(d, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), 11)) % 10 == d[:, 12],
                "-",
                REFUSES,
            ),
        ),
        "lt.asmens": (_digits(11, lambda d: _baltic(d, True), " "),),
        "nl.bsn": (_digits(9, lambda d: (total(d, _BSN, 11) == 0) & d.any(axis=1), " -."),),
        "no.fodselsnummer": (_digits(11, _fodselsnummer, " -:", REFUSES),),
        "pt.nif": (
            _digits(9, lambda d: (d[:, 0] > 0) & (-total(d, (9, 8, 7, 6, 5, 4, 3, 2), 11) % 11 % 10 == d[:, 8]), " -."),
        ),
        "ro.cnp": (_digits(13, _cnp, " -", REFUSES),),
        "se.personnummer": tuple(Formula(f"{years}9999-9999", _last_ten, final=REFUSES) for years in ("99", "9999")),
        "si.emso": (
            _digits(
                13,
                lambda d: -total(d, (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11) % 11 % 10 == d[:, 12],
                " ",
                REFUSES,
            ),
        ),
        "us.ssn": tuple(Formula(shape, _ssn_stdnum) for shape in _SSN_SHAPES[:2]),
        "vin": (Formula("X" * 17, _vin, final=REFUSES),),
        "za.idnr": (_digits(13, luhn, " ", REFUSES),),
        "presidio.au_medicare": (_digits(10, lambda d: total(d, (1, 3, 7, 9, 1, 3, 7, 9), 10) == d[:, 8], "- "),),
        "presidio.au_tfn": (_digits(9, lambda d: total(d, (1, 4, 3, 7, 5, 8, 6, 9, 10), 11) == 0, "- "),),
        "presidio.ca_sin": (_digits(9, luhn, "- "),),
        "presidio.credit_card": tuple(_digits(length, luhn, "- ") for length in range(12, 20)),
        "presidio.de_lanr": (_digits(9, _lanr),),
        "presidio.de_tax_id": (_digits(11, lambda d: _german_tax(d, 3, False)),),
        "presidio.de_health_insurance": (Formula("A999999999", _kvnr),),
        "presidio.de_id_card": (Formula("T99999999", lambda d: d[:, 0] >= 0), Formula("XXXXXXXX9", _icao)),
        "presidio.de_passport": (Formula("XXXXXXXX9", _german_passport),),
        "presidio.de_social_security": (Formula("99999999A999", _german_insurance),),
        "presidio.es_nie": (Formula("A9999999A", _nie, "- "),),
        "presidio.es_nif": (Formula("99999999A", _dni, "- "), Formula("9999999A", _dni, "- ")),
        "presidio.fi_personal_identity_code": tuple(
            Formula(f"999999{sign}999X", _hetu, final=REFUSES) for sign in ("-", "A", "+")
        ),
        "presidio.iban_code": tuple(Formula(f"AA99{'X' * rest}", _iban, "- ", REFUSES) for rest in range(11, 31)),
        "presidio.in_aadhaar": (
            _digits(12, lambda d: (d[:, 0] > 1) & (d != d[:, ::-1]).any(axis=1) & verhoeff(d), "- :"),
        ),
        "presidio.medical_license": (Formula("**9999999", _dea, "- "),),
        "presidio.ng_nin": (_digits(11, verhoeff),),
        "presidio.ph_tin": tuple(
            _digits(length, lambda d: total(d, (9, 8, 7, 6, 5, 4, 3, 2), 11) == d[:, 8], "- ") for length in (9, 12)
        ),
        "presidio.pl_pesel": (_ends_in(_PESEL, 10),),
        "presidio.se_personnummer": tuple(Formula(shape, _personnummer) for shape in _PERSONNUMMER_SHAPES),
        "presidio.th_tnin": (_digits(13, lambda d: (11 - total(d, range(13, 1, -1), 11)) % 10 == d[:, 12]),),
        "presidio.tr_national_id": (_digits(11, _turkish),),
        "presidio.uk_nhs": (_digits(10, lambda d: total(d, _NHS, 11) == 0, "- "),),
        "presidio.us_npi": (_digits(10, _npi, "- "),),
        "presidio.us_ssn": tuple(Formula(shape, _ssn_presidio) for shape in _SSN_SHAPES),
        "presidio.za_id_number": (_digits(13, luhn, final=REFUSES),),
        # It takes every number that is not that of a person.
        "presidio.za_traffic_register_number": (_digits(13, lambda d: ~luhn(d), final=(True,)),),
    }
)
"""By the name of a check, its formulas for the shapes that they know."""

PARTS: Mapping[str, str] = MappingProxyType(
    {
        "bic": r"\A[A-Z]{4}([A-Z]{2})[0-9A-Z]{2}(?:[0-9A-Z]{3})?\z",
        "icd10": r"\A([A-Z][0-9A-Z]{2})",
        # What comes behind the last "@" decides, unless the text looks like part of a URL.
        "mail_domain": r"^(?:[^:]|:[^/]|:/[^/]).*@([^@]+)$",
        "presidio.email_address": r"^[0-9A-Za-z._+-]+@([0-9A-Za-z.-]+)$",
    }
)
"""By the name of a check, an expression for the texts of which only the part in its group decides."""


def quick(name: str, check: Check) -> Check:
    """The check with its twin for whole columns, where there is one."""
    few = 0 if name.startswith("presidio.") else FEW  # to ask Presidio for the first time takes a second
    if name in FORMULAS:
        return Quick(check, FORMULAS[name], few, alike=name == "presidio.iban_code")  # by each country's shape
    if name in SAYS:
        return Stated(check, SAYS[name], few)
    return Shared(check, PARTS[name]) if name in PARTS else check
