"""Secrets and the names of accounts: what only stands for one is none.

A secret after its key is told from what else stands there (a word, a variable, a call, a path, a date) by how it is
made: people mix letters with digits and signs, machines draw characters at random. Entropies are Shannon's, in bits a
character: of many random hexadecimal digits 4, of random base64 characters 6; of 16 of them about 3.2 and 3.8.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import math
import re
from collections import Counter
from functools import cache

from mapkeeper_classifiers.words import words

UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
NUMBERED = rf"[\W\d_]*|<.*|{UUID}|S-1-[\d-]+"

_compiled = cache(re.compile)  # when first asked for


def account(value: str) -> bool:
    """Whether it can be the name of an account: no word of the sentence around it, no bare number, UUID or SID."""
    return value.casefold() not in words("no_account") and not _compiled(NUMBERED).fullmatch(value)


def home(value: str) -> bool:
    """Whether a folder of homes belongs to an account, not to all of them."""
    return value.casefold() not in words("shared_home") and account(value)


AROUND = "\"'<>[](){}*.,;?! "
"""What may stand around a secret and is no part of it."""

LONGEST = 4096
"""Characters of the longest secret: session tokens of clouds have about two thousand, a PEM of 4096 bits 3,300."""

# Variables, templates, calls and subscripts, attributes, where it is kept, how it is kept, an address, a path.
STANDS_FOR_A_SECRET = "(?s)" + "|".join(
    (
        r"\$\{.*|\$\(.*|\$\[.*|\$\$?[A-Za-z_]\w*(?:(?:[.\[(:]|->).*)?|\$[\d@*#]|%[A-Za-z_]\w*%?|%[({].*",
        r"[@#]?\{[\w.$-]*\}.*|.*\{\{[^{}]*\}\}.*|\{%.*|#\{.*|@\w+@|__\w+__|<.*|\[.*\]",
        r"!?[A-Za-z_][\w.:>-]*[\[(].*|\(.*",
        r"(?:os|process|config|settings|self|this|params|env|request|args|data|props|state|ctx|opts|options)\..*",
        r"(?:env|file|vault|secretref|ref\+\w+|ssm|keyring|op|arn|projects|ENC|secret|sops|kms|data|urn):.*",
        r"(?:ENC|enc|Encrypted|vault|AES)[\[({].*|!(?:Ref|Sub|GetAtt|vault|secret|reference).*|getenv.*",
        r"[A-Za-z][A-Za-z0-9+.-]*://.*",
        r"(?:~|\.{1,2}|[A-Za-z]:)?[\\/](?:[\w.@ -]+[\\/])*[\w.@ -]*|(?:[a-z_.-]+/)+[a-z_.-]+",
    )
)
PLACEHOLDER = (
    r"your|my[_-]?(?:app|api|db|super|secret|pass|token|key|strong|private|client)|example|change[_-]?(?:me|it|this|in)"
    r"|placeholder|dummy|redact|replace|insert|enter[_-]?|todo|fixme|tbd|sample|here$|not[_-]?(?:a|set|real|used)"
    r"|fake|mock|xxxx|\*\*\*|\.\.\.|…|•|some[_-]?(?:secret|pass|token|key|random)|deadbeef|0{8}|1{8}|foobar|lorem|asdf"
    r"|(?:test|demo|dev)[_-]?(?:key|token|secret)|filtered|masked|hidden|generate|unset|undefined|same[_-]?as"
    r"|(?:secret|token|pass(?:word)?|pwd|api[_-]?key)[_-]?(?:goes|value|string|placeholder|name|field|input|var)"
)


def secret(value: str) -> bool:
    """Whether it can be a secret: no placeholder, mask, variable, call or address that stands for one."""
    if len(value) > LONGEST:
        return False
    bare = value.strip(AROUND).casefold()
    if len(set(bare)) <= 2 or bare in words("no_secret") or _compiled(PLACEHOLDER).search(bare):
        return False
    return not _compiled(STANDS_FOR_A_SECRET).fullmatch(value)


def entropy(value: str) -> float:
    """Shannon's entropy of its characters, in bits a character."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())


_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_]+")
_CONSONANTS = re.compile(r"[^\W\d_aeiouyäöüáéíóúàèìòùâêîôûãõ]{6,}", re.IGNORECASE)


def _spoken(letters: str) -> bool:
    """Whether letters are words set together, in camel case or not, rather than drawn at random."""
    pieces = _CAMEL.findall(letters)
    if len(letters) / max(1, len(pieces)) < 2.7 and len(letters) > 3:
        return False
    if len(letters) >= 8 and sum(letter in "aeiouyäöüáéíóú" for letter in letters.casefold()) < 0.16 * len(letters):
        return False
    return not _CONSONANTS.search(letters)


_PIECE = re.compile(r"(?P<before>[^\W\d_]*)\d{0,4}(?P<after>[^\W\d_]*)")


def _worded(value: str) -> bool:
    """Whether it is put together of words and short numbers: an identifier, a host, a version."""
    for piece in re.split(r"[\W_]+", value):
        found = _PIECE.fullmatch(piece)
        if found is None or not all(map(_spoken, filter(None, found.groups()))):
            return False
    return True


KNOWN_SHAPE = (
    "|".join(rf"\d{{1,4}}{sign}\d{{1,2}}{sign}\d{{1,4}}(?:[T ].*)?" for sign in ("-", "/", r"\.", ":"))  # dates
    + r"|[vV]?\d+(?:\.\d+)+\S*|[\d.,:%/-]*\D?"  # versions, numbers
    r"|(?:[0-9a-fA-F]{2}[:-]){5,}[0-9a-fA-F]{2}|(?:sha|SHA|md|MD)-?\d{1,3}[-:=].*|[^@\s]+@[\w-]+(?:\.[\w-]+)+"
    r"|[^\W\d_]{1,14}\(?(?:8|16|32|64|96|128|160|192|224|256|384|512|1024|2048|4096)\)?"  # sha256, int64, base64
)
SIGNS = r"[!@#$%^&*+=~?]"


