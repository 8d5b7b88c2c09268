"""Exposure: whether strangers get at a bucket, and by what.

A bucket is public if its ACL or its policy is, and no block takes that back; where one of these cannot be told, so is
the whole. Both words are meant as AWS means them, see `policy`. What blocks is looked at for this bucket only: an
account may block more.
"""

from __future__ import annotations

from collections.abc import Iterator

from mapkeeper_connectors.s3.answers import ACL, BLOCK, OWNERSHIP, POLICY, STATUS, Answers, Said
from mapkeeper_connectors.s3.policy import Judgement, judge

Value = str | bool | None

_GROUPS = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "everybody (AllUsers)",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "whoever has an account (AuthenticatedUsers)",
}
_NO_ACLS = "BucketOwnerEnforced"
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def exposure(answers: Answers, aws: bool) -> Iterator[tuple[str, Value]]:
    """Names and values of the facts; ``None`` where the store does not say.

    Args:
        answers: What the store said.
        aws: Whether the store is Amazon's, whose word on a policy is taken before our own reading of it.
    """
    rules = answers[OWNERSHIP].data.get("OwnershipControls", {}).get("Rules", ())
    ownership = rules[0].get("ObjectOwnership") if rules else None
    by_acl, acl = _acl(answers, disabled=ownership == _NO_ACLS)
    judged = _judged(answers)
    by_policy = _weighed(answers, judged, aws)
    ignores, restricts = _blocks(answers, "IgnorePublicAcls"), _blocks(answers, "RestrictPublicBuckets")
    if restricts and not aws:
        restricts = None  # Ceph 16 keeps this setting and lets everybody in all the same
    yield "public", _either(_unless(by_acl, ignores), _unless(by_policy, restricts))
    yield "public_acl", acl
    yield "public_policy", _policy(answers, judged, by_policy)
    yield "public_access_block", _block(answers)
    yield "object_ownership", "not set" if answers[OWNERSHIP].said is Said.NONE else ownership
    if ownership != _NO_ACLS and ignores is not True:
        yield "object_acls", "count, and may make single objects public; not asked for one by one"
    yield "tls_only", judged.tls_only


def _acl(answers: Answers, disabled: bool) -> tuple[bool | None, Value]:
    """Whether the bucket's ACL grants something to strangers, and what."""
    if disabled:
        return False, f"disabled ({_NO_ACLS})"
    grants = answers[ACL].data.get("Grants")
    if grants is None:
        return None, None
    found = {
        f"{grant.get('Permission')} to {who}"
        for grant in grants
        if (who := _GROUPS.get(grant.get("Grantee", {}).get("URI", "")))
    }
    return bool(found), ", ".join(sorted(found)) or "nothing to AllUsers or AuthenticatedUsers"


def _judged(answers: Answers) -> Judgement:
    """Our own reading of the policy."""
    if answers[POLICY].said is Said.NONE:
        return Judgement(public=False, tls_only=False, why=("no policy",))
    text = answers[POLICY].data.get("Policy")
    return judge(text) if isinstance(text, str) else Judgement(None, None, ())


def _weighed(answers: Answers, judged: Judgement, aws: bool) -> bool | None:
    """Whether the policy is public, by the store's word and our own reading of it.

    AWS's word is the last. Others judge by less: Ceph 16 calls every policy public that allows something to somebody,
    and every public ACL a public policy, but not one that opens a bucket to whoever sends a certain header. So their
    word only casts doubt on what we read as public.
    """
    if answers[POLICY].said is Said.NONE:
        return False
    told = answers[STATUS].data.get("PolicyStatus", {}).get("IsPublic")
    if told is None or told == judged.public:
        return judged.public
    if aws:
        return bool(told)
    return None if judged.public else judged.public


def _policy(answers: Answers, judged: Judgement, by_policy: bool | None) -> Value:
    """What makes the policy public, or why that cannot be told, in words."""
    told = answers[STATUS].data.get("PolicyStatus", {}).get("IsPublic")
    why = "; ".join(judged.why)
    if told is not None and told != judged.public and answers[POLICY].said is not Said.NONE:
        word = f"the store says {'public' if told else 'not public'}"
        return f"{word}; {why}" if why else word
    if by_policy is False and not why:
        return "no statement for everybody"
    return why or None


def _blocks(answers: Answers, setting: str) -> bool | None:
    """Whether a block is on. A store that does not know blocks has none: unknown must not read as closed."""
    if answers[BLOCK].said in (Said.DENIED, Said.FAILED):
        return None
    return answers[BLOCK].data.get("PublicAccessBlockConfiguration", {}).get(setting) is True


def _block(answers: Answers) -> Value:
    if answers[BLOCK].said is Said.NONE:
        return "none on the bucket; that of the account was not asked for"
    settings = answers[BLOCK].data.get("PublicAccessBlockConfiguration")
    if not settings:
        return None
    on = [name for name in _BLOCKS if settings.get(name) is True]
    return f"{', '.join(on) or 'nothing'} on the bucket; that of the account was not asked for"


def _unless(public: bool | None, blocked: bool | None) -> bool | None:
    if public is False or blocked is True:
        return False
    return None if public is None or blocked is None else True


def _either(one: bool | None, other: bool | None) -> bool | None:
    if True in (one, other):
        return True
    return None if None in (one, other) else False
