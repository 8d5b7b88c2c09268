"""Checkpoints: rests of half-read assets, which lie sealed in the inventory.

A rest holds hashes of values, which could be guessed. It is encrypted and authenticated (AES-256-GCM) under a key
derived from the client's, which is not in the inventory: without it a checkpoint is noise, and nobody else can make
one. That is also why it is safe to unpickle.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import os
import pickle
from collections.abc import Iterable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mapkeeper.inventory import Inventory
from mapkeeper.scan.examine import Rest
from mapkeeper.scan.survey import Planned

_NONCE = 12  # bytes, as GCM has it


class Seal:
    """Seals and opens the checkpoints of one client."""

    def __init__(self, key: bytes) -> None:
        """``key`` is the client's."""
        self._cipher = AESGCM(hmac.new(key, b"checkpoint", hashlib.sha256).digest())

    def close(self, rest: Rest, about: str) -> bytes:
        """A rest as it may be kept, without any text.

        ``about`` says what it belongs to and by which rules it was counted; it opens for nothing else.
        """
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, pickle.dumps(rest.bare()), about.encode(errors="surrogatepass"))

    def open(self, sealed: bytes, about: str) -> Rest | None:
        """The rest; ``None`` where it is of other rules, another version, another key, or damaged."""
        try:
            plain = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode(errors="surrogatepass"))
        except (InvalidTag, ValueError):
            return None
        try:
            rest = pickle.loads(plain)  # noqa: S301 - made by us: the seal is whole
        except Exception:  # by another version of a library, which pickles otherwise
            return None
        return rest if isinstance(rest, Rest) else None


class Checkpoints:
    """The checkpoints in an inventory, for scans by one set of rules at one depth."""

    def __init__(self, inventory: Inventory, keys: Mapping[str, bytes], terms: Mapping[str, str]) -> None:
        """``keys`` are the clients'; a checkpoint made under other ``terms`` of its client does not count."""
        self._inventory = inventory
        self._seals = {client: Seal(key) for client, key in keys.items()}
        self._terms = terms

    def rests(self, source: str, todo: Iterable[Planned]) -> dict[Planned, Rest]:
        """Where earlier scans were interrupted within an asset."""
        kept = self._inventory.checkpoints(source)
        rests = {}
        for one in todo:
            if (one.client, one.kept) not in kept:
                continue
            sealed = self._inventory.checkpoint(one.client, source, one.kept)
            if sealed and (rest := self._seals[one.client].open(sealed, self._about(source, one))) is not None:
                rests[one] = rest
        return rests

    def keep(self, scan: int, source: str, one: Planned, rest: Rest, now: dt.datetime) -> None:
        """Put a rest down, where the source can tell whether the asset is still the same."""
        if rest.mark is not None:
            sealed = self._seals[one.client].close(rest, self._about(source, one))
            self._inventory.put_checkpoint(scan, one.client, source, one.kept, sealed, now)

    def _about(self, source: str, one: Planned) -> str:
        return "\n".join((self._terms[one.client], source, one.client, one.kept))