def _kinds(value: str) -> int:
    """How many of small letters, capitals, digits and signs it has."""
    sign = _compiled(SIGNS).search(value) is not None or not value.isascii()
    return sum((any(map(str.islower, value)), any(map(str.isupper, value)), any(map(str.isdigit, value)), sign))


NAMED = (
    r"(?i)(?:user|new|old|my|db|the|raw|plain|hashed|enc|in|input|usr|tmp)?_?"
    r"(?:pass(?:wo?r?d|wort|phrase)?|pwd?|pw|mdp|secret|token|key|arg|var|param|str|val|value|field|input|text|string|col"
    r"|user|name|data|temp|tmp|hash|salt|version|type|opt|option|test)_?\d{0,2}"
)


def password(value: str) -> bool:
    """Whether it looks like a password that somebody chose: letters with digits or signs, or no word at all."""
    bare = value.strip("\"'").rstrip(";,.)")
    if not secret(value) or _compiled(NAMED).fullmatch(bare):
        return False
    if bare.isdecimal():
        return 6 <= len(bare) <= 20
    if _compiled(KNOWN_SHAPE).fullmatch(bare):
        return False
    letters = re.sub(r"[\W\d_]", "", bare)
    if not letters:
        return False
    if letters == bare:
        return len(bare) >= 8 and (not _spoken(bare) or (len(bare) >= 18 and bare.islower()))
    inside = bare.strip("!?*&=~+")
    if _compiled(SIGNS).search(inside) or (inside != bare and any(map(str.isdigit, bare))):
        return True
    if re.search(r"[\W_]", bare):  # only signs that join words
        return not _worded(bare) or (_kinds(bare) == 3 and "." not in bare and ":" not in bare)
    return any(map(str.isdigit, bare)) or not _worded(bare)


def chosen(value: str) -> bool:
    """Whether it can be a password where nothing but a password is to be expected: one plain word also can."""
    if password(value):
        return True
    return (
        secret(value)
        and value.isalpha()
        and value.islower()
        and len(value) >= 4
        and not _compiled(NAMED).fullmatch(value)
    )


def random(value: str) -> bool:
    """Whether it looks drawn at random, as keys and tokens are, or is at least no word, number, UUID or date."""
    bare = value.strip("\"'").rstrip(";,.)")
    if len(bare) < 8 or not secret(value) or re.fullmatch(UUID, bare) or _compiled(KNOWN_SHAPE).fullmatch(bare):
        return False
    if bare.isdecimal() or _sequence(bare) or bare.startswith(("S-1-", "pk_", "pub")):
        return False
    if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", bare):
        return len(bare) >= 16 and entropy(bare) >= 2.7 and not bare.isalpha()
    signed = len(bare) >= 12 and len(_compiled(SIGNS).findall(bare)) >= 3
    return entropy(bare) >= (2.4 if len(bare) < 16 else 3.0) and (signed or not _worded(bare))


def token(value: str) -> bool:
    """Whether it can be a key or token behind a word that announces one: `random`, or a UUID."""
    return random(value) or (re.fullmatch(UUID, value) is not None and entropy(value) >= 3.0)


def opaque(value: str) -> bool:
    """Whether a value of a field that is named like a secret says nothing to a reader: no word, number or date."""
    return token(value) or password(value)


PUBLISHED = r"example|xxxx|test(?:test)+|abcdefgh|12345678|0{6}|fake|dummy|placeholder|your|redacted|\*"


def issued(value: str) -> bool:
    """Whether a token with the prefix of its issuer is none of those printed in manuals."""
    body = re.split(r"[_.:/-]", value)[-1]
    if _compiled(PUBLISHED).search(value.casefold()) or _sequence(value):
        return False
    return (
        entropy(value) >= 2.8
        and (len(body) < 12 or entropy(body) >= 2.4)
        and (value.isupper() or not _worded(value[3:]))
    )


def _sequence(value: str) -> bool:
    """Whether eight of its characters follow each other as in the alphabet or in counting."""
    codes = [ord(char) for char in value.casefold()]
    run = 0
    for one, two in itertools.pairwise(codes):
        run = run + 1 if two - one == 1 else 0
        if run >= 7:
            return True
    return False


def _decoded(value: str) -> bytes:
    """What base64 of either alphabet says; empty where it is none."""
    try:
        return base64.b64decode(value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def jwt(value: str) -> bool:
    """Whether its first part is the header of a JSON web token (RFC 7515, section 4.1: it has an ``alg``)."""
    try:
        header = json.loads(_decoded(value.partition(".")[0]))
    except (ValueError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header


def basic(value: str) -> bool:
    """Whether it decodes to a user name and a password with a colon between them (RFC 7617)."""
    text = _decoded(value).decode("utf-8", "replace")
    name, colon, word = text.partition(":")
    return bool(colon and name and word) and text.isprintable() and "\ufffd" not in text and secret(word)


def phrase(value: str) -> bool:
    """Whether words in a row are a passphrase, not a sentence about one."""
    said = re.split(r"[\s-]+", value.casefold())
    return (
        len(said) >= 4
        and not words("no_account").intersection(said)
        and not _compiled(PLACEHOLDER).search(value.casefold())
    )
