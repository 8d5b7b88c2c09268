"""Kinds of file that are known by their first bytes and not read: their names, so that a gap can say what was left."""

from __future__ import annotations

import re

from mapkeeper.model import Gap, Reason

SQLITE = b"SQLite format 3\0"

KINDS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "PDF"),
    (0, SQLITE, "SQLite database"),
    (0, b"Obj\x01", "Avro"),
    (0, b"ORC", "ORC"),
    (0, b"ARROW1", "Arrow file"),
    (0, b"ElfFile\0", "Windows event log (EVTX)"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office document of the old kind, or Outlook message"),
    (0, b"\x7fELF", "ELF program"),
    (0, b"MZ\x90\0", "Windows program"),
    (0, b"\xca\xfe\xba\xbe", "Java class or Mach-O program"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG image"),
    (0, b"\xff\xd8\xff", "JPEG image"),
    (0, b"GIF8", "GIF image"),
    (0, b"II*\0", "TIFF image"),
    (0, b"MM\0*", "TIFF image"),
    (8, b"WEBP", "WebP image"),
    (8, b"WAVE", "WAVE sound"),
    (4, b"ftyp", "MPEG-4 video or HEIF image"),
    (0, b"ID3", "MP3 sound"),
    (0, b"OggS", "Ogg sound or video"),
    (0, b"\x1aE\xdf\xa3", "Matroska video"),
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    (0, b"Rar!\x1a\x07", "RAR archive"),
    (0, b"!<arch>\n", "ar archive"),
    (257, b"ustar", "tar archive"),
    (0, b"\x04\x22\x4d\x18", "LZ4 stream"),
    (0, b"\xff\x06\0\0sNaPpY", "Snappy stream"),
    (0, b"\x1f\x8b", "gzip stream within another"),
    (0, b"\x28\xb5\x2f\xfd", "Zstandard stream within another"),
    (0, b"\xfd7zXZ\0", "xz stream within another"),
    (0, b"LPKSHHRH", "journal of systemd"),
    (0, b"\xd4\xc3\xb2\xa1", "packet capture"),
    (0, b"\xa1\xb2\xc3\xd4", "packet capture"),
    (0, b"\x0a\x0d\x0d\x0a", "packet capture"),
    (0, b"\x89HDF\r\n", "HDF5"),
    (0, b"\x80\x04\x95", "Python pickle"),
    (0, b"\x00asm", "WebAssembly"),
    (0, b"wOF2", "font"),
    (0, b"\0\x01\0\0\0", "font or Access database"),
)
"""Where in a file its mark stands, the mark, and what the file is then called."""

_BESIDES = bytes(sorted({*range(32)} - {*b"\t\n\r\f\b\x1b"} | {127}))
_ENCRYPTED_PDF = re.compile(rb"/Encrypt\b")


def unread(head: bytes, binary: bool) -> Gap | None:
    """The gap that a file costs by its first bytes; ``None``: it may be text.

    ``binary``: whether a file of an unknown kind is told by its control characters.
    """
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(head)
    for offset, magic, name in KINDS:
        if head[offset : offset + len(magic)] == magic:
            if name == "PDF" and _ENCRYPTED_PDF.search(head):
                return Gap(Reason.ENCRYPTED, says="encrypted PDF files")
            return Gap(Reason.UNSUPPORTED, says=f"files that are not read yet: {name}")
    # Text may hold some control characters, colours of a terminal for one; valid UTF-8 is text also with many.
    if binary and _control(head) > (0.3 if _valid(head) else 0.05) * len(head):
        return Gap(Reason.UNSUPPORTED, says="files that are not read yet: binary of an unknown kind")
    return None


def _zip(head: bytes) -> Gap:
    if len(head) > 7 and head[6] & 1:
        return Gap(Reason.ENCRYPTED, says="encrypted zip archives")
    office = {b"word/": "Word document", b"xl/": "Excel workbook", b"ppt/": "PowerPoint document"}
    name = next((name for folder, name in office.items() if folder in head), "zip archive")
    return Gap(Reason.UNSUPPORTED, says=f"files that are not read yet: {name}")


def _control(head: bytes) -> int:
    """How many bytes are no characters of any text, NUL bytes counted lightly: logs cut by a crash are full of them."""
    return len(head) - len(head.translate(None, _BESIDES)) - head.count(0) // 2


def _valid(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4
    return True
