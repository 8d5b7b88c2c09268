"""The stream of a member: its content without the compression around it, and how much of the member that took."""

from __future__ import annotations

import bz2
import codecs
import lzma
import zlib
from typing import Any, BinaryIO, Protocol

import pyarrow as pa

from mapkeeper.readers.member import Member

CHUNK = 1 << 18
_INPUT = 1 << 15
_PIECE = 1 << 12
"""Of what is compressed, always so much at a time, whatever is asked for: where a stream breaks, the piece that was
asked for is lost, and a second reading must lose the same."""

CONTAINERS = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"))
"""How a compressed stream begins, and what it is called."""

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class _Source(Protocol):
    def read(self, n: int, /) -> bytes: ...


class Stream:
    """The content of a member, from its start.

    ``disk`` counts the bytes of the member that were taken so far. ``broken`` says in words why the content ends
    before its end (a compressed stream cut short); what came before has been given out by then.
    """

    def __init__(self, member: Member) -> None:
        self._member = member
        self._encoding: str | None = None
        self.container: str | None = None
        self.plain = False  # whether an offset of the content is one of the member, and can be gone to
        self.broken: str | None = None
        self._open()

    def _open(self) -> None:
        self._raw = self._member.open()
        self._counting = _Counting(self._raw)
        self._ahead = b""
        self.broken = None
        magic = _fill(self._counting, 6)
        self._counting.push_back(magic)
        self.container = next((container for start, container in CONTAINERS if magic.startswith(start)), None)
        self.plain = self._member.seekable and self.container is None and self._encoding is None
        self._source: _Source = self._counting
        if self.container == "zstd":
            self._source = _Zstd(self._counting)
        elif self.container is not None:
            self._source = _Inflated(self._counting, self.container)
        if self._encoding is not None:
            self._source = _Transcoded(self._source, self._encoding)

    def close(self) -> None:
        """Close what was opened."""
        self._raw.close()

    @property
    def disk(self) -> int:
        """Bytes of the member that were taken so far."""
        return self._counting.taken

    def read(self, n: int) -> bytes:
        """The next ``n`` bytes of the content, fewer only at its end."""
        parts, have = [self._ahead], len(self._ahead)
        while have < n and self.broken is None:
            try:
                part = self._source.read(min(CHUNK, n - have))
            except (EOFError, zlib.error, lzma.LZMAError, pa.ArrowInvalid, OSError, ValueError) as error:
                self.broken = _words(self.container, error)
                break
            if not part:
                break
            parts.append(part)
            have += len(part)
        data = b"".join(parts)
        self._ahead = data[n:]
        return data[:n]

    def peek(self, n: int) -> bytes:
        """What `read` will give next, without taking it."""
        self._ahead = self.read(max(n, len(self._ahead)))
        return self._ahead[:n]

    def seek(self, offset: int) -> None:
        """Go to an offset of the content: by reading up to it from the start where the stream is not ``plain``."""
        if self.plain:
            self._ahead = b""
            self._counting.seek(offset)
            return
        self.close()
        self._open()
        while offset > 0 and (skipped := self.read(min(CHUNK, offset))):
            offset -= len(skipped)

    def transcode(self, encoding: str) -> None:
        """Start again and give out the content as UTF-8; it was found to be in another encoding."""
        self._encoding = encoding
        self.close()
        self._open()


def encoding_of(head: bytes) -> str | None:
    """The encoding that a byte order mark or the pattern of NUL bytes gives away; ``None``: UTF-8 or unknown."""
    if (marked := _UTF16.get(head[:2])) is not None:
        return marked
    even, odd = head[0::2], head[1::2]
    if len(head) >= 16 and odd.count(0) > 0.4 * len(odd) and even.count(0) < 0.05 * len(even):
        return "utf-16-le"
    if len(head) >= 16 and even.count(0) > 0.4 * len(even) and odd.count(0) < 0.05 * len(odd):
        return "utf-16-be"
    return None


def _fill(source: _Source, n: int) -> bytes:
    data = b""
    while len(data) < n and (part := source.read(n - len(data))):
        data += part
    return data


def _words(container: str | None, error: Exception) -> str:
    if container is None:
        return f"could not be read to its end ({type(error).__name__})"
    return f"the {container} stream ends or breaks before its end"


class _Counting:
    """A raw stream that knows how many bytes it gave out."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._back = b""
        self.taken = 0

    def push_back(self, data: bytes) -> None:
        self._back = data + self._back
        self.taken -= len(data)

    def seek(self, offset: int) -> None:
        self._back = b""
        self._raw.seek(offset)

    def read(self, n: int, /) -> bytes:
        data = self._back[:n] if self._back else self._raw.read(n)
        self._back = self._back[n:]
        self.taken += len(data)
        return data


class _Inflated:
    """Gzip, bzip2 or xz, any number of streams behind each other, a bounded amount at a time."""

    def __init__(self, source: _Counting, container: str) -> None:
        self._source = source
        self._container = container
        self._engine = self._new()
        self._input = b""

    def _new(self) -> Any:
        if self._container == "gzip":
            return zlib.decompressobj(wbits=31)
        return bz2.BZ2Decompressor() if self._container == "bzip2" else lzma.LZMADecompressor()

    def read(self, n: int, /) -> bytes:
        while True:
            if self._engine.eof:
                self._input = self._engine.unused_data.lstrip(b"\0")  # padding may follow, and another stream
                while not self._input and (more := self._source.read(_INPUT)):
                    self._input = more.lstrip(b"\0")
                if not self._input:
                    return b""
                self._engine = self._new()
            elif not self._input and getattr(self._engine, "needs_input", True):
                self._input = self._source.read(_INPUT)
                if not self._input:
                    raise EOFError
            out = self._engine.decompress(self._input, _PIECE)
            self._input = getattr(self._engine, "unconsumed_tail", b"")
            if out:
                return bytes(out)


class _Zstd:
    """Zstandard by Arrow's codec, which needs a file object around the source."""

    def __init__(self, source: _Counting) -> None:
        self._stream = pa.CompressedInputStream(pa.PythonFile(_Readable(source), mode="r"), "zstd")

    def read(self, n: int, /) -> bytes:
        return bytes(self._stream.read(_PIECE))


class _Readable:
    """The least that Arrow wants of a Python file."""

    closed = False

    def __init__(self, source: _Counting) -> None:
        self._source = source

    def read(self, n: int = CHUNK, /) -> bytes:
        return self._source.read(n)

    def close(self) -> None:
        return


class _Transcoded:
    """Another encoding, as UTF-8."""

    def __init__(self, source: _Source, encoding: str) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._left = b""

    def read(self, n: int, /) -> bytes:
        while not self._left:
            data = self._source.read(CHUNK)
            text = self._decoder.decode(data, final=not data)
            self._left = text.encode("utf-8", "replace").removeprefix(codecs.BOM_UTF8)
            if not data and not self._left:
                return b""
        out, self._left = self._left[:n], self._left[n:]
        return out
