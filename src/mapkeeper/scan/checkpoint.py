"""Checkpoints: rests of half-read assets, sealed so that they may lie in the inventory.

A rest holds hashes of values, which could be guessed. It is encrypted and authenticated (AES-256-GCM) under a key
derived from the client's, which is not in the inventory: without it a checkpoint is noise, and nobody else can make
one. That is also why it is safe to unpickle.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import pickle

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mapkeeper.scan.examine import Rest

_NONCE = 12  # bytes, as GCM has it


class Seal:
    """Seals and opens the checkpoints of one client."""

    def __init__(self, key: bytes) -> None:
        """``key`` is the client's."""
        self._cipher = AESGCM(hmac.new(key, b"checkpoint", hashlib.sha256).digest())

    def close(self, rest: Rest, about: str) -> bytes:
        """A rest as it may be kept.

        ``about`` says what it belongs to and by which rules it was counted; it opens for nothing else.
        """
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, pickle.dumps(rest), about.encode(errors="surrogatepass"))

    def open(self, sealed: bytes, about: str) -> Rest | None:
        """The rest; ``None`` where it is of other rules, another version, another key, or damaged."""
        try:
            plain = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode(errors="surrogatepass"))
        except (InvalidTag, ValueError):
            return None
        rest = pickle.loads(plain)  # noqa: S301 - made by us: the seal is whole
        assert isinstance(rest, Rest)
        return rest
