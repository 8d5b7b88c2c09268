"""Drawn: the checks of secrets and of the names of accounts for whole columns.

What they say of texts in ASCII is worked out from the counts of their characters and with expressions for Rust; of
the few that may be words, and where an entropy comes close to its bound, the check itself is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mapkeeper.rules import Check
from mapkeeper_classifiers.checks import secrets
from mapkeeper_classifiers.checks.vector import Shared, Stated, full
from mapkeeper_classifiers.words import words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Flags = npt.NDArray[np.bool_]

_CLOSE = 1e-6
"""Bits a character within which an entropy, summed in another order, could lie on the other side of its bound."""


@dataclass(frozen=True, slots=True)
class Said:
    """Of which texts a check holds for sure, and of which it does not."""

    yes: Flags
    no: Flags

    def column(self) -> pl.Series:
        """True, false, or null where only the check knows."""
        import polars as pl

        frame = pl.DataFrame({"yes": self.yes, "no": self.no})
        return frame.select(pl.when("yes").then(True).when("no").then(False)).to_series()

    def __or__(self, other: Said) -> Said:
        return Said(self.yes | other.yes, self.no & other.no)


def _surely(holds: Flags) -> Said:
    return Said(holds, ~holds)


def _flags(column: pl.Series) -> Flags:
    flags: Flags = column.to_numpy().astype(bool)
    return flags


def _full(texts: pl.Series, expression: str) -> Flags:
    return _flags(full(texts, expression))


def _has(texts: pl.Series, expression: str) -> Flags:
    return _flags(texts.str.contains(expression))


def _length(texts: pl.Series) -> npt.NDArray[np.int64]:
    return texts.str.len_bytes().to_numpy().astype("int64")


def _codes(texts: pl.Series) -> tuple[Any, Any]:
    """The characters of all texts in a row, and of which text each is."""
    import numpy as np

    codes = np.frombuffer("".join(texts).encode(), dtype=np.uint8)
    return codes, np.repeat(np.arange(len(texts)), _length(texts))


def _counted(texts: pl.Series) -> tuple[Any, Any]:
    """How many characters each text has that differ, and its entropy."""
    import numpy as np

    codes, rows = _codes(texts)
    keys = np.sort(rows.astype(np.uint32) * 128 + codes)
    ends = np.flatnonzero(np.append(keys[1:] != keys[:-1], True)) if len(keys) else np.zeros(0, dtype=np.int64)
    times, row = np.diff(ends, prepend=-1), keys[ends] >> 7
    size = np.maximum(_length(texts), 1)
    summed = np.bincount(row, weights=times * np.log2(times), minlength=len(texts))
    return np.bincount(row, minlength=len(texts)), np.log2(size) - summed / size


def _sequence(texts: pl.Series) -> Flags:
    """Whether eight characters follow each other as in the alphabet or in counting."""
    import numpy as np

    codes, rows = _codes(texts.str.to_lowercase())
    step = (codes[1:] == codes[:-1] + 1) & (rows[1:] == rows[:-1])
    two = step[:-1] & step[1:]
    four = two[:-2] & two[2:]
    seven = four[:-3] & four[3:]
    found: Flags = np.zeros(len(texts), dtype=bool)
    found[rows[np.flatnonzero(seven)]] = True
    return found


def _rust(expression: str) -> str:
    """An expression of Python's for Rust, whose ``$`` is not also before a line break at the end."""
    return expression.replace("$|", r"\n?\z|")


def _unworded(texts: pl.Series) -> Flags:
    """Whether digits stand where no word and no short number has them."""
    return _has(texts, "[0-9]{5}|[0-9][A-Za-z]+[0-9]")


def _bare(texts: pl.Series) -> pl.Series:
    return texts.str.strip_chars("\"'").str.strip_chars_end(";,.)")


def _secret(texts: pl.Series) -> Flags:
    bare = texts.str.strip_chars(secrets.AROUND).str.to_lowercase()
    kinds, _ = _counted(bare.str.slice(0, secrets.LONGEST))
    none = (_length(texts) > secrets.LONGEST) | (kinds <= 2) | _flags(bare.is_in(list(words("no_secret"))))
    none |= _has(bare, _rust(secrets.PLACEHOLDER)) | _full(texts, secrets.STANDS_FOR_A_SECRET)
    holds: Flags = ~none
    return holds


