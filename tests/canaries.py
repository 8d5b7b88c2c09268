"""Canaries: values that occur nowhere else, and the search for them in whatever Mapkeeper keeps or says."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

# Values that rules know, and words that no rule can know: neither may be kept.
MAIL = "canary.qzx7@nightingale-leak.example"
IBAN = "DE75512108001245126199"
CARD = "4539578763621486"
PHONE = "+4915901234567"
PERSON = "Zyxwvana Canaryson"
SECRET = "ghp_cAnArYx7Kq2Lm9Zr4Tt8Vw1Yb3Nc6Pd5Fg0H"
WORD = "qzxjvkcanaryword"
DIAGNOSIS = "F32.1 canaryepisode"
CANARIES = (MAIL, IBAN, CARD, PHONE, PERSON, "Canaryson", SECRET, WORD, "canaryepisode", "nightingale-leak")

KNOWN = (MAIL, IBAN, CARD, PHONE)
"""Those that a rule knows wherever they stand, so that they may be in names, too."""

ROW = {
    "id": "17",
    "name": PERSON,
    "email": MAIL,
    "iban": IBAN,
    "card": CARD,
    "phone": PHONE,
    "password": SECRET,
    "diagnosis": DIAGNOSIS,
    "note": f"asked {WORD} to call {PHONE}, writes as {MAIL}",
    MAIL: "the name of a column",
}


def forms(canary: str) -> Iterator[bytes]:
    """A canary as it is, encoded, reversed, and hashed without a key."""
    raw = canary.encode()
    for text in (canary, quote(canary, safe=""), quote(quote(canary, safe=""), safe=""), canary[::-1]):
        yield from (text.encode(encoding) for encoding in ("utf-8", "utf-16-le"))
    yield from (base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"="))
    yield from (raw.hex().encode(), zlib.compress(raw))
    yield from (hashlib.new(kind, raw).hexdigest().encode() for kind in ("md5", "sha1", "sha256", "blake2b"))
    yield from (hashlib.new(kind, raw).digest() for kind in ("md5", "sha1", "sha256"))


class Search:
    """Looks for canaries, and remembers where there was one."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        """Look for ``more`` than the usual ones."""
        self._forms = {form.lower(): canary for canary in (*CANARIES, *more) for form in forms(canary)}
        self.found: list[str] = []

    def look(self, what: str | bytes, where: object) -> None:
        """Look in a text."""
        low = (what if isinstance(what, bytes) else what.encode(errors="surrogateescape")).lower()
        self.found += [f"{canary!r} in {where}" for form, canary in self._forms.items() if form in low]

    def look_in(self, folder: Path, besides: Path | None = None) -> None:
        """Look in the names and contents of the files of a folder, but those of one within."""
        for path in folder.rglob("*"):
            if path.is_file() and (besides is None or besides not in path.parents):
                self.look(str(path.relative_to(folder)), "the name of a file")
                self.look(path.read_bytes(), path.relative_to(folder))

    def nothing(self) -> bool:
        """Whether none was found anywhere; says where in the assertion that fails."""
        assert self.found == [], "\n".join(dict.fromkeys(self.found))
        return True
