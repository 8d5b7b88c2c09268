"""States: formulas for the numbers that states give to people, and their banks to accounts, over matrices of digits.

Each is written from what the authority says of its number, as the check in python-stdnum or in ``national`` is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from mapkeeper_classifiers.checks.sums import Column, day_exists, luhn, total, value, verhoeff
from mapkeeper_classifiers.checks.vector import Formula

if TYPE_CHECKING:
    from mapkeeper_classifiers.checks.vector import Matrix

REFUSES = (False,)
"""The library is asked for what a formula lets through."""


def _isin(column: Column, values: Sequence[int]) -> Column:
    import numpy as np

    return np.isin(column, values)


def _last(d: Matrix, check: Column) -> Column:
    return check == d[:, -1]


def _told(check: Column, signs: str) -> Column:
    """The digit or letter that stands for each remainder."""
    import numpy as np

    return np.array([int(sign, 36) for sign in signs])[check]


def _cbu(d: Matrix) -> Column:
    branch = -total(d, (7, 1, 3, 9, 7, 1, 3), 10) % 10
    account = -total(d[:, 8:], (3, 9, 7, 1) * 3 + (3,), 10) % 10
    return (branch == d[:, 7]) & _last(d, account)


def _cuit(d: Matrix) -> Column:
    kind = _isin(value(d, 0, 2), (20, 23, 24, 27, 30, 33, 34, 50, 51, 55))
    return kind & _last(d, _told(total(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11), "09987654321"))


def _belgian_card(d: Matrix) -> Column:
    rest = value(d, 0, 10) % 97
    return rest + 97 * (rest == 0) == value(d, 10, 12)


def _rut(d: Matrix) -> Column:
    weights = (8, 9, 4, 5, 6, 7, 8, 9)[-(d.shape[1] - 1) :]
    return _last(d, _told(total(d, weights, 11), "0123456789K"))


def _nit_of_colombia(d: Matrix) -> Column:
    weights = (71, 67, 59, 53, 47, 43, 41, 37, 29, 23, 19, 17, 13, 7, 3)[-(d.shape[1] - 1) :]
    return _last(d, _told(total(d, weights, 11), "01987654321"))


def _cypriot(d: Matrix) -> Column:
    import numpy as np

    odd = np.array((1, 0, 5, 7, 9, 13, 15, 17, 19, 21))[d[:, 0:8:2]].sum(axis=1)
    return (value(d, 0, 2) != 12) & _last(d, (odd + d[:, 1:8:2].sum(axis=1)) % 26 + 10)


def _cedula_of_the_dominican_republic(d: Matrix) -> Column:
    """Luhn's digit; the state also gave out numbers without it, which the library lists."""
    from stdnum.do.cedula import whitelist

    return luhn(d) | _isin(value(d, 0, 11), [int(number) for number in whitelist])


def _ecuadorian(d: Matrix) -> Column:
    province = value(d, 0, 2)
    given = ((province > 0) & (province < 25)) | (province == 30) | (province == 50)
    return given & (d[:, 2] < 7) & luhn(d)


def _ccc(d: Matrix) -> Column:
    signs = "01987654321"
    bank = _told(total(d, (4, 8, 16, 32, 64, 128, 256, 512), 11), signs)
    account = _told(total(d[:, 10:], [2**place for place in range(10)], 11), signs)
    return (bank == d[:, 8]) & (account == d[:, 9])


def _upn(d: Matrix) -> Column:
    # Digits come after 23 letters, so they weigh the same without them.
    check = total(d[:, 1:], range(2, 14), 23)
    return _told(check, "ABCDEFGHJKLMNPQRTUVWXYZ") == d[:, 0]


def _utr(d: Matrix) -> Column:
    return _told(total(d[:, 1:], (6, 7, 8, 9, 10, 5, 4, 3, 2), 11), "21987654321") == d[:, 0]


def _afm(d: Matrix) -> Column:
    return _last(d, total(d, [2**place for place in range(d.shape[1] - 1, 0, -1)], 11) % 10)


def _nit_of_guatemala(d: Matrix) -> Column:
    check = -total(d, range(d.shape[1], 1, -1), 11) % 11
    return d[:, :-1].any(axis=1) & _last(d, _told(check, "0123456789K"))


