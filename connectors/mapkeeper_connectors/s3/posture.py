"""Posture: what a store says of a bucket: where it lies, how it is protected, who gets at it, how long it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mapkeeper.plugin import Fact
from mapkeeper_connectors.s3.answers import ENCRYPTION, LOCATION, LOGGING, WEBSITE, Answers, Said, ask
from mapkeeper_connectors.s3.exposure import exposure
from mapkeeper_connectors.s3.keeping import keeping

Value = str | bool | None

_OF_OLD = {"EU": "eu-west-1"}
"""What GetBucketLocation calls a region by a name of its own."""

_AWS_KEY = "alias/aws/s3"
CUSTOMER_KEY = "customer managed key"


def facts(client: Any, bucket: str, aws: bool) -> list[Fact]:
    """What the store says of a bucket, in 13 requests or 14, all of them GET or HEAD.

    A value is ``None`` where the store was asked and does not say: it may not know the question, or answer beside it.
    What was denied or failed is named in the fact ``unanswered``. Nothing is raised: a question that fails costs its
    own facts only, and after one that was waited for in vain no other is asked.

    Args:
        client: A boto3 client for S3.
        bucket: Its name.
        aws: Whether the store is Amazon's, where an empty answer has a meaning.
    """
    answers = ask(client, bucket)
    told: list[tuple[str, Value]] = [("region", _region(client, bucket, answers, aws))]
    if aws:
        told.append(("operator", "AWS"))
    told.append(("encryption_at_rest", encryption(answers, aws)))
    told += exposure(answers, aws)
    told += keeping(answers, aws)
    told.append(("access_logging", _logging(answers, aws)))
    told.append(("website", _website(answers)))
    told += _unanswered(answers)
    return [Fact(name, value, "api") for name, value in told]


def _region(client: Any, bucket: str, answers: Answers, aws: bool) -> str | None:
    """The region. GetBucketLocation answers nothing where it means us-east-1, but on AWS only."""
    said = answers[LOCATION]
    told = str(said.data.get("LocationConstraint") or "").strip()
    if not aws:
        return told or None
    if said.said is Said.TOLD:
        return _OF_OLD.get(told, told) or "us-east-1"
    return _region_of_head(client, bucket) if said.said is Said.DENIED else None


def _region_of_head(client: Any, bucket: str) -> str | None:
    """The region as AWS tells it with its answer to HEAD, even with a refusal."""
    try:
        answer = client.head_bucket(Bucket=bucket)
    except Exception as error:
        answer = getattr(error, "response", {})
    told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region")
    return str(told) if told else None


def encryption(answers: Answers, aws: bool) -> str | None:
    """How objects are encrypted that come without a wish of their own, and whose key it is.

    AWS encrypts every new object since January 2023, https://docs.aws.amazon.com/AmazonS3/latest/userguide/
    default-encryption-faq.html.
    """
    if answers[ENCRYPTION].said is Said.NONE:
        return "AES256 (default)" if aws else "nothing set on the bucket"
    rules = answers[ENCRYPTION].data.get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
    default = rules[0].get("ApplyServerSideEncryptionByDefault", {}) if rules else {}
    algorithm = default.get("SSEAlgorithm")
    if not algorithm or not str(algorithm).startswith("aws:kms"):
        return str(algorithm) if algorithm else None
    key = str(default.get("KMSMasterKeyID") or _AWS_KEY)
    return f"{algorithm}, {'AWS managed key' if key.endswith(_AWS_KEY) else CUSTOMER_KEY}"


def _logging(answers: Answers, aws: bool) -> Value:
    """Where the log of who accessed the bucket goes."""
    told = answers[LOGGING].data.get("LoggingEnabled")
    if told and told.get("TargetBucket"):
        return f"s3://{told['TargetBucket']}/{told.get('TargetPrefix', '')}"
    return False if aws and answers[LOGGING].said is Said.TOLD else None


def _website(answers: Answers) -> Value:
    if answers[WEBSITE].said is Said.NONE:
        return False
    data = answers[WEBSITE].data
    return True if data.get("IndexDocument") or data.get("RedirectAllRequestsTo") else None


def _unanswered(answers: Answers) -> Iterator[tuple[str, Value]]:
    """Which questions were denied or failed, by the right that each needs."""
    by_reason: dict[str, list[str]] = {}
    for question, answer in answers.items():
        if answer.reason is not None:
            by_reason.setdefault(answer.reason.value, []).append(question.right)
    if by_reason:
        yield "unanswered", "; ".join(f"{reason}: {', '.join(rights)}" for reason, rights in by_reason.items())
