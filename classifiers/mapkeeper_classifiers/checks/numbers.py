"""Numbers that somebody was given: what python-stdnum and phonenumbers say of them, cards, vehicles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType

from mapkeeper.rules import Check
from mapkeeper_classifiers.checks import national
from mapkeeper_classifiers.checks.formulas import quick
from mapkeeper_classifiers.checks.phones import Phone


@dataclass(frozen=True, slots=True)
class Number:
    """A check of python-stdnum, imported when first asked."""

    module: str  # below ``stdnum``: "fr.nir"

    def __call__(self, value: str) -> bool:
        """Whether the library takes the value for a number of this kind."""
        try:
            return bool(import_module(f"stdnum.{self.module}").is_valid(value))
        except Exception:
            # A library that stumbles (over a county without a name, over no ASCII) has not said that it holds.
            return False


NUMBERS = (
    "ad.nrt", "ar.cbu", "ar.cuit", "at.tin", "at.vnr", "be.bis", "be.eid", "be.nn", "bg.egn", "bg.pnf",
    "bic", "br.cpf", "ca.bc_phn", "ch.ssn", "cl.rut", "cn.ric", "co.nit", "cu.ni", "cy.vat", "cz.bankaccount",
    "cz.rc", "de.idnr", "dk.cpr", "do.cedula", "ec.ci", "ee.ik", "es.ccc", "es.nie", "fr.nif", "fr.nir", "gb.nhs",
    "gb.upn", "gb.utr", "gr.amka", "gr.vat", "gt.nit", "hr.oib", "iban", "id.nik", "id.npwp", "ie.pps", "il.idnr",
    "imei", "in_.vid", "is_.kennitala", "it.codicefiscale", "jp.in_", "ke.pin", "kr.rrn", "lt.asmens", "lv.pvn",
    "mu.nid", "mx.curp", "mx.rfc", "my.nric", "nl.bsn", "no.fodselsnummer", "no.kontonr", "nz.bankaccount", "nz.ird",
    "pe.cui", "pl.nip", "pt.cc", "pt.nif", "py.ruc", "ro.cnp", "ru.inn", "se.personnummer", "si.ddv",
    "si.emso", "sv.nit", "tr.vkn", "ua.rntrc", "us.ssn", "ve.rif", "vn.mst", "za.idnr", "za.tin",
)  # fmt: skip


_ISSUERS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}"  # Visa
    r"|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners Club
    r"|6(?:011|4[4-9]\d|5\d{2})\d{12}"  # Discover
    r"|(?:2131|1800|35\d{3})\d{11}"  # JCB
    r"|62\d{14,17}"  # UnionPay
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}"  # Maestro
)


def card(value: str) -> bool:
    """Whether a known issuer's prefix, a length that it uses and the Luhn digit go together."""
    digits = value.replace(" ", "").replace("-", "")
    return bool(_ISSUERS.fullmatch(digits)) and len(set(digits)) > 1 and _luhn(digits)


def _luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B; digits may be of any script, which python-stdnum refuses."""
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0


_VIN_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def vin(value: str) -> bool:
    """Whether the ninth character is the check digit of a vehicle identification number (ISO 3779, 49 CFR 565)."""
    value = value.upper()
    try:
        total = sum(int(_VIN_VALUES.get(c, c)) * w for c, w in zip(value, _VIN_WEIGHTS, strict=True))
    except ValueError:
        return False
    return len(set(value)) > 3 and not value.isdigit() and value[8] == "0123456789X"[total % 11]


def numbered(value: str) -> bool:
    """Whether it has the digits of a number that somebody was given, and is no date or time."""
    return len(re.findall(r"[\dX*]", value)) > 3 and any(c.isdigit() for c in value) and not _DATE.fullmatch(value)


_DATE = re.compile(r"(?:19|20)\d{2}(?:[-/.]\d{1,2}(?:[-/.]\d{1,2})?)?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{2}|\d{4})")


_CHECKS: dict[str, Check] = {function.__name__: function for function in (card, vin, numbered)}
_CHECKS.update(national.CHECKS)
_CHECKS.update((module, Number(module)) for module in NUMBERS)

CHECKS: Mapping[str, Check] = MappingProxyType(
    {"phone": Phone(), **{name: quick(name, check) for name, check in _CHECKS.items()}}
)
