"""One object as a stream of bytes: by ranges where it is read here and there, in one go where it is read in order."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from mapkeeper.plugin import Reason, SourceError
from mapkeeper.readers.listed import Listed
from mapkeeper_connectors.s3.failures import failed

SMALL = 1 << 20
"""Objects of no more bytes are fetched at once."""

FIRST, MOST = 1 << 18, 1 << 20
"""Bytes of the first range that is fetched at a place; each that follows is twice as long, up to the second."""

PLACES = 64
"""Ranges that are kept: the columns of a table are read by turns."""

STEADY = 2 << 20
"""Bytes read in order after which the rest is asked for in one go."""

DROPS, FAR = 8, 8 << 20
"""Connections that may break before so many more bytes were read."""


class Stream(io.RawIOBase):
    """The bytes of an object as it was listed. Asks for nothing before it is read.

    Where the object was replaced meanwhile, reading raises `SourceError` with ``changed``; a connection that breaks
    is made again where it broke.
    """

    def __init__(self, get: Callable[..., Any], one: Listed, whole: bool, where: str) -> None:
        """``get`` is `get_object` of a client, the bucket given; ``whole``: it will be read from its start to its end.

        ``where`` stands in errors, and is no key.
        """
        super().__init__()
        self._get = get
        self._one = one
        self._where = where
        self._at = 0
        self._next = 0  # where the last reading ended
        self._in_order = STEADY if whole else 0  # bytes
        self._ranges: list[tuple[int, bytes]] = []  # start and contents, the last one used last
        self._body: Any = None
        self._body_at = -1
        self._drops, self._fresh = 0, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where it stands."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go somewhere, without asking the store."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._one.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def close(self) -> None:
        """Let go of the connection."""
        self._drop()
        self._ranges.clear()
        super().close()

    def readinto(self, buffer: Any, /) -> int:
        """What `read` does, into a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        """All that is left."""
        return self.read(self._one.size)

    def read(self, n: int | None = -1, /) -> bytes:
        """So many bytes, fewer only at the end. Raises `SourceError`."""
        left = max(0, self._one.size - self._at)
        left = left if n is None or n < 0 else min(n, left)
        parts = []
        while left > 0:
            data = self._some(left)
            parts.append(data)
            left -= len(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _some(self, n: int) -> bytes:
        """At least one byte from where it stands."""
        if self._at != self._next:
            self._in_order = 0
        data = self._kept(n)
        if data is None:
            steady = self._in_order >= STEADY or (self._body is not None and self._body_at == self._at)
            data = self._streamed(n) if steady else self._ranged(n)
        self._at += len(data)
        self._next = self._at
        self._in_order += len(data)
        return data

    def _kept(self, n: int) -> bytes | None:
        for number, (start, data) in enumerate(self._ranges):
            if 0 <= (skip := self._at - start) < len(data):
                self._ranges.append(self._ranges.pop(number))
                return data[skip : skip + n]
        return None

    def _ranged(self, n: int) -> bytes:
        """From a range that is fetched and kept."""
        length = max(n, FIRST)
        start = self._at
        for number, (begin, data) in enumerate(self._ranges):
            if begin + len(data) == start:  # goes on where this one ends, and takes its place
                length = max(n, min(2 * len(data), MOST))
                del self._ranges[number]
                break
        if self._one.size <= SMALL:
            start, length = 0, self._one.size
        stop = min(start + length, self._one.size)
        while True:
            body, parts, left = self._open(start, stop), [], stop - start
            try:
                while left and (data := body.read(left)):
                    parts.append(data)
                    left -= len(data)
            except _broken() as error:
                self._dropped(error)
                continue
            finally:
                body.close()
            if left:
                self._dropped(None)
                continue
            break
        found = b"".join(parts)
        self._fresh += len(found)
        self._keep(start, found)
        return found[self._at - start :][:n]

    def _streamed(self, n: int) -> bytes:
        """From the rest of the object, which stays open. Its first bytes are kept: what begins is often read again."""
        while True:
            begins = self._body is None or self._body_at != self._at
            if begins:
                self._drop()
                self._body, self._body_at = self._open(self._at, self._one.size), self._at
            body: Any = self._body
            try:
                data: bytes = body.read(max(n, FIRST) if begins else n)
            except _broken() as error:
                self._drop()
                self._dropped(error)
                continue
            if data:
                self._body_at += len(data)
                self._fresh += len(data)
                if begins:
                    self._keep(self._at, data)
                return data[:n]
            self._drop()
            self._dropped(None)

    def _keep(self, start: int, data: bytes) -> None:
        del self._ranges[: max(0, len(self._ranges) + 1 - PLACES)]
        self._ranges.append((start, data))

    def _open(self, start: int, stop: int) -> Any:
        """The body of a part of the object, checked to be of the object that was listed."""
        one = self._one
        asked = {} if (start, stop) == (0, one.size) else {"Range": f"bytes={start}-{stop - 1}"}
        if one.version:
            asked["IfMatch"] = one.version
        try:
            answer = self._get(Key=one.name, **asked)
        except _failing() as error:
            raise failed(error, self._where) from None
        body, length = answer["Body"], answer.get("ContentLength", stop - start)
        if (one.version and answer.get("ETag", one.version) != one.version) or length not in (stop - start, one.size):
            body.close()
            raise SourceError(Reason.CHANGED, f"{self._where}: an object was replaced since it was listed; scan again")
        if length != stop - start:  # the store knows no ranges, and gives the whole
            self._skip(body, start)
        return body

    def _skip(self, body: Any, left: int) -> None:
        try:
            while left > 0 and (data := body.read(min(left, MOST))):
                left -= len(data)
        except _broken() as error:
            body.close()
            raise failed(error, self._where) from None

    def _dropped(self, error: Exception | None) -> None:
        """A connection broke. Raises where that happens again and again."""
        if self._fresh >= FAR:
            self._drops, self._fresh = 0, 0
        self._drops += 1
        if self._drops > DROPS:
            if error is not None:
                raise failed(error, self._where) from None
            says = "the connection broke, again and again; see to the network"
            raise SourceError(Reason.UNREACHABLE, f"{self._where}: {says}") from None

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None


def _failing() -> tuple[type[Exception], ...]:
    """What is raised where an object cannot be asked for."""
    from botocore.exceptions import ClientError

    return (*_broken(), ClientError, ValueError)


def _broken() -> tuple[type[Exception], ...]:
    """What is raised where a body breaks off."""
    from botocore.exceptions import BotoCoreError
    from urllib3.exceptions import HTTPError

    return BotoCoreError, HTTPError, OSError
