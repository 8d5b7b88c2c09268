"""The ``files`` connector: a folder of files, or one file."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from mapkeeper import readers
from mapkeeper.plugin import Access, Asset, Batch, Connector, Cut, Fact, Gap, Kind, ReadPlan, Reason, SourceError
from mapkeeper.readers.family import families
from mapkeeper.readers.kinds import SQLITE

_VERSIONS = frozenset({".git", ".hg", ".svn", ".bzr"})


@dataclass(frozen=True, slots=True)
class _File:
    """A file as the survey saw it."""

    name: str  # below the path of the source
    path: str
    size: int
    mtime_ns: int


@dataclass
class Files(Connector):
    """Files below a folder, or one file. Rotated logs, dated exports and partitions are one asset, a *family*.

    - Files whose names begin with a dot are read too, for personal data hides there, unless ``hidden`` is false.
      Folders of version control (``.git`` and its like) are never read: they are a gap ``excluded``.
    - Symbolic links below the folder are not followed unless ``follow_links``. A link to something below the folder
      costs nothing, as that is read where it lies; a link out of it is a gap ``excluded``, a link to nothing a gap
      ``missing``. Followed, a folder is still listed once, so that loops end. The path itself may be a link.
    - Pipes, sockets and devices are a gap ``unsupported`` and are never opened.
    - A file that changed since the survey is read as it is now, and is a gap ``changed``.
    """

    path: str
    follow_links: bool = False
    hidden: bool = True

    @functools.cached_property
    def _root(self) -> Path:
        return Path(os.path.abspath(Path(self.path).expanduser()))  # noqa: PTH100 - `resolve` would lose links

    @classmethod
    def settings_for(cls, target: str) -> Mapping[str, Any] | None:
        """A folder, or a file that is no SQLite database; also a path at which there is nothing."""
        if not target or "\0" in target:
            return None
        if target.startswith("file://"):
            url = urlsplit(target)
            return {"path": unquote(url.path)} if url.netloc in ("", "localhost") else None
        if "://" in target or target.startswith("env:"):
            return None
        path = Path(target).expanduser()
        try:
            if path.is_file():
                with path.open("rb") as opened:
                    return None if opened.read(len(SQLITE)) == SQLITE else {"path": target}
            return {"path": target} if path.exists() or "/" in target else None
        except OSError:
            return {"path": target}  # there, but not to be read: `open` or `read` says why

    @classmethod
    def within(cls, folder: Path, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """A relative path starts at the workspace."""
        return {**settings, "path": str(folder / Path(settings["path"]).expanduser())}

    @property
    def target(self) -> str:
        """The path as it was given."""
        return self.path

    def open(self) -> None:
        """See whether the path is there and may be looked into."""
        try:
            if stat.S_ISDIR(self._root.stat().st_mode):
                with os.scandir(self._root):
                    pass
        except PermissionError:
            raise SourceError(
                Reason.DENIED, f"{self.path}: no permission; grant read access to the account that scans"
            ) from None
        except OSError:
            raise SourceError(Reason.MISSING, f"{self.path}: there is nothing at this path; correct it") from None

    def check(self) -> Iterator[Access]:
        """Whether the path may be read and, a folder, be entered; what lies deeper shows when it is listed."""
        yield Access(f"read {self.path}", os.access(self._root, os.R_OK), "to see what it holds")
        if self._root.is_dir():
            yield Access(f"enter {self.path}", os.access(self._root, os.X_OK), "to open the files in it")

    def survey(self) -> Iterator[Asset]:
        """The files, folded into families, in order of name."""
        files: dict[str, _File] = {}
        assets = []
        for found in self._walk():
            if isinstance(found, Asset):
                assets.append(found)
            else:
                files[found.name] = found
        for name, members in families(files).items():
            held = tuple(files[member] for member in members)
            size = sum(file.size for file in held)
            kind = Kind.FAMILY if len(held) > 1 else Kind.FILE
            assets.append(self._asset(name, kind, bytes=size, objects=len(held), handle=held))
        yield from sorted(assets, key=lambda asset: asset.name)

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        """Read the files of an asset in order of name."""
        yield from readers.read(_members(asset), plan, resume_from)
        yield from _changes(asset)

    def stretch(
        self, asset: Asset, start: str | None, size: int, end: str | None = None
    ) -> Iterator[Batch | Gap | Cut]:
        """Read some of the files of an asset, or a part of a large one."""
        for event in readers.stretch(_members(asset), start, size, end):
            end = event.resume if isinstance(event, Cut) else end
            yield event
        if end is None:
            yield from _changes(asset)

    def mark(self, asset: Asset) -> str | None:
        """From names, sizes and times of modification."""
        if not (files := _files(asset)):
            return None
        lines = [f"{file.name}\0{file.size}\0{file.mtime_ns}" for file in files]
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

    def facts(self, asset: Asset) -> Iterable[Fact]:
        """Numbers of owners, permissions, whether everybody on the machine may read it, first and last modification."""
        seen = []
        for file in _files(asset):
            try:
                seen.append(Path(file.path).stat())
            except OSError:
                continue
        if not seen:
            return
        days = sorted(day for status in seen if (day := _day(status.st_mtime)) is not None)
        for name, value in (
            ("owner", ", ".join(map(str, sorted({status.st_uid for status in seen})))),  # names are of people
            ("permissions", ", ".join(sorted({f"{stat.S_IMODE(status.st_mode):04o}" for status in seen}))),
            ("public", any(status.st_mode & stat.S_IROTH for status in seen)),
            ("oldest", days[0] if days else None),
            ("newest", days[-1] if days else None),
        ):
            yield Fact(name, value, "metadata")

    def _asset(self, name: str, kind: Kind, **rest: Any) -> Asset:
        base = self._root if self._root.is_dir() else self._root.parent
        return Asset(_text(name), kind, "file", _text(str(base / name)), **rest)

    def _gap(self, name: str, reason: Reason, says: str, kind: Kind = Kind.FILE) -> Asset:
        return self._asset(name, kind, gap=Gap(reason, says=says))

    def _walk(self) -> Iterator[_File | Asset]:
        """Every file below the root, and an asset with a gap for whatever cannot or shall not be read."""
        if not self._root.is_dir():
            yield self._seen(self._root.name, str(self._root))
            return
        folders = [("", str(self._root))]
        listed: set[tuple[int, int]] = set()
        while folders:
            prefix, folder = folders.pop()
            try:
                status = Path(folder).stat()
                if (status.st_dev, status.st_ino) in listed:
                    continue
                listed.add((status.st_dev, status.st_ino))
                with os.scandir(folder) as entries:
                    inside = sorted(entries, key=lambda entry: entry.name)
            except PermissionError:
                yield self._gap(prefix, Reason.DENIED, "no permission to list the folder", Kind.FOLDER)
                continue
            except OSError as error:
                says = f"the folder could not be listed ({type(error).__name__})"
                yield self._gap(prefix, Reason.UNREADABLE, says, Kind.FOLDER)
                continue
            for entry in inside:
                name = prefix + entry.name
                if entry.name.startswith(".") and not self.hidden:
                    continue
                if entry.is_symlink() and (refused := self._link(name, entry.path)) is not None:
                    yield from refused
                elif not entry.is_dir():
                    yield self._seen(name, entry.path)
                elif entry.name in _VERSIONS:
                    yield self._gap(f"{name}/", Reason.EXCLUDED, "folders of version control are not read", Kind.FOLDER)
                else:
                    folders.append((f"{name}/", entry.path))

    def _link(self, name: str, path: str) -> list[Asset] | None:
        """What to yield for a link that is not followed; ``None``: follow it."""
        try:
            real = Path(path).resolve(strict=True)
        except PermissionError:
            return [self._gap(name, Reason.DENIED, "a link to where there is no permission to look")]
        except (OSError, RuntimeError):  # the latter for a link to itself
            return [self._gap(name, Reason.MISSING, "a link to nothing")]
        if real.is_relative_to(self._root.resolve()):
            return []
        if self.follow_links:
            return None
        return [self._gap(name, Reason.EXCLUDED, "a link out of the folder, not followed; set follow_links")]

    def _seen(self, name: str, path: str) -> _File | Asset:
        try:
            status = Path(path).stat()
        except OSError as error:
            reason = Reason.DENIED if isinstance(error, PermissionError) else Reason.MISSING
            return self._gap(name, reason, "the file could not be looked at")
        if stat.S_ISREG(status.st_mode):
            return _File(name, path, status.st_size, status.st_mtime_ns)
        return self._gap(name, Reason.UNSUPPORTED, "a pipe, socket or device, not a file")


def _files(asset: Asset) -> tuple[_File, ...]:
    return asset.handle if isinstance(asset.handle, tuple) else ()


def _members(asset: Asset) -> list[readers.Member]:
    return [readers.Member(file.name, file.size, functools.partial(_open, file.path)) for file in _files(asset)]


def _changes(asset: Asset) -> Iterator[Gap]:
    if changed := [file.name for file in _files(asset) if _changed(file)]:
        yield Gap(Reason.CHANGED, len(changed), "objects that changed since they were listed", changed[0])


def _open(path: str) -> BinaryIO:
    """Open a file, without waiting where something else has taken its name."""
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise SourceError(Reason.CHANGED, "there is no file any more, but something else")
    return os.fdopen(opened, "rb")


def _changed(file: _File) -> bool:
    try:
        status = Path(file.path).stat()
    except OSError:
        return False  # gone or closed to us: reading it said so
    return (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns)


def _day(seconds: float) -> str | None:
    """The day of a moment; ``None`` for what no calendar holds: some file systems give out such times."""
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return None


def _text(name: str) -> str:
    """A name as text, also where the file system holds bytes that are none."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