def _pps(d: Matrix) -> Column:
    summed = total(d, (8, 7, 6, 5, 4, 3, 2), 23)
    if d.shape[1] == 9:
        last = d[:, 8] - 9
        summed = (summed + 9 * last * _isin(last, (1, 2, 8))) % 23
        return _isin(last, (1, 2, 8, 20, 23, 24)) & (_told(summed, "WABCDEFGHIJKLMNOPQRSTUV") == d[:, 7])
    return _told(summed, "WABCDEFGHIJKLMNOPQRSTUV") == d[:, 7]


def _vid(d: Matrix) -> Column:
    return (d[:, 0] > 1) & (d != d[:, ::-1]).any(axis=1) & verhoeff(d)


def _kennitala(d: Matrix) -> Column:
    day, century = value(d, 0, 2), d[:, 9]
    real = day_exists(2000 - 100 * (century == 9) + value(d, 4, 6), value(d, 2, 4), day - 40 * (day >= 40))
    return real & _isin(century, (0, 9)) & (total(d, (3, 2, 7, 6, 5, 4, 3, 2, 1), 11) == 0)


def _codice_fiscale(d: Matrix) -> Column:
    """Ministerial decree of 23 December 1976, article 7."""
    import numpy as np

    odd = np.array((1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23))
    index = d - 10 * (d > 9)
    return _last(d, (odd[index[:, 0:15:2]].sum(axis=1) + index[:, 1:15:2].sum(axis=1)) % 26 + 10)


def _personas_kods(d: Matrix) -> Column:
    firm = total(d, (9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1), 11) == 3
    person = (1 + total(d, (10, 5, 8, 4, 2, 1, 6, 3, 7, 9), 11)) % 11 % 10 == d[:, 10]
    return ((d[:, 0] > 3) & firm) | ((d[:, 0] <= 3) & person)


def _mauritian(d: Matrix) -> Column:
    real = day_exists(2000 + value(d, 5, 7), value(d, 3, 5), value(d, 1, 3))
    return real & _last(d, -total(d, range(14, 1, -1), 17) % 17)


def _curp(d: Matrix) -> Column:
    # The alphabet has an Ñ after its N.
    return _last(d, -total(d + (d > 23), range(18, 1, -1), 10) % 10)


def _kontonummer(d: Matrix) -> Column:
    short = (d[:, :4] == 0).all(axis=1)
    long = _last(d, total(d, (6, 7, 8, 9, 4, 5, 6, 7, 8, 9), 11))
    return (short & luhn(d[:, 4:])) | (~short & long)


def _ird(d: Matrix) -> Column:
    size, number = d.shape[1] - 1, value(d, 0, d.shape[1])
    first = -total(d, (3, 2, 7, 6, 5, 4, 3, 2)[-size:], 11) % 11
    second = -total(d, (7, 4, 3, 2, 5, 2, 7, 6)[-size:], 11) % 11
    given = (number > 10_000_000) & (number < 150_000_000)
    return given & _last(d, first * (first < 10) + second * (first == 10))


def _cui(d: Matrix) -> Column:
    rest = total(d, (3, 2, 7, 6, 5, 4, 3, 2), 11)
    return _last(d, _told(rest, "65432110987")) | _last(d, _told(rest, "KJIHGFEDCBA"))


def _cartao(d: Matrix) -> Column:
    doubled = 2 * d[:, 0:11:2]
    return _last(d, -((doubled - 9 * (doubled > 9)).sum(axis=1) + d[:, 1:10:2].sum(axis=1)) % 10)


def _ruc(d: Matrix) -> Column:
    return _last(d, -total(d, range(d.shape[1], 1, -1), 11) % 11 % 10)


def _inn_of_a_firm(d: Matrix) -> Column:
    return _last(d, total(d, (2, 4, 10, 3, 5, 9, 4, 6, 8), 11) % 10)


def _inn(d: Matrix) -> Column:
    first = total(d, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8), 11) % 10
    second = (total(d, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6), 11) + 8 * first) % 11 % 10
    return (first == d[:, 10]) & (second == d[:, 11])


def _ddv(d: Matrix) -> Column:
    check = 11 - total(d, (8, 7, 6, 5, 4, 3, 2), 11)
    return (d[:, 0] > 0) & _last(d, check * (check != 10))


