"""The trial of a connector: what its author tells the kit, and how a breach of the contract is told."""

from __future__ import annotations

import hashlib
import pickle
import sysconfig
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mapkeeper.errors import SourceError
from mapkeeper.model import Asset, Reason
from mapkeeper.plugin import Connector


class Refused(AssertionError):
    """A plug-in breaks its contract; the text says which rule, where, and how to mend it, without values."""


@dataclass(frozen=True)
class Trial:
    """A connector, and a small store that its author filled. What is not told is not checked.

    Attributes:
        make: Gives a connector of the store, not open; called often, each time for a new one.
        expect: The readable assets by name, with their number of rows (None: not told). One of them should have
            20 rows or more, or nothing can be left out of it; a few hundred are better.
        unreadable: Names of assets that are seen but cannot be read.
        canary: A text in a value of a readable asset, and best in an unreadable one too; in no name.
        target: What a user types after ``mapkeeper inspect`` to reach the store; None: only a configuration does.
        missing: Gives a connector of a store that is not there.
        change: Changes the contents of the asset of this name.
        vanish: Removes the asset of this name.
        fingerprint: What is equal as long as the store is untouched; `contents` does for a folder.
        processes: Whether another process reaches the store too; False where it is faked inside this one.
    """

    make: Callable[[], Connector]
    expect: Mapping[str, int | None]
    unreadable: Collection[str] = ()
    canary: str | None = None
    target: str | None = None
    missing: Callable[[], Connector] | None = None
    change: Callable[[str], None] | None = None
    vanish: Callable[[str], None] | None = None
    fingerprint: Callable[[], object] | None = None
    processes: bool = True

    def made(self) -> Connector:
        """A new connector, not open."""
        with calling("making the connector"):
            return self.make()

    def copied(self, connector: Connector | None = None) -> Connector:
        """A connector, a new one where none is given, as a worker of a scan gets it: pickled, not open."""
        connector = self.made() if connector is None else connector
        try:
            copy: Connector = pickle.loads(pickle.dumps(connector))  # noqa: S301 - our own bytes
        except Exception as error:
            raise Refused(
                f"the unopened connector does not pickle ({type(error).__name__}); a worker needs it: connect in open, "
                "keep settings only before, define the class at the top of a module"
            ) from None
        return copy

    @contextmanager
    def opened(self, connector: Connector | None = None, how: str = "") -> Iterator[Connector]:
        """A connector, a new one where none is given, open; closed afterwards. ``how`` tells which, in a refusal."""
        connector = self.made() if connector is None else connector
        with calling(f"open{how}"):
            connector.open()
        try:
            yield connector
        finally:
            with calling(f"close{how}"):
                connector.close()

    def assets(self, connector: Connector) -> dict[str, Asset]:
        """The readable assets of an open connector, by name."""
        with calling("survey"):
            return {asset.name: asset for asset in connector.survey() if asset.name in self.expect}


def carried(asset: Asset) -> Asset:
    """An asset as a worker of a scan gets it."""
    try:
        copy: Asset = pickle.loads(pickle.dumps(asset))  # noqa: S301 - our own bytes
    except Exception as error:
        raise Refused(f"an asset's handle does not pickle ({type(error).__name__}); put paths or names there") from None
    return copy


Check = Callable[[Trial], None]
"""One rule of the contract, tried on a connector; raises Refused."""


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Refuse whatever is raised inside, by its type and place: its text may quote values."""
    try:
        yield
    except Refused:
        raise
    except SourceError as error:
        raise Refused(f"{what} raised SourceError ({error.reason}) at {place(error)}; the store is sound") from None
    except Exception as error:
        raise Refused(
            f"{what} raised {type(error).__name__} at {place(error)}; "
            "a method that cannot do its work raises SourceError with a reason, from None"
        ) from None


def source_error(error: Exception, what: str, reasons: Collection[Reason] = frozenset(Reason)) -> None:
    """Refuse an error that is not fit to become a gap: of another type, or with a driver's error behind it.

    Args:
        error: What a connector raised where it may.
        what: The call that raised it.
        reasons: The reason codes that fit the call.
    """
    at = f"{what} raised {type(error).__name__} at {place(error)}"
    if not isinstance(error, SourceError):
        raise Refused(f"{at}; catch it there and raise SourceError with a reason, from None") from None
    if error.reason not in reasons:
        raise Refused(f"{at} without a fitting reason; fitting are {', '.join(sorted(reasons))}") from None
    if not str(error).strip() or len(str(error).splitlines()) != 1:
        raise Refused(f"{at}; its text must be one line: the place, what is wrong, the remedy") from None
    if error.__cause__ is not None or (error.__context__ is not None and not error.__suppress_context__):
        raise Refused(f"{at} with another error behind it, which may quote values; raise it from None") from None


def contents(folder: Path | str) -> dict[str, str]:
    """A fingerprint of a folder: every file below it with a digest of its bytes."""
    root = Path(folder)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def place(error: BaseException) -> str:
    """Where an error was raised: the last line of the plug-in's own that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _own(Path(frame.filename))]
    frame = (own or list(frames))[-1]
    return f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"


def _own(file: Path) -> bool:
    """Whether a file is neither the kit's nor a library's; a compiled library names files that are not there."""
    others = [Path(__file__).parent, *(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib"))]
    return file.is_file() and not any(file.is_relative_to(folder) for folder in others)
