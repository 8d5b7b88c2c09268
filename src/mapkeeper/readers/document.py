"""JSON documents: one value over many lines, or values behind each other, taken apart into one object a line."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Generator, Iterator

from mapkeeper.readers.json_loose import is_object
from mapkeeper.readers.stream import Stream

LARGEST = 32 << 20
_INLINE = 64 << 10
"""A list of objects within an object stays in it up to this many characters; a longer one is records."""
_BLANK = re.compile(r"[ \t\r\n]*")
_LIST_OF_OBJECTS = re.compile(r"\[[ \t\r\n]*\{")
_DECODER = json.JSONDecoder(strict=False)


class _Broken(Exception):
    """The document is not JSON from here on."""


def is_document(head: bytes, whole: bool) -> bool:
    """Whether a text is JSON, and not one object a line."""
    text = head.decode("utf-8-sig", "ignore").lstrip()
    if text[:1] not in ("{", "["):
        return False
    try:
        value, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        cut = error.msg.startswith("Unterminated") or error.pos >= len(text) - 12
        return cut and (not whole or text.count("\n") > 1) and not is_object(text.partition("\n")[0])
    except RecursionError:
        return False
    return isinstance(value, list) or "\n" in text[:end]


class Document:
    """A document as a content of lines, in memory, measured by the bytes of the document."""

    plain = False

    def __init__(self, stream: Stream) -> None:
        text = stream.read(LARGEST).decode("utf-8-sig", "replace")
        self._lines = io.BytesIO()
        self.broken: str | None = None
        try:
            for record in _records(text):
                line = record.replace("\n", " ").replace("\r", " ")
                self._lines.write(line.encode("utf-8", "replace") + b"\n")
        except _Broken:
            self.broken = "JSON documents that break before their end"
        self._length = self._lines.tell()
        self._taken = stream.disk

    @property
    def disk(self) -> int:
        """Bytes of the member that what was read stands for."""
        return self._taken * self._lines.tell() // max(1, self._length)

    def read(self, n: int, /) -> bytes:
        """The next lines."""
        return self._lines.read(n)

    def seek(self, offset: int, /) -> None:
        """Go to an offset of the lines."""
        self._lines.seek(offset)


def _records(text: str) -> Iterator[str]:
    """The records of a document as JSON objects; raises `_Broken` where it breaks."""
    at = _skip(text, 0)
    while at < len(text):
        if text[at] == "[":
            at = yield from _items(text, at, "")
        elif text[at] == "{":
            at = yield from _object(text, at)
        else:
            raise _Broken
        at = _skip(text, at)


def _items(text: str, at: int, wrap: str) -> Generator[str, None, int]:
    """The items of a list, each as an object; returns where the list ends."""
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        end = _value(text, at)
        item = text[at:end]
        yield f"{{{wrap}:{item}}}" if wrap else item if item.startswith("{") else f'{{"value":{item}}}'
        at = _next(text, end, "]")
    return at + 1


def _object(text: str, at: int) -> Generator[str, None, int]:
    """An object as one record, its long lists of objects as records of their own; returns where it ends."""
    members: list[str] = []
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        if text[at : at + 1] != '"':
            raise _Broken
        key = text[at : (at := _value(text, at))]
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            raise _Broken
        start = at = _skip(text, at + 1)
        if _LIST_OF_OBJECTS.match(text, at):
            items = _items(text, at, f'{key[:-1]}[]"')
            held: list[str] = []
            at = yield from _held(items, held)
            if held and not members and text.startswith("}", _skip(text, at)):
                yield from held  # the list is all there is
            elif held:
                members.append(f"{key}:{text[start:at]}")
        else:
            at = _value(text, at)
            members.append(f"{key}:{text[start:at]}")
        at = _next(text, at, "}")
    if members:
        yield f"{{{','.join(members)}}}"
    return at + 1


def _held(items: Generator[str, None, int], held: list[str]) -> Generator[str, None, int]:
    """Hold items back while they are few; give out all once they are many."""
    size = 0
    while True:
        try:
            item = next(items)
        except StopIteration as over:
            return int(over.value)
        size += len(item)
        if size <= _INLINE:
            held.append(item)
        else:
            yield from held
            held.clear()
            yield item


def _value(text: str, at: int) -> int:
    """Where a value ends."""
    try:
        return int(_DECODER.raw_decode(text, at)[1])
    except (ValueError, RecursionError):
        raise _Broken from None


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _next(text: str, at: int, close: str) -> int:
    """Past a comma, or at the closing bracket."""
    at = _skip(text, at)
    if text[at : at + 1] == ",":
        return _skip(text, at + 1)
    if text[at : at + 1] != close:
        raise _Broken
    return at
