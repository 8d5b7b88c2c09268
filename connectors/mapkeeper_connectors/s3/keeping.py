"""Keeping: how long a bucket keeps what is in it, which copies there are, and what cannot be deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mapkeeper_connectors.s3.answers import LIFECYCLE, LOCK, REPLICATION, VERSIONING, Answers, Said

Value = str | bool | None

_MOST = 20
"""Rules that are told one by one: S3 allows a thousand."""


def keeping(answers: Answers, aws: bool) -> Iterator[tuple[str, Value]]:
    """Names and values of the facts; ``None`` where the store does not say.

    ``retention`` is an ISO 8601 duration, and only there where a rule ends every object of the bucket and, if old
    versions are kept, these too. On AWS an empty answer means that the setting was never made, elsewhere nothing.
    """
    versioning = _versioning(answers, aws)
    yield "versioning", versioning
    if (deletion := answers[VERSIONING].data.get("MFADelete")) or versioning:
        yield "mfa_delete", deletion == "Enabled" if deletion or aws else None
    yield from _lifecycle(answers, versions=versioning != "never enabled")
    yield from _replication(answers)
    yield "object_lock", _lock(answers)


def _versioning(answers: Answers, aws: bool) -> Value:
    status = answers[VERSIONING].data.get("Status")
    if isinstance(status, str) and status:
        return status.lower()
    return "never enabled" if aws and answers[VERSIONING].said is Said.TOLD else None


def _lifecycle(answers: Answers, versions: bool) -> Iterator[tuple[str, Value]]:
    if answers[LIFECYCLE].said is Said.NONE:
        yield "lifecycle", False
        return
    rules = answers[LIFECYCLE].data.get("Rules")
    if rules is None:
        yield "lifecycle", None
        return
    rules = [rule for rule in rules if rule.get("Status") == "Enabled"]
    days = [told for rule in rules if (told := _days(rule, versions)) is not None]
    if days:
        yield "retention", f"P{min(days)}D"
    yield "lifecycle", _listed([f"{_scope(rule)}: {_does(rule)}" for rule in rules]) or "no rule in force"


def _days(rule: Mapping[str, Any], versions: bool) -> int | None:
    """After how many days a rule has ended every object that is put into the bucket, with its old versions."""
    days = rule.get("Expiration", {}).get("Days")
    if not isinstance(days, int) or _scope(rule) != "all objects":
        return None
    if not versions:
        return days
    later = rule.get("NoncurrentVersionExpiration", {})
    more = later.get("NoncurrentDays")
    return None if not isinstance(more, int) or later.get("NewerNoncurrentVersions") else days + more


def _scope(rule: Mapping[str, Any]) -> str:
    """What a rule of a lifecycle or replication is for; tags are counted, as their values may name people."""
    narrow = rule.get("Filter") or {}
    narrow = {**narrow, **(narrow.get("And") or {})}
    prefix = narrow.get("Prefix") or rule.get("Prefix")
    tags = len(narrow.get("Tags") or ()) or int("Tag" in narrow)
    parts = [f"below {prefix}"] if prefix else []
    parts += [f"with {tags} tag{'s' if tags > 1 else ''}"] if tags else []
    parts += [f"over {narrow['ObjectSizeGreaterThan']} bytes"] if narrow.get("ObjectSizeGreaterThan") else []
    parts += [f"under {narrow['ObjectSizeLessThan']} bytes"] if narrow.get("ObjectSizeLessThan") else []
    return " ".join(["objects", *parts]) if parts else "all objects"


def _does(rule: Mapping[str, Any]) -> str:
    """What a rule of a lifecycle does, in words."""
    does = []
    expiration, later = rule.get("Expiration", {}), rule.get("NoncurrentVersionExpiration", {})
    moves = [*rule.get("Transitions", ()), *filter(None, [rule.get("Transition")])]
    does += [f"{move.get('StorageClass', 'another tier')} {_when(move)}" for move in moves]
    if "Days" in expiration or "Date" in expiration:
        does.append(f"deleted {_when(expiration)}")
    for move in rule.get("NoncurrentVersionTransitions", ()):
        does.append(f"old versions {move.get('StorageClass', 'another tier')} after {move.get('NoncurrentDays')} days")
    if later:
        kept = later.get("NewerNoncurrentVersions")
        does.append(
            f"old versions deleted after {later.get('NoncurrentDays')} days"
            + (f", the last {kept} kept" if kept else "")
        )
    if "DaysAfterInitiation" in (uploads := rule.get("AbortIncompleteMultipartUpload", {})):
        does.append(f"unfinished uploads deleted after {uploads['DaysAfterInitiation']} days")
    return ", ".join(does) or "nothing that ends them"


def _when(step: Mapping[str, Any]) -> str:
    return f"after {step['Days']} days" if "Days" in step else f"on {str(step.get('Date', ''))[:10]}"


def _replication(answers: Answers) -> Iterator[tuple[str, Value]]:
    """One fact a rule: where the copies go."""
    if answers[REPLICATION].said is Said.NONE:
        yield "replication", False
        return
    rules = answers[REPLICATION].data.get("ReplicationConfiguration", {}).get("Rules")
    if rules is None:
        yield "replication", None
        return
    going = [rule for rule in rules if rule.get("Status") == "Enabled"]
    for rule in going[:_MOST]:
        to = rule.get("Destination", {})
        account = f" of account {to['Account']}" if to.get("Account") else ""
        yield "replication", f"s3://{str(to.get('Bucket', '')).rpartition(':')[2]}{account}: {_scope(rule)}"
    if not going:
        yield "replication", "no rule in force"
    elif going[_MOST:]:
        yield "replication", f"and {len(going) - _MOST} rules more"


def _lock(answers: Answers) -> Value:
    if answers[LOCK].said is Said.NONE:
        return False
    told = answers[LOCK].data.get("ObjectLockConfiguration", {})
    if told.get("ObjectLockEnabled") != "Enabled":
        return None
    default = told.get("Rule", {}).get("DefaultRetention", {})
    for unit, letter in (("Days", "D"), ("Years", "Y")):
        if default.get(unit):
            return f"{default.get('Mode')} for P{default[unit]}{letter}"
    return "enabled, without a default"


def _listed(rules: Sequence[str]) -> str:
    more = [f"and {len(rules) - _MOST} more"] if rules[_MOST:] else []
    return "; ".join([*rules[:_MOST], *more])
