"""Access: what a scan needs of a bucket, tried and written down; and the other buckets of the account."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

from mapkeeper.plugin import Access, Reason, Store, is_secret
from mapkeeper_connectors.s3.answers import QUESTIONS, Said, ask
from mapkeeper_connectors.s3.client import Settings, address
from mapkeeper_connectors.s3.failures import failed
from mapkeeper_connectors.s3.posture import CUSTOMER_KEY, encryption

_GRANTED = {Said.TOLD: True, Said.NONE: True, Said.UNKNOWN: None, Said.DENIED: False, Said.FAILED: None}

_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc"}
"""By how a region's name begins; all others are of the partition "aws"."""

_A_PAGE = 1000  # buckets

_MADE_UP = dt.datetime(2009, 2, 3, 16, 45, 9, tzinfo=dt.UTC)
"""When every bucket of OpenStack Swift was made, by its S3 API (`s3api/controllers/service.py`)."""


def check(client: Any, bucket: str, prefix: str = "", requester_pays: bool = False) -> Iterator[Access]:
    """Try what a scan needs: list one name, ask for the head of that object, ask each question of the posture.

    No object is read, and nothing is raised.
    """
    payer = {"RequestPayer": "requester"} if requester_pays else {}
    arn = f"arn:{client.meta.partition}:s3:::{bucket}"
    listed, key = _list_one(client, bucket, prefix, payer)
    below = f", prefix {prefix}" if prefix else ""
    yield Access(f"s3:ListBucket on {arn}{below}", *_found(listed, "needed to list objects"))
    needs = f"s3:GetObject on {arn}/{prefix}*"
    if key is None:
        yield Access(needs, None, "needed to read objects; there is none to try it on")
    else:
        yield Access(needs, *_found(_head(client, bucket, key, payer), "needed to read objects"))
    answers = ask(client, bucket)
    for question in QUESTIONS:
        answer = answers[question]
        says = f"tells {question.tells}"
        if answer.said is Said.UNKNOWN:
            says += "; the store does not know the question"
        elif answer.reason is not None:
            says += f"; {answer.reason.value}"
        yield Access(f"{question.right} on {arn}", _GRANTED[answer.said], says, needed=False)
    if CUSTOMER_KEY in (encryption(answers, aws=False) or ""):
        yield Access("kms:Decrypt on the key of the bucket", None, "needed to read objects; only reading would tell")


def rights(
    bucket: str,
    prefix: str = "",
    *,
    role_arn: str | None = None,
    external_id: str | None = None,
    region: str | None = None,
) -> str:
    """The least IAM policy that a scan needs, as JSON; for a role, that of who may assume it as well.

    What the statement ``OptionalFacts`` grants tells how the bucket is protected; a scan works without it.
    """
    partition = _partition(role_arn, region)
    arn, below = f"arn:{partition}:s3:::{bucket}", f"{_literal(prefix)}*"
    lists: dict[str, Any] = {
        "Sid": "NeededToList",
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": arn,
    }
    if prefix:
        lists["Condition"] = {"StringLike": {"s3:prefix": below}}
    reads = {"Sid": "NeededToRead", "Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{arn}/{below}"}
    tells = {
        "Sid": "OptionalFacts",
        "Effect": "Allow",
        "Action": [question.right for question in QUESTIONS],
        "Resource": arn,
    }
    policy = _document(lists, reads, tells)
    if role_arn is None:
        return policy
    trusts: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::ACCOUNT:root"},
        "Action": "sts:AssumeRole",
    }
    if external_id is not None:
        trusts["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    of_trust = f"Trust policy of {role_arn}, with the number of the account that scans for ACCOUNT:"
    return f"Policy of {role_arn}:\n\n{policy}\n\n{of_trust}\n\n{_document(trusts)}"


def stores(client: Any, settings: Settings) -> Iterator[Store]:
    """Every bucket of the account, with the settings that would reach it the same way.

    Raises:
        SourceError: they cannot be listed.
    """
    given = _given(settings)
    pages = client.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": _A_PAGE})
    try:
        for page in pages:
            for bucket in page.get("Buckets", ()):
                region = bucket.get("BucketRegion")
                reached = {
                    "connector": "s3",
                    "bucket": bucket["Name"],
                    **given,
                    **({"region": region} if region else {}),
                }
                made = bucket.get("CreationDate", _MADE_UP)
                says = "bucket" if made == _MADE_UP else f"bucket, made {made:%Y-%m-%d}"
                says += f", region {region}" if region else ""
                yield Store(address(bucket["Name"], settings.endpoint), reached, says)
    except Exception as error:
        raise failed(error, address(settings.bucket, settings.endpoint)) from None


def _list_one(client: Any, bucket: str, prefix: str, payer: Mapping[str, str]) -> tuple[Reason | None, str | None]:
    """Why the bucket cannot be listed, or else the first key."""
    try:
        page = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1, **payer)
    except Exception as error:
        return failed(error, bucket).reason, None
    return None, next((str(one["Key"]) for one in page.get("Contents", ())), None)


def _head(client: Any, bucket: str, key: str, payer: Mapping[str, str]) -> Reason | None:
    """Why the head of an object is not given."""
    try:
        client.head_object(Bucket=bucket, Key=key, **payer)
    except Exception as error:
        return failed(error, bucket).reason
    return None


def _found(reason: Reason | None, says: str) -> tuple[bool | None, str]:
    """Whether it was granted, and what there is to say."""
    if reason is None:
        return True, says
    return False if reason is Reason.DENIED else None, f"{says}; {reason.value}"


def _partition(role_arn: str | None, region: str | None) -> str:
    if role_arn is not None and role_arn.startswith("arn:"):
        return role_arn.split(":")[1]
    return next((name for begin, name in _PARTITIONS.items() if (region or "").startswith(begin)), "aws")


def _literal(text: str) -> str:
    """A text as IAM takes it literally, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html."""
    return "".join(f"${{{mark}}}" if mark in "*?$" else mark for mark in text)


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2, ensure_ascii=False)


def _given(settings: Settings) -> dict[str, Any]:
    """The settings that are not as they would be anyway, without what may hold a secret."""
    return {
        setting.name: value
        for setting in dataclasses.fields(Settings)
        if setting.name not in ("bucket", "prefix") and not is_secret(setting)
        if (value := getattr(settings, setting.name)) != setting.default
    }
