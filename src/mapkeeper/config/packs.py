"""Rules of one's own: the files that a ``[rules]`` table names, read, and what else it says."""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass, field
from pathlib import Path

from mapkeeper.config.files import RulesEntry


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file of rules, as it was read."""

    format: str  # "toml", or the name of the plug-in that reads it: "presidio"
    name: str  # as people know it: "rules/staff.toml"
    prefix: str  # of the ids of its rules: "globex/staff"
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnRules:
    """Rules that hold beside the installed ones, and which of all do not. Can go to another process."""

    files: tuple[RuleFile, ...] = ()
    off: tuple[tuple[str, str], ...] = ()  # where it stands, and a glob of ids
    entities: tuple[tuple[str, str], ...] = ()  # an entity, and its category

    def __add__(self, other: OwnRules) -> OwnRules:
        """Those of a workspace and of one of its clients, whose word on an entity counts more."""
        return OwnRules(self.files + other.files, self.off + other.off, self.entities + other.entities)


def own_rules(entry: RulesEntry, folder: Path, where: str, owner: str, wrong: list[str]) -> OwnRules:
    """Read what a ``[rules]`` table names; what is wrong is added to ``wrong``, a line each.

    Args:
        entry: The table.
        folder: The workspace, where relative paths start.
        where: The file that holds the table.
        owner: The id of the client or provider, with which the ids of the rules begin.
        wrong: Takes the errors.
    """
    files: list[RuleFile] = []
    for key, format, globs in (("packs", "toml", entry.packs), ("presidio", "presidio", entry.presidio)):
        for number, pattern in enumerate(globs):
            names = sorted(glob.glob(pattern, root_dir=folder, recursive=True))  # noqa: PTH207  (takes absolute ones too)
            if not names:
                wrong.append(f"{where}: rules.{key}[{number}]: no file in the workspace fits {pattern!r}")
            for name in names:
                if (file := rule_file(folder / name, name, format, owner, wrong)) is not None and file not in files:
                    files.append(file)
    off = tuple((f"{where}: rules.off[{number}]", pattern) for number, pattern in enumerate(entry.off))
    return OwnRules(tuple(files), off, tuple(entry.entities.items()))


def rule_file(path: Path, name: str, format: str, owner: str, wrong: list[str]) -> RuleFile | None:
    """Read one file of rules; what is wrong with it is added to ``wrong``, and nothing comes back."""
    if not re.fullmatch(r"[\w.-]+", path.stem):
        wrong.append(f"{name}: gives its rules their ids: name it with letters, digits, '.', '_' and '-' only")
        return None
    try:
        return RuleFile(format, name, f"{owner}/{path.stem}", path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        wrong.append(f"{name}: is not UTF-8 text")
    except OSError as error:
        wrong.append(f"{name}: cannot be read: {error.strerror}")
    return None
