"""Numbers that pass their checks and belong to nobody: cards, accounts, insurance numbers, addresses of the network."""

from __future__ import annotations

import datetime as dt
import string
import unicodedata

from mapkeeper.demo.chance import Draw, digits, token

# First six digits that payment processors publish for tests, with the length of the whole number.
_TEST_BINS = (("424242", 16), ("400005", 16), ("555555", 16), ("520082", 16), ("378282", 15), ("601111", 16))


def luhn(number: str) -> str:
    """A number with its Luhn check digit behind it."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"{number}{-total % 10}"


def card(draw: Draw) -> str:
    """A payment card number of a published test range."""
    prefix, length = draw.choice(_TEST_BINS)
    return luhn(prefix + digits(draw, length - len(prefix) - 1))


def iban(draw: Draw, country: str) -> str:
    """An IBAN of an invented bank (all nines), with every check digit right; country is FR, DE, GB or CH."""
    if country == "FR":
        branch, account = digits(draw, 5), digits(draw, 11)
        key = 97 - (89 * 99_999 + 15 * int(branch) + 3 * int(account)) % 97  # "clé RIB"
        local = f"99999{branch}{account}{key:02}"
    elif country == "GB":
        local = f"ZZZZ999999{digits(draw, 8)}"
    elif country == "CH":
        local = f"99999{digits(draw, 12)}"
    else:
        local = f"99999999{digits(draw, 10)}"
    number = "".join(str(int(sign, 36)) for sign in f"{local}{country}00")
    return f"{country}{98 - int(number) % 97:02}{local}"


def ramq(last: str, first: str, birth: dt.date, sex: str, draw: Draw) -> str:
    """A number in the shape of Quebec's health insurance: four letters, birth date (women's month + 50), two digits."""
    letters = (ascii_letters(last).upper() + "XXX")[:3] + ascii_letters(first).upper()[0]
    month = birth.month + (50 if sex == "F" else 0)
    return f"{letters}{birth:%y}{month:02}{birth:%d}{digits(draw, 2)}"


def sin(draw: Draw) -> str:
    """A number that passes the check of Canada's social insurance numbers, from one narrow block."""
    number = luhn("900" + digits(draw, 5))
    return f"{number[:3]}-{number[3:6]}-{number[6:]}"


def public_ip(draw: Draw) -> str:
    """An address of the ranges reserved for documentation (RFC 5737; one in eight RFC 3849)."""
    if draw.random() < 0.125:
        groups = ":".join(f"{draw.randrange(1, 65_536):x}" for _ in range(4))
        return f"2001:db8:{groups}::{draw.randrange(1, 255):x}"
    return f"{draw.choice(('192.0.2', '198.51.100', '203.0.113'))}.{draw.randrange(1, 255)}"


def private_ip(draw: Draw) -> str:
    """An address of a private network (RFC 1918)."""
    return f"10.{draw.randrange(20, 24)}.{draw.randrange(256)}.{draw.randrange(1, 255)}"


def mac(draw: Draw) -> str:
    """A hardware address of the range reserved for documentation (RFC 7042)."""
    return f"00:00:5e:00:53:{draw.randrange(256):02x}"


def bcrypt(draw: Draw) -> str:
    """What a bcrypt hash looks like; it is the hash of nothing."""
    return "$2b$12$" + token(draw, 53, "./" + string.ascii_letters + string.digits)


def uuid(draw: Draw) -> str:
    """A random UUID."""
    text = token(draw, 32, "0123456789abcdef")
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def ascii_letters(text: str) -> str:
    """A name's letters without accents, spaces and dashes."""
    folded = unicodedata.normalize("NFKD", text.replace("\N{LATIN SMALL LETTER DOTLESS I}", "i").replace("ß", "ss"))
    return "".join(sign for sign in folded if sign in string.ascii_letters)