def _nit_of_el_salvador(d: Matrix) -> Column:
    old = total(d, range(14, 1, -1), 11) % 10
    new = -total(d, (2, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11) % 11 % 10
    is_old = value(d, 10, 13) <= 100
    return _isin(d[:, 0], (0, 1, 9)) & _last(d, old * is_old + new * ~is_old)


def _vkn(d: Matrix) -> Column:
    summed: Column = 0
    for place in range(9):
        moved = (d[:, place] + 9 - place) % 10
        turned = moved * 2 ** (9 - place) % 9
        summed = summed + turned + 9 * ((moved > 0) & (turned == 0))
    return _last(d, -summed % 10)


def _rif(d: Matrix) -> Column:
    import numpy as np

    # V, E, J, P and G count as 4, 8, 12, 16 and 20.
    worth = np.zeros(36, dtype=np.int64)
    worth[[int(letter, 36) for letter in "VEJPG"]] = 4, 8, 12, 16, 20
    kind = worth[d[:, 0]]
    return (kind > 0) & _last(d, _told((kind + total(d[:, 1:], (3, 2, 7, 6, 5, 4, 3, 2), 11)) % 11, "00987654321"))


def _mst(d: Matrix) -> Column:
    given = value(d, 2, 9) > 0
    if d.shape[1] == 13:
        given &= value(d, 10, 13) > 0
    return given & (10 - total(d, (31, 29, 23, 19, 17, 13, 7, 5, 3), 11) == d[:, 9])


def _andorran(d: Matrix) -> Column:
    kind, number = d[:, 0], value(d, 1, 7)
    seven = (number > 699_999) & (number < 800_000)
    return (
        _isin(kind, [int(letter, 36) for letter in "ACDEFGLOPU"])
        & ((kind != 15) | (number < 700_000))
        & (((kind != 10) & (kind != 21)) | seven)
    )


def _ramq(d: Matrix) -> Column:
    import numpy as np

    month, day = value(d, 6, 8), value(d, 8, 10)
    lengths = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    known = (month < 63) & (month % 50 > 0) & (month % 50 < 13)
    return known & (day > 0) & (day <= lengths[np.where(known, month % 50, 0)])


def _matricule(d: Matrix) -> Column:
    import numpy as np

    return luhn(d[:, :12]) & verhoeff(np.delete(d, 11, axis=1))


def _pis(d: Matrix) -> Column:
    mixed = (d != d[:, :1]).any(axis=1)
    return mixed & _last(d, -total(d, (3, 2, 9, 8, 7, 6, 5, 4, 3, 2), 11) % 11 % 10)


def _cns(d: Matrix) -> Column:
    return _isin(d[:, 0], (1, 2, 7, 8, 9)) & (total(d, range(15, 0, -1), 11) == 0)


def _hong_kong(d: Matrix) -> Column:
    first = 36 * 9 if d.shape[1] == 8 else 0
    weights = range(d.shape[1], 0, -1)
    return (d[:, -1] < 11) & ((first + total(d, weights, 11)) % 11 == 0)


def _taiwanese(d: Matrix) -> Column:
    import numpy as np

    county = np.zeros(36, dtype=np.int64)
    county[[int(letter, 36) for letter in "ABCDEFGHJKLMNPQRSTUVXYWZIO"]] = np.arange(10, 36)
    summed = county[d[:, 0]] // 10 + 9 * (county[d[:, 0]] % 10) + total(d[:, 1:], (8, 7, 6, 5, 4, 3, 2, 1, 1), 10)
    return _isin(d[:, 1], (1, 2, 8, 9)) & (summed % 10 == 0)


def _iccid(d: Matrix) -> Column:
    return (value(d, 0, 2) == 89) & (luhn(d) | luhn(d[:, :19]))


def _digits(
    lengths: Sequence[int], holds: Callable[[Matrix], Column], drops: str = "", final: tuple[bool, ...] = (True, False)
) -> tuple[Formula, ...]:
    return tuple(Formula("9" * length, holds, drops, final) for length in lengths)


def _shapes(shapes: str, holds: Callable[[Matrix], Column], drops: str = "") -> tuple[Formula, ...]:
    return tuple(Formula(shape, holds, drops) for shape in shapes.split())


FORMULAS: Mapping[str, tuple[Formula, ...]] = MappingProxyType(
    {
        "ad.nrt": _shapes("A999999A", _andorran, " -."),
        "ar.cbu": _digits([22], _cbu, " -"),
        "ar.cuit": _digits([11], _cuit, " -"),
        "at.tin": _digits([9], luhn, " -./,", REFUSES),
        "be.eid": _digits([12], _belgian_card, " -./"),
        "bg.pnf": _digits([10], lambda d: _last(d, total(d, (21, 19, 17, 13, 11, 9, 7, 3, 1), 10)), " -."),
        "br_cns": _digits([15], _cns, " -."),
        "br_pis": _digits([11], _pis, " -."),
        "ca.bc_phn": _digits(
            [10], lambda d: (d[:, 0] == 9) & _last(d, -total(d, (0, 2, 4, 8, 5, 10, 9, 7, 3), 11) % 11), "- "
        ),
        "ca_ohip": _digits([10], luhn, " -"),
        "ca_ramq": _shapes("AAAA99999999", _ramq, " -"),
        "cl.rut": _shapes("9999999X 99999999X", _rut, " -."),
        "co.nit": _digits(range(8, 17), _nit_of_colombia, ".,- "),
        "cy.vat": _shapes("99999999A", _cypriot, " -"),
        "do.cedula": _digits([11], _cedula_of_the_dominican_republic, " -"),
        "ec.ci": _digits([10], _ecuadorian, " -"),
        "es.ccc": _digits([20], _ccc, " -"),
        "fr.nif": _digits([13], lambda d: (d[:, 0] < 4) & (value(d, 0, 10) % 511 == value(d, 10, 13)), " "),
        "gb.upn": (Formula("A999999999999", _upn, " ", REFUSES),),
        "gb.utr": _digits([10], _utr, " "),
        "gr.vat": _digits([8, 9], _afm, " -./:"),
        "gt.nit": tuple(Formula("9" * length + "X", _nit_of_guatemala, " -") for length in range(1, 12)),
        "hk_id": _shapes("A999999(X) A999999X AA999999(X) AA999999X", _hong_kong),
        "hu_taj": _digits([9], lambda d: d.any(axis=1) & _last(d, total(d, (3, 7) * 4, 10)), " -."),
        "hu_tax": _digits([10], lambda d: (d[:, 0] == 8) & _last(d, total(d, range(1, 10), 11)), " -."),
        "iccid": _digits([19, 20], _iccid, " -"),
        "id.npwp": _digits([15], lambda d: luhn(d[:, :9]), " -."),
        "ie.pps": _shapes("9999999A 9999999AA", _pps, " -"),
        "in_.vid": _digits([16], _vid, " -"),
        "is_.kennitala": _digits([10], _kennitala, "-"),
        "it.codicefiscale": (Formula("AAAAAAXXAXXAXXXA", _codice_fiscale, " -:", REFUSES),),
        "ke.pin": _shapes("A999999999A", lambda d: _isin(d[:, 0], (10, 25)), " -"),
        "loinc": tuple(
            Formula(f"{'9' * length}-9", lambda d: (d[:, 0] > 0) & luhn(d)) for length in range(1, 8)
        ),
        "lu_matricule": _digits([13], _matricule, " -."),
        "lv.pvn": _digits([11], _personas_kods, " -", REFUSES),
        "mu.nid": _shapes("A999999999999X", _mauritian, " "),
        "mx.curp": (Formula("AAAA999999AAAAAAX9", _curp, "-_ ", REFUSES),),
        "no.kontonr": _digits([11], _kontonummer, " .-"),
        "nz.ird": _digits([8, 9], _ird, " -"),
        "pe.cui": (*_digits([8], lambda d: d[:, 0] >= 0, " -"), *_shapes("99999999X", _cui, " -")),
        "pl.nip": _digits([10], lambda d: total(d, (6, 5, 7, 2, 3, 4, 5, 6, 7, -1), 11) == 0, " -"),
        "pt.cc": _shapes("999999999XX9", _cartao, " "),
        "py.ruc": _digits(range(2, 10), _ruc, " -"),
        "ru.inn": (*_digits([10], _inn_of_a_firm, " "), *_digits([12], _inn, " ")),
        "si.ddv": _digits([8], _ddv, " -"),
        "snomed": _digits(range(6, 19), verhoeff, "", REFUSES),
        "sv.nit": _digits([14], _nit_of_el_salvador, " -"),
        "tr.vkn": _digits([10], _vkn),
        "tw_id": _shapes("A999999999", _taiwanese),
        "ua.rntrc": _digits([10], lambda d: _last(d, total(d, (-1, 5, 7, 9, 4, 6, 10, 5, 7), 11) % 10), " "),
        "ve.rif": _shapes("A999999999", _rif, " -"),
        "vn.mst": _digits([10, 13], _mst, " -."),
        "za.tin": _digits([10], lambda d: _isin(d[:, 0], (0, 1, 2, 3, 9)) & luhn(d), " -/"),
    }
)  # fmt: skip
"""By the name of a check, its formulas for the shapes that they know."""
