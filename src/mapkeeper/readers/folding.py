"""Folding: objects become families as they are listed, one by one, in memory that is bounded whatever their names.

Beside what `families` folds, a name may differ in a hash, a UUID or a long number. In a folder of too many patterns,
and in one of a day, names may differ in any number, ``patient_*.csv``, and where that is not enough in all but their
ends, ``inbox/*.eml``; too many folders side by side are folded into one, ``users/*/cv.pdf``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from mapkeeper.readers.family import folder_patterns
from mapkeeper.readers.listed import Family, Listed
from mapkeeper.readers.shape import ALL, Shape, file_fold, folder_fold, numbered, wide_pattern

FOLDERS = 2000
"""Folders side by side …"""
NUMBERED = 100
"""… and of them those whose names are drawn or counted, before they are folded into one."""

_LIMITS = ((300, 512), (300, 8), (300, 4), (100, 3), (30, 3), (10, 2), (3, 2), (1, 2), (1, 1), (1, 0))
"""Patterns a folder, and how many folders deep names are told apart. The next pair is tried where families are too
many; the last leaves one for each depth."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A family when the folding is over."""

    name: str  # a pattern, or the name of the only object there is
    family: Family
    shape: Shape


class Folding:
    """Takes in objects and gives out families.

    Args:
        families: At most so many; at least 600, for names may be 512 folders deep.
        kept: Objects that are kept of a family, while all families together keep no more than ``all_kept``;
            fewer beyond that.
    """

    def __init__(self, families: int = 10_000, kept: int = 256, all_kept: int = 100_000) -> None:
        self._most = families
        self._keep = kept
        self._all_kept = all_kept
        self._root = _Folder()
        self._families = 0
        self._folders = 0
        self._kept = 0
        self._limits = iter(_LIMITS)
        self._patterns, self._depth = next(self._limits)
        self._last = "", self._root  # listings go from folder to folder

    def add(self, one: Listed) -> None:
        """Take in an object."""
        path, slash, last = one.name.rpartition("/")
        if path + slash == self._last[0]:
            folder = self._last[1]
        else:
            folder = self._at(folder_patterns(path.split("/")) if slash else [])
            self._last = path + slash, folder
        key = file_fold(wide_pattern(last), folder.fold_files)
        family = folder.files.get(key)
        if family is None:
            if len(folder.files) >= self._patterns and folder.fold_files < ALL:
                self._fold_files(folder, folder.fold_files + 1)
                return self.add(one)
            if self._crowded(self._most) and self._tighten():
                return self.add(one)
            family = folder.files[key] = Family()
            self._families += 1
        self._kept += family.add(one, self._keep)
        if self._kept > self._all_kept and self._keep > 1:
            self._keep //= 2
            self._kept += sum(each.trim(self._keep) for each in self._all())
        return None

    def families(self) -> Iterator[Folded]:
        """Every family, in order of name; called once, when everything was added."""
        found: dict[str, Folded] = {}
        for folded in self._walk():
            if (before := found.get(folded.name)) is None:
                found[folded.name] = folded
            else:  # an object that is named like a pattern
                before.family.merge(folded.family, self._keep)
        yield from (found[name] for name in sorted(found))

    def _walk(self) -> Iterator[Folded]:
        waiting: list[tuple[tuple[tuple[str, int], ...], _Folder]] = [((), self._root)]
        while waiting:
            path, folder = waiting.pop()
            start = "".join(f"{pattern}/" for pattern, _ in path)
            for key, family in _with_current(folder, self._keep).items():
                files = (key, key[:-1]) if key.endswith("*") and folder.fold_files < 2 else (key,)
                shape = Shape(path, files, folder.fold_files)
                yield Folded(family.first if family.count == 1 else start + key, family, shape)
            waiting += [((*path, (key, folder.fold_folders)), inside) for key, inside in folder.folders.items()]

    def _at(self, patterns: list[str]) -> _Folder:
        """The folder at the end of a way, made where there is none."""
        folder = self._root
        for depth, pattern in enumerate(patterns):
            if depth >= self._depth:
                folder.fold_folders = 2
            key = folder_fold(pattern, folder.fold_folders)
            if (inside := folder.folders.get(key)) is None:
                inside = folder.folders[key] = _Folder()
                inside.fold_files = int(any("*" in one for one in patterns[: depth + 1]))
                self._folders += 1
                folder.numbered += _numbered(key, folder)
                if how := _too_many(folder):
                    self._fold_folders(folder, how)
                    inside = folder.folders[folder_fold(pattern, folder.fold_folders)]
            folder = inside
        return folder

    def _crowded(self, most: int) -> bool:
        return self._families >= most or self._folders >= 5 * most

    def _tighten(self) -> bool:
        """Tell fewer names apart, until there are half as many families as may be; False: that cannot be."""
        for limits in self._limits:
            self._patterns, self._depth = limits
            waiting = [(0, self._root)]
            while waiting:
                depth, folder = waiting.pop()
                if depth >= self._depth:
                    self._fold_folders(folder, 2)
                self._fold_until_few(folder)
                waiting += [(depth + 1, inside) for inside in folder.folders.values()]
            self._last = "", self._root
            if not self._crowded(self._most // 2):
                return True
        return False

    def _fold_until_few(self, folder: _Folder) -> None:
        while len(folder.files) > self._patterns and folder.fold_files < ALL:
            self._fold_files(folder, folder.fold_files + 1)

    def _fold_files(self, folder: _Folder, how: int) -> None:
        """Put families of a folder together, one step further than they are."""
        folder.fold_files = how
        files, folder.files = folder.files, {}
        for key, family in files.items():
            self._put(folder, key, family)

    def _put(self, folder: _Folder, key: str, family: Family) -> None:
        """Put a family where there may be one already."""
        key = file_fold(key, folder.fold_files)
        if (before := folder.files.get(key)) is None:
            folder.files[key] = family
        else:
            self._families -= 1
            self._kept += before.merge(family, self._keep)

    def _fold_folders(self, folder: _Folder, how: int) -> None:
        """Put folders of a folder together: those with names that are drawn (1), or all of them (2)."""
        # In the order in which they come: what is put into a folder is there before that is put into another.
        waiting = deque(_side_by_side(folder, how))
        self._last = "", self._root
        while waiting:
            into, other = waiting.popleft()
            self._folders -= 1
            if other.fold_files > into.fold_files:
                self._fold_files(into, other.fold_files)
            for key, family in other.files.items():
                self._put(into, key, family)
            self._fold_until_few(into)
            waiting += _side_by_side(into, other.fold_folders)
            for pattern, inside in other.folders.items():
                key = folder_fold(pattern, into.fold_folders)
                if (same := into.folders.get(key)) is None:
                    into.folders[key] = inside
                    into.numbered += _numbered(key, into)
                else:
                    waiting.append((same, inside))
            waiting += _side_by_side(into, _too_many(into))

    def _all(self) -> Iterator[Family]:
        waiting = [self._root]
        while waiting:
            folder = waiting.pop()
            yield from folder.files.values()
            waiting += folder.folders.values()


class _Folder:
    """What was added below a folder, or below several that were folded into one."""

    __slots__ = ("files", "fold_files", "fold_folders", "folders", "numbered")

    def __init__(self) -> None:
        self.folders: dict[str, _Folder] = {}
        self.files: dict[str, Family] = {}
        self.numbered = 0  # of the folders, those whose names are drawn
        self.fold_folders = 0  # 0: by pattern; 1: those whose names are drawn are one; 2: all are one
        self.fold_files = 0  # 0: by pattern; 1: by all but numbers; 2: by how they end; 3: all are one


def _side_by_side(folder: _Folder, how: int) -> list[tuple[_Folder, _Folder]]:
    """Fold a folder's folders; gives those that are to be one, as pairs: the second goes into the first."""
    if how <= folder.fold_folders:
        return []
    folder.fold_folders, folder.numbered = how, 0
    pairs = []
    folders, folder.folders = folder.folders, {}
    for pattern, inside in folders.items():
        into = folder.folders.setdefault(folder_fold(pattern, how), inside)
        if into is not inside:
            pairs.append((into, inside))
    return pairs


def _too_many(folder: _Folder) -> int:
    """How a folder's folders must be folded for their number; 0: they need not."""
    if len(folder.folders) > FOLDERS:
        return 2
    return int(folder.numbered > NUMBERED)


def _numbered(key: str, folder: _Folder) -> bool:
    return not folder.fold_folders and numbered(key)


def _with_current(folder: _Folder, most: int) -> dict[str, Family]:
    """The families of a folder, those of logs with the file that is written to today, which has no number yet."""
    if folder.fold_files > 1:
        return folder.files
    found = dict(folder.files)
    for key in [key for key in found if key.endswith("*")]:
        if (current := found.pop(key[:-1], None)) is not None:
            found[key].merge(current, most)
    return found
