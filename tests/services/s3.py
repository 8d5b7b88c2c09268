"""A server that speaks S3 as the tests see it: an address, the keys of an owner, and a client that uses them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any
from uuid import uuid4


@dataclass(frozen=True)
class S3Server:
    """An S3 endpoint and one user of it who owns what the tests put there."""

    name: str
    endpoint_url: str
    access_key: str
    secret_key: str
    region: str
    session_token: str | None = None

    def client(self) -> Any:
        """A boto3 S3 client of the owner."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            aws_session_token=self.session_token,
            region_name=self.region,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",  # what is not AWS knows them badly or not at all
                response_checksum_validation="when_required",
            ),
        )

    def create_bucket(self) -> str:
        """Make an empty bucket; its name."""
        name = f"mapkeeper-test-{uuid4().hex[:12]}"
        elsewhere = ".amazonaws.com" in self.endpoint_url and self.region != "us-east-1"
        where = {"CreateBucketConfiguration": {"LocationConstraint": self.region}} if elsewhere else {}
        self.client().create_bucket(Bucket=name, **where)
        return name

    def remove_bucket(self, name: str) -> None:
        """Delete a bucket with all versions of all that is in it."""
        client = self.client()
        for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
            versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
            if objects:
                client.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
        client.delete_bucket(Bucket=name)


def elsewhere() -> S3Server:
    """The endpoint that the environment names, with the usual variables of AWS; KeyError without its keys."""
    return S3Server(
        "endpoint",
        os.environ["MAPKEEPER_TEST_S3_URL"],
        os.environ["AWS_ACCESS_KEY_ID"],
        os.environ["AWS_SECRET_ACCESS_KEY"],
        os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        os.environ.get("AWS_SESSION_TOKEN"),
    )
