"""Buckets: S3 and whatever speaks its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mapkeeper.plugin import Asset, Batch, Connector, Gap, ReadPlan

__all__ = ["S3"]


@dataclass
class S3(Connector):
    """A bucket, or what lies below a prefix of it."""

    bucket: str

    @property
    def target(self) -> str:
        """The bucket as a URL."""
        return f"s3://{self.bucket}"

    def survey(self) -> Iterator[Asset]:
        """To be written."""
        raise NotImplementedError

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        """To be written."""
        raise NotImplementedError