def _random(texts: pl.Series) -> Said:
    import numpy as np

    bare, secret = _bare(texts), _secret(texts)
    length, (_, entropy) = _length(bare), _counted(bare)
    no = (length < 8) | ~secret | _full(bare, f"{secrets.UUID}|[0-9]+|{secrets.KNOWN_SHAPE}")
    no |= _sequence(bare) | _has(bare, r"\A(?:S-1-|pk_|pub)")
    hexadecimal = _full(bare, "[0-9a-f]+|[0-9A-F]+")
    no |= hexadecimal & ((length < 16) | _full(bare, "[A-Fa-f]+"))
    bound = np.where(hexadecimal, 2.7, np.where(length < 16, 2.4, 3.0))
    signed = (length >= 12) & (bare.str.count_matches(secrets.SIGNS).to_numpy() >= 3)
    yes = ~no & (entropy > bound + _CLOSE) & (hexadecimal | signed | _unworded(bare))
    return Said(yes, no | (entropy < bound - _CLOSE))


def _token(texts: pl.Series) -> Said:
    uuid = _full(texts, secrets.UUID)
    _, entropy = _counted(texts.str.slice(0, 36))
    return _random(texts) | Said(uuid & (entropy > 3.0 + _CLOSE), ~uuid | (entropy < 3.0 - _CLOSE))


def _named(texts: pl.Series) -> Flags:
    return _full(texts, secrets.NAMED)


def _password(texts: pl.Series) -> Said:
    bare = _bare(texts)
    length, digits = _length(bare), _full(bare, "[0-9]+")
    no = ~_secret(texts) | _named(bare)
    no |= (digits & ((length < 6) | (length > 20))) | (~digits & _full(bare, secrets.KNOWN_SHAPE))
    no |= ~digits & ~_has(bare, "[A-Za-z]")
    letters = _full(bare, "[A-Za-z]+")
    no |= letters & (length < 8)
    inside = bare.str.strip_chars("!?*&=~+")
    signed = _has(inside, secrets.SIGNS) | (_flags(inside != bare) & _has(bare, "[0-9]"))
    mixed = ~letters & (signed | ~_has(bare, r"[\W_]") | _unworded(bare))
    return Said(~no & (digits | mixed), no)


def _chosen(texts: pl.Series) -> Said:
    word = _secret(texts) & _full(texts, "[a-z]{4,}") & ~_named(texts)
    return _password(texts) | _surely(word)


def _issued(texts: pl.Series) -> Said:
    body = texts.str.extract(r"([^_.:/-]*)\z")
    no = _has(texts.str.to_lowercase(), secrets.PUBLISHED) | _sequence(texts)
    (_, whole), (_, part) = _counted(texts), _counted(body)
    short = _length(body) < 12
    low = (whole < 2.8 - _CLOSE) | (~short & (part < 2.4 - _CLOSE))
    high = (whole > 2.8 + _CLOSE) & (short | (part > 2.4 + _CLOSE))
    capitals = _has(texts, "[A-Z]") & ~_has(texts, "[a-z]")
    return Said(~no & high & (capitals | _unworded(texts.str.slice(3))), no | low)


def _account(texts: pl.Series) -> pl.Series:
    named = texts.str.to_lowercase().is_in(list(words("no_account")))
    return ~named & ~full(texts, secrets.NUMBERED)


def _home(texts: pl.Series) -> pl.Series:
    return ~texts.str.to_lowercase().is_in(list(words("shared_home"))) & _account(texts)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "account": Stated(secrets.account, _account),
        "basic": secrets.basic,
        "chosen": Stated(secrets.chosen, lambda texts: _chosen(texts).column()),
        "home": Stated(secrets.home, _home),
        "issued": Stated(secrets.issued, lambda texts: _issued(texts).column()),
        "jwt": Shared(secrets.jwt, r"\A([^.]*)\."),
        "opaque": Stated(secrets.opaque, lambda texts: (_token(texts) | _password(texts)).column()),
        "password": Stated(secrets.password, lambda texts: _password(texts).column()),
        "phrase": secrets.phrase,
        "random": Stated(secrets.random, lambda texts: _random(texts).column()),
        "secret": Stated(secrets.secret, lambda texts: _surely(_secret(texts)).column()),
        "token": Stated(secrets.token, lambda texts: _token(texts).column()),
    }
)
