"""Answers: what a store says when it is asked about a bucket, one question a setting; nothing but GET."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mapkeeper.plugin import Reason
from mapkeeper_connectors.s3.failures import failed


@dataclass(frozen=True, slots=True)
class Question:
    """One setting of a bucket that a store may be asked for."""

    call: str  # the method of boto3's client
    right: str  # the IAM action that it needs, https://docs.aws.amazon.com/service-authorization, Amazon S3
    tells: str
    none: str | None = None  # the error code that means: nothing is set


class Said(StrEnum):
    """What came back."""

    TOLD = "told"
    NONE = "none"  # nothing is set, and the store says so
    UNKNOWN = "unknown"  # the store does not know the question, or answers beside it
    DENIED = "denied"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``data`` may hold account numbers, so that it is left out of ``repr``."""

    said: Said
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    reason: Reason | None = None  # why it was denied or failed


Answers = Mapping[Question, Answer]

LOCATION = Question("get_bucket_location", "s3:GetBucketLocation", "the region")
ENCRYPTION = Question(
    "get_bucket_encryption",
    "s3:GetEncryptionConfiguration",
    "encryption at rest",
    "ServerSideEncryptionConfigurationNotFoundError",
)
ACL = Question("get_bucket_acl", "s3:GetBucketAcl", "public access by ACL")
POLICY = Question(
    "get_bucket_policy", "s3:GetBucketPolicy", "public access by policy, and TLS only", "NoSuchBucketPolicy"
)
STATUS = Question(
    "get_bucket_policy_status", "s3:GetBucketPolicyStatus", "whether the policy is public", "NoSuchBucketPolicy"
)
BLOCK = Question(
    "get_public_access_block",
    "s3:GetBucketPublicAccessBlock",
    "what blocks public access",
    "NoSuchPublicAccessBlockConfiguration",
)
OWNERSHIP = Question(
    "get_bucket_ownership_controls",
    "s3:GetBucketOwnershipControls",
    "whether ACLs count",
    "OwnershipControlsNotFoundError",
)
LIFECYCLE = Question(
    "get_bucket_lifecycle_configuration",
    "s3:GetLifecycleConfiguration",
    "retention",
    "NoSuchLifecycleConfiguration",
)
REPLICATION = Question(
    "get_bucket_replication",
    "s3:GetReplicationConfiguration",
    "copies in other buckets",
    "ReplicationConfigurationNotFoundError",
)
VERSIONING = Question("get_bucket_versioning", "s3:GetBucketVersioning", "whether old versions are kept")
LOCK = Question(
    "get_object_lock_configuration",
    "s3:GetBucketObjectLockConfiguration",
    "what cannot be deleted",
    "ObjectLockConfigurationNotFoundError",
)
LOGGING = Question("get_bucket_logging", "s3:GetBucketLogging", "where access is logged")
WEBSITE = Question("get_bucket_website", "s3:GetBucketWebsite", "whether it is a website", "NoSuchWebsiteConfiguration")

QUESTIONS = (
    LOCATION,
    ENCRYPTION,
    ACL,
    POLICY,
    STATUS,
    BLOCK,
    OWNERSHIP,
    LIFECYCLE,
    REPLICATION,
    VERSIONING,
    LOCK,
    LOGGING,
    WEBSITE,
)

_IN_VAIN = (Reason.UNREACHABLE, Reason.TIMEOUT)
"""After these, no other question is asked: each would cost the same wait."""


def ask(client: Any, bucket: str) -> Answers:
    """Ask a store everything about a bucket, one request a question; what fails costs its own answer only."""
    answers: dict[Question, Answer] = {}
    for number, question in enumerate(QUESTIONS):
        answers[question] = answer = _ask(client, bucket, question)
        if answer.reason in _IN_VAIN:
            answers |= dict.fromkeys(QUESTIONS[number + 1 :], answer)
            break
    return answers


def _ask(client: Any, bucket: str, question: Question) -> Answer:
    try:
        data = getattr(client, question.call)(Bucket=bucket)
    except Exception as error:  # an answer that is none of S3 breaks botocore's parsers in many ways
        if question.none is not None and _code(error) == question.none:
            return Answer(Said.NONE)
        reason = failed(error, bucket).reason
        if reason is Reason.UNSUPPORTED:
            return Answer(Said.UNKNOWN)
        return Answer(Said.DENIED if reason is Reason.DENIED else Said.FAILED, reason=reason)
    return Answer(Said.TOLD, {name: value for name, value in data.items() if name != "ResponseMetadata"})


def _code(error: Exception) -> str | None:
    """The error code of an answer; ``None`` where there was no answer."""
    code = getattr(error, "response", {}).get("Error", {}).get("Code")
    return None if code is None else str(code)
