"""Buckets: S3 and whatever speaks its protocol.

::

    client         how a bucket is reached: settings, credentials; patience: trying again; failures: what errors mean
    listing        every object below a prefix, page by page
    objects        one object as a stream of bytes, read by ranges or in one go
    held           what the survey holds of an asset, and which of its objects a plan reads
    posture        what the store says of the bucket: exposure, keeping (answers, policy, statement)
    access         what a scan needs, tried and written down; the other buckets of the account
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from mapkeeper import readers
from mapkeeper.plugin import Access, Asset, Batch, Connector, Cut, Fact, Gap, Kind, ReadPlan, Reason, SourceError, Store
from mapkeeper.readers.folding import Folding
from mapkeeper.readers.listed import Listed
from mapkeeper_connectors.s3 import held as holding
from mapkeeper_connectors.s3.client import Settings, address, connect, is_aws
from mapkeeper_connectors.s3.failures import Refusal
from mapkeeper_connectors.s3.held import Held, Relisted
from mapkeeper_connectors.s3.listing import objects
from mapkeeper_connectors.s3.objects import Stream

__all__ = ["S3"]

_REST = "/"
"""The name of what could not be listed: anything in the bucket."""

_OPENED = ("client", "_posture")


@dataclass
class S3(Settings, Connector):
    """A bucket, or what lies below a prefix of it.

    - Objects whose keys differ in a date, a number, a hash or a partition are one asset, a *family*. It is named by
      the pattern of its keys below the last folder of the prefix.
    - What lies in GLACIER or DEEP_ARCHIVE is not read: a gap ``archived``.
    - An object that was replaced since it was listed is a gap ``changed``.
    - A sample of a family is drawn from some of its objects, spread over time.
    """

    @classmethod
    def settings_for(cls, target: str) -> Mapping[str, Any] | None:
        """A URL ``s3://bucket/prefix``; whose credentials are used, and which endpoint, is AWS's configuration's."""
        scheme, separator, rest = target.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme.lower() != "s3" or not separator or "\0" in target or (prefix and not bucket):
            return None
        return {"bucket": bucket, "prefix": prefix}

    @classmethod
    def within(cls, folder: Path, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """A relative path of certificates starts at the workspace."""
        if not (bundle := settings.get("ca_bundle")):
            return settings
        return {**settings, "ca_bundle": str(folder / Path(bundle).expanduser())}

    @functools.cached_property
    def client(self) -> Any:
        """The boto3 client, made when it is first used; not pickled."""
        return connect(self, self.pace)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in _OPENED}

    @property
    def target(self) -> str:
        """The bucket and prefix as a URL."""
        return f"s3://{self.bucket}/{self.prefix}" if self.prefix else f"s3://{self.bucket}"

    def open(self) -> None:
        """Ask for one key. That it may not be listed is for `survey` and `check` to say."""
        if not self.bucket:  # an account, whose buckets can be listed, and nothing else
            return
        with suppress(Refusal):
            next(objects(self.client, self.bucket, self.prefix, self._where, {"MaxKeys": 1, **self._payer}), None)

    def close(self) -> None:
        """Let go of the connections."""
        for name in _OPENED:
            opened = vars(self).pop(name, None)
            if name == "client" and opened is not None:
                with suppress(Exception):
                    opened.close()

    def survey(self) -> Iterator[Asset]:
        """The objects, folded into families, in order of name; where the listing breaks off, a folder with the gap."""
        if not self.bucket:
            raise SourceError(Reason.MISSING, "s3://: names no bucket; 'mapkeeper sources discover s3://' lists them")
        folding = Folding()
        broken: SourceError | None = None
        listed = False
        try:
            for one in objects(self.client, self.bucket, self.prefix, self._where, self._payer):
                listed = True
                folding.add(one._replace(name=one.name[len(self._base) :] or _REST))
        except SourceError as error:
            if not listed:
                raise
            broken = error
        if broken is not None:
            gap = Gap(broken.reason, says="the listing broke off: what comes after is not known")
            yield Asset(_REST, Kind.FOLDER, self._namespace, f"{self._base}*", gap=gap)
        for folded in folding.families():
            held = Held.of(folded)
            yield Asset(
                folded.name,
                Kind.FAMILY if held.count > 1 else Kind.FILE,
                self._namespace,
                self._base + folded.name,
                bytes=held.bytes,
                objects=held.count,
                gap=None if held.readable else next(holding.archived(held)),
                handle=held,
            )

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        """Read objects of an asset in order of name: all, or some that the plan draws."""
        held = _held(asset)
        chosen = held.chosen(plan)
        whole = plan.rows is None and plan.bytes is None
        member = functools.partial(self._member, whole)
        members: Sequence[readers.Member]
        if chosen is not None:
            members = [member(one) for one in chosen]
        else:
            members = Relisted(held.readable, self._again(held), member)
        events = readers.read(members, plan, resume_from)
        left = held.readable - len(members)
        yield from holding.owned_up(events, left) if left else events
        if isinstance(members, Relisted) and (more := members.more):
            yield Gap(Reason.CHANGED, more, "objects that came since they were listed")
        yield from holding.archived(held)

    def stretch(
        self, asset: Asset, start: str | None, size: int, end: str | None = None
    ) -> Iterator[Batch | Gap | Cut]:
        """Read some of the objects of an asset, or a range of a large one; not where they must be listed again."""
        held = _held(asset)
        if (chosen := held.chosen(ReadPlan())) is None:
            yield from self.read(asset, ReadPlan(), start)
            return
        members = [self._member(start is None, one) for one in chosen]
        for event in readers.stretch(members, start, size, end):
            end = event.resume if isinstance(event, Cut) else end
            yield event
        if end is None:
            yield from holding.archived(held)

    def mark(self, asset: Asset) -> str | None:
        """From keys, sizes, ETags and times of modification."""
        return asset.handle.digest if isinstance(asset.handle, Held) else None

    def facts(self, asset: Asset) -> Iterable[Fact]:
        """What the listing says of the asset, and the store of the bucket."""
        return [*_held(asset).facts(), *self._posture]

    def requests(self, asset: Asset, plan: ReadPlan) -> int | None:
        """By the number and the sizes of the objects that the plan reads."""
        return asset.handle.requests(plan) if isinstance(asset.handle, Held) else 0

    def check(self) -> Iterable[Access]:
        """Tries to list, to look at an object and to ask for the bucket's settings."""
        from mapkeeper_connectors.s3 import access

        return access.check(self.client, self.bucket, self.prefix, self.requester_pays)

    def rights(self) -> str | None:
        """An IAM policy."""
        from mapkeeper_connectors.s3 import access

        role, external, region = self.role_arn, self.external_id, self.region
        return access.rights(self.bucket, self.prefix, role_arn=role, external_id=external, region=region)

    @property
    def store(self) -> str | None:
        """The bucket, with the host of the store where that is not AWS."""
        return address(self.bucket, self.endpoint) if self.bucket else None

    def stores(self) -> Iterable[Store]:
        """The buckets of the account."""
        from mapkeeper_connectors.s3 import access

        return access.stores(self.client, self)

    @functools.cached_property
    def _posture(self) -> tuple[Fact, ...]:
        """What the store says of the bucket; asked once."""
        from mapkeeper_connectors.s3 import posture

        return tuple(posture.facts(self.client, self.bucket, is_aws(self.client.meta.endpoint_url)))

    @property
    def _base(self) -> str:
        """The folders that the prefix names; assets are named below them."""
        return self.prefix[: self.prefix.rfind("/") + 1]

    @property
    def _namespace(self) -> str:
        return f"s3://{self.bucket}"

    @property
    def _where(self) -> str:
        return f"s3://{self.bucket}"  # a prefix may name a person

    @property
    def _payer(self) -> dict[str, str]:
        return {"RequestPayer": "requester"} if self.requester_pays else {}

    def _member(self, whole: bool, one: Listed) -> readers.Member:
        return readers.Member(one.name, one.size, functools.partial(self._open, one, whole))

    def _open(self, one: Listed, whole: bool) -> BinaryIO:
        get = functools.partial(self.client.get_object, Bucket=self.bucket, **self._payer)
        return cast("BinaryIO", Stream(get, one._replace(name=self._key(one.name)), whole, self._where))

    def _key(self, name: str) -> str:
        return self._base + ("" if self._base and name == _REST else name)

    def _again(self, held: Held) -> Iterator[Listed]:
        """The objects of a family, listed again."""
        start = self._base + held.shape.start
        start = start if start.startswith(self.prefix) else self.prefix
        for one in objects(self.client, self.bucket, start, self._where, self._payer):
            named = one._replace(name=one.name[len(self._base) :] or _REST)
            if not one.closed and held.shape.holds(named.name):
                yield named


def _held(asset: Asset) -> Held:
    if not isinstance(asset.handle, Held):
        raise SourceError(Reason.MISSING, "the asset comes from no survey of a bucket; survey it first")
    return asset.handle
