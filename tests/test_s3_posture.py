"""What a bucket says of itself: its exposure, its encryption, how long it keeps; and what it does not say."""

from __future__ import annotations

import json
import string
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from mapkeeper_connectors.s3 import posture
from mapkeeper_connectors.s3.policy import judge
from mapkeeper_connectors.s3.statement import begins, covers
from services.ceph import CephServer
from services.s3 import S3Server

BOTH = ["arn:aws:s3:::acme", "arn:aws:s3:::acme/*"]
OBJECTS = "arn:aws:s3:::acme/*"
SOMEBODY = {"AWS": "arn:aws:iam::111122223333:root"}


def policy(*statements: dict[str, Any] | str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(**other: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": OBJECTS, **other}


def deny(**other: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": BOTH, **other}


def under(operator: str, key: str, *values: object) -> dict[str, Any]:
    listed = list(values)
    return {"Condition": {operator: {key: listed if len(listed) > 1 else listed[0]}}}


WITHOUT_TLS = under("Bool", "aws:SecureTransport", "false")
NOT_OURS = under("NotIpAddress", "aws:SourceIp", "203.0.113.0/24")

VERDICTS: dict[str, tuple[str, bool | None]] = {
    "everybody reads": (policy(allow()), True),
    "everybody, as a list": (policy(allow(Principal={"AWS": ["*"]})), True),
    "everybody, among others": (policy(allow(Principal={"AWS": [SOMEBODY["AWS"], "*"]})), True),
    "one statement, not in a list": (json.dumps({"Statement": allow()}), True),
    "keys in other cases": (json.dumps({"statement": [{k.upper(): v for k, v in allow().items()}]}), True),
    "an action in other cases": (policy(allow(Action="S3:GETOBJECT")), True),
    "every action": (policy(allow(Action="*")), True),
    "a pattern of actions": (policy(allow(Action="s3:?et*")), True),
    "settings only": (policy(allow(Action="s3:GetBucketLocation", Resource=BOTH[0])), True),
    "writes only": (policy(allow(Action="s3:PutObject")), True),
    "nothing that exposes": (policy(allow(Action="s3:CreateJob")), False),
    "all actions but one": (policy(allow(NotAction="s3:DeleteBucket") | {"Action": None}), None),
    "all but one action": (policy({k: v for k, v in allow(NotAction="s3:PutObject").items() if k != "Action"}), True),
    "all but all actions": (policy({k: v for k, v in allow(NotAction="s3:*").items() if k != "Action"}), False),
    "somebody": (policy(allow(Principal=SOMEBODY)), False),
    "a service": (policy(allow(Principal={"Service": "cloudtrail.amazonaws.com"})), False),
    "a canonical user": (policy(allow(Principal={"CanonicalUser": "79a59df900b949e5"})), False),
    "a principal with a wildcard": (policy(allow(Principal={"AWS": "arn:aws:iam::*:role/scan"})), True),
    "a principal by a variable": (policy(allow(Principal={"AWS": "${aws:username}"})), True),
    "everybody but somebody": (
        policy({k: v for k, v in allow(NotPrincipal=SOMEBODY).items() if k != "Principal"}),
        True,
    ),
    "everybody but everybody": (policy({k: v for k, v in allow(NotPrincipal="*").items() if k != "Principal"}), None),
    "from a network": (policy(allow(**under("IpAddress", "aws:SourceIp", "203.0.113.0/24"))), False),
    "from a network of IPv6": (policy(allow(**under("IpAddress", "aws:SourceIp", "2001:db8::/32"))), False),
    "from a /8": (policy(allow(**under("IpAddress", "aws:SourceIp", "10.0.0.0/8"))), False),
    "from a /7": (policy(allow(**under("IpAddress", "aws:SourceIp", "10.0.0.0/7"))), True),
    "from anywhere": (policy(allow(**under("IpAddress", "aws:SourceIp", "0.0.0.0/0"))), True),
    "from anywhere in IPv6": (policy(allow(**under("IpAddress", "aws:SourceIp", "203.0.113.0/24", "::/0"))), True),
    "from two halves": (policy(allow(**under("IpAddress", "aws:SourceIp", "0.0.0.0/1", "128.0.0.0/1"))), True),
    "from no network": (policy(allow(**under("IpAddress", "aws:SourceIp", "our office"))), True),
    "from elsewhere": (policy(allow(**under("NotIpAddress", "aws:SourceIp", "203.0.113.0/24"))), True),
    "an address as a text": (policy(allow(**under("StringLike", "aws:SourceIp", "203.0.113.7"))), True),
    "from a VPC": (policy(allow(**under("StringEquals", "aws:SourceVpc", "vpc-91237329"))), False),
    "from a VPC, in other cases": (policy(allow(**under("StringEquals", "AWS:sourcevpc", "vpc-91237329"))), False),
    "from any VPC": (policy(allow(**under("StringLike", "aws:SourceVpc", "vpc-*"))), True),
    "from a VPC or any other": (policy(allow(**under("StringLike", "aws:SourceVpc", "vpc-91237329", "vpc-*"))), True),
    "from a VPC, if any": (policy(allow(**under("StringEqualsIfExists", "aws:SourceVpc", "vpc-91237329"))), True),
    "from a VPC, all of none": (policy(allow(**under("ForAllValues:StringEquals", "aws:SourceVpc", "vpc-9"))), True),
    "from a VPC, any of them": (policy(allow(**under("ForAnyValue:StringEquals", "aws:SourceVpc", "vpc-9"))), False),
    "from a VPC and a page": (
        policy(allow(Condition={"StringEquals": {"aws:SourceVpc": "vpc-9"}, "StringLike": {"aws:Referer": "*"}})),
        False,
    ),
    "not from a VPC": (policy(allow(**under("StringNotEquals", "aws:SourceVpc", "vpc-9"))), True),
    "from a page": (policy(allow(**under("StringLike", "aws:Referer", "https://acme.example/*"))), True),
    "from a program": (policy(allow(**under("StringEquals", "aws:UserAgent", "a word to pass"))), True),
    "by TLS": (policy(allow(**under("Bool", "aws:SecureTransport", "true"))), True),
    "of an organisation": (policy(allow(**under("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"))), False),
    "of any organisation": (policy(allow(**under("StringLike", "aws:PrincipalOrgID", "o-*"))), True),
    "sessions of a role": (policy(allow(**under("StringLike", "aws:userid", "AROAEXAMPLEID:*"))), False),
    "any session": (policy(allow(**under("StringLike", "aws:userid", "*:session"))), True),
    "by access points of an account": (
        policy(
            allow(**under("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:eu-west-3:111122223333:accesspoint/*")),
        ),
        False,
    ),
    "by access points of all": (
        policy(allow(**under("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:eu-west-3:*:accesspoint/x"))),
        True,
    ),
    "a value by a variable": (policy(allow(**under("StringEquals", "aws:SourceVpc", "${aws:SourceVpc}"))), True),
    "no values": (policy(allow(Condition={"StringEquals": {"aws:SourceVpc": []}})), True),
    "a Deny takes all of it back": (policy(allow(), deny()), False),
    "a Deny of other actions": (policy(allow(), deny(Action="s3:PutObject")), True),
    "a Deny of other objects": (policy(allow(), deny(Resource="arn:aws:s3:::acme/secret/*")), True),
    "a Deny of a part": (policy(allow(Action=["s3:GetObject", "s3:ListBucket"]), deny(Action="s3:GetObject")), True),
    "two Denies of the parts": (
        policy(
            allow(Action=["s3:GetObject", "s3:ListBucket"], Resource=BOTH),
            deny(Action="s3:Get*"),
            deny(Action="s3:List*"),
        ),
        False,
    ),
    "a Deny of somebody": (policy(allow(), deny(Principal=SOMEBODY)), True),
    "a Deny of all but somebody": (
        policy(allow(), {k: v for k, v in deny(NotPrincipal=SOMEBODY).items() if k != "Principal"}),
        False,
    ),
    "a Deny from elsewhere": (policy(allow(), deny(**NOT_OURS)), False),
    "a Deny from elsewhere or another VPC": (
        policy(
            allow(),
            deny(Condition={**NOT_OURS["Condition"], "StringNotEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}),
        ),
        False,
    ),
    "a Deny from here": (policy(allow(), deny(**under("IpAddress", "aws:SourceIp", "203.0.113.0/24"))), None),
    "a Deny without TLS": (policy(allow(), deny(**WITHOUT_TLS)), True),
    "a Deny that cannot be weighed": (policy(allow(), deny(**under("StringNotLike", "aws:Referer", "x"))), None),
    "a Deny of all but some actions": (
        policy(allow(), {k: v for k, v in deny(NotAction="s3:PutObject").items() if k != "Action"}),
        None,
    ),
    "somebody and everybody": (policy(allow(Principal=SOMEBODY), allow()), True),
    "in doubt and public": (
        policy(allow(Action="s3:Put*"), allow(), deny(Action="s3:P*", **under("Null", "x", "true"))),
        True,
    ),
    "no statement": (policy(), None),
    "no policy": ("", None),
    "no JSON": ("<ListBucketResult/>", None),
    "a list": ("[]", None),
    "a statement that is a text": (policy("Allow"), None),
    "no effect": (policy({k: v for k, v in allow().items() if k != "Effect"}), None),
    "another effect": (policy(allow(Effect="allow")), None),
    "no principal": (policy({k: v for k, v in allow().items() if k != "Principal"}), None),
    "no principals": (policy(allow(Principal={"AWS": []})), None),
    "two principals": (policy(allow(NotPrincipal="*")), None),
    "a number for a principal": (policy(allow(Principal={"AWS": 111122223333})), None),
    "null for a principal": (policy(allow(Principal=None)), None),
    "a key twice": ('{"Statement": {"Effect": "Allow", "effect": "Deny"}}', None),
    "a condition that is a text": (policy(allow(Condition="StringEquals")), None),
    "a condition without a key": (policy(allow(Condition={"StringEquals": "vpc-9"})), None),
    "too long": (policy(allow(Sid="x" * 21_000)), None),
    "nested without end": ('{"Statement":' * 5_000, None),
}


@pytest.mark.parametrize(("written", "expected"), VERDICTS.values(), ids=list(VERDICTS))
def test_a_policy_is_public_as_aws_means_it(written: str, expected: bool | None) -> None:
    assert judge(written).public is expected


TLS: dict[str, tuple[str, bool | None]] = {
    "all without TLS": (policy(deny(**WITHOUT_TLS)), True),
    "with a boolean": (policy(deny(**under("Bool", "aws:SecureTransport", False))), True),
    "of every resource": (policy(deny(Resource="*", **WITHOUT_TLS)), True),
    "of everybody in a list": (policy(deny(Principal={"AWS": ["*"]}, Action=["s3:*"], **WITHOUT_TLS)), True),
    "objects only": (policy(deny(Resource=OBJECTS, **WITHOUT_TLS)), False),
    "the bucket only": (policy(deny(Resource=BOTH[0], **WITHOUT_TLS)), False),
    "some objects": (policy(deny(Resource=[BOTH[0], "arn:aws:s3:::acme/a/*"], **WITHOUT_TLS)), False),
    "reads only": (policy(deny(Action="s3:GetObject", **WITHOUT_TLS)), False),
    "with TLS": (policy(deny(**under("Bool", "aws:SecureTransport", "true"))), False),
    "somebody's": (policy(deny(Principal=SOMEBODY, **WITHOUT_TLS)), False),
    "all but somebody's objects": (policy({k: v for k, v in deny(NotResource="x").items() if k != "Resource"}), False),
    "under another condition as well": (
        policy(deny(Condition={"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}})),
        False,
    ),
    "an Allow": (policy(allow(Principal=SOMEBODY, **under("Bool", "aws:SecureTransport", "true"))), False),
    "no policy": ("", None),
}


@pytest.mark.parametrize(("written", "expected"), TLS.values(), ids=list(TLS))
def test_a_policy_insists_on_tls_if_it_denies_everything_else(written: str, expected: bool | None) -> None:
    assert judge(written).tls_only is expected


def test_the_reason_names_the_statement_and_no_principal() -> None:
    written = policy(allow(Principal=SOMEBODY), allow(Sid="Press", Principal={"AWS": ["*", SOMEBODY["AWS"]]}))
    assert judge(written).why == ("statement Press lets everybody read objects",)
    below = allow(Action=["s3:ListBucket", "s3:Put*"], Resource=["arn:aws:s3:::acme/open/*"])
    referer = under("StringLike", "aws:Referer", "https://acme.example/*")
    assert judge(policy(below | referer)).why == (
        "statement 1 lets everybody list names, write or delete of open/* under conditions on aws:referer",
    )


PATTERNS = st.text("ab*?", max_size=6)
NAMES = st.text("ab", max_size=4)


def matches(pattern: str, text: str) -> bool:
    """The plain meaning of a pattern."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return matches(pattern[1:], text) or bool(text and matches(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and matches(pattern[1:], text[1:])


@given(PATTERNS, NAMES)
def test_a_pattern_covers_a_text_that_it_matches(pattern: str, text: str) -> None:
    assert covers(pattern, text) == matches(pattern, text)


@given(PATTERNS, PATTERNS, NAMES)
def test_what_the_narrower_pattern_matches_the_wider_one_does(wide: str, narrow: str, text: str) -> None:
    if covers(wide, narrow) and matches(narrow, text):
        assert matches(wide, text)


@given(PATTERNS, NAMES, NAMES)
def test_a_pattern_begins_with_what_something_it_matches_begins_with(pattern: str, begin: str, rest: str) -> None:
    if matches(pattern, begin + rest):
        assert begins(pattern, begin)


@given(PATTERNS, NAMES)
def test_a_pattern_begins_with_nothing_that_all_it_matches_lacks(pattern: str, begin: str) -> None:
    longest = len(pattern) + len(begin) + 1
    if begins(pattern, begin):
        assert any(matches(pattern, begin + "".join(rest)) for n in range(longest) for rest in product("ab", repeat=n))


FIXED = st.sampled_from(
    [
        under("IpAddress", "aws:SourceIp", "198.51.100.0/24"),
        under("StringEquals", "aws:SourceVpce", "vpce-1a2b3c4d"),
        under("StringEquals", "aws:SourceAccount", "111122223333"),
        under("ArnEquals", "aws:SourceArn", "arn:aws:sns:eu-west-3:111122223333:news"),
    ]
)
LOOSE = st.sampled_from(
    [{}, WITHOUT_TLS, under("StringLike", "aws:Referer", "*"), under("StringLike", "aws:SourceVpc", "vpc-*")]
)
ACTIONS = st.lists(st.sampled_from(["s3:GetObject", "s3:List*", "s3:PutObject", "*"]), min_size=1, max_size=3)
RESOURCES = st.lists(st.sampled_from([*BOTH, "arn:aws:s3:::acme/a/*"]), min_size=1, max_size=3)
STATEMENTS = st.builds(
    lambda principal, actions, resources, condition: allow(
        Principal=principal, Action=actions, Resource=resources, **condition
    ),
    st.sampled_from(["*", {"AWS": "*"}, SOMEBODY, {"Service": "logging.s3.amazonaws.com"}]),
    ACTIONS,
    RESOURCES,
    st.one_of(FIXED, LOOSE),
)


@given(st.lists(STATEMENTS, min_size=1, max_size=4), STATEMENTS)
def test_one_more_allow_never_makes_a_public_policy_private(
    statements: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    before, after = judge(policy(*statements)).public, judge(policy(*statements, more)).public
    assert after or not before


@given(st.lists(STATEMENTS, min_size=1, max_size=4), FIXED)
def test_a_fixed_condition_on_every_allow_makes_a_policy_private(statements: list[dict[str, Any]], fixed: Any) -> None:
    held = [{**one, "Condition": {**one.get("Condition", {}), **fixed["Condition"]}} for one in statements]
    assert judge(policy(*held)).public is False


@given(st.lists(STATEMENTS, min_size=1, max_size=4))
def test_a_deny_of_everything_makes_a_policy_private(statements: list[dict[str, Any]]) -> None:
    assert judge(policy(*statements, deny(Resource="*"))).public is False


@given(st.permutations(["open", "held", "denied"]), ACTIONS, RESOURCES)
def test_the_order_of_statements_means_nothing(order: list[str], actions: list[str], resources: list[str]) -> None:
    statements = {
        "open": allow(Action=actions, Resource=resources),
        "held": allow(Principal=SOMEBODY),
        "denied": deny(Action="s3:List*"),
    }
    expected = judge(policy(*statements.values()))
    told = judge(policy(*(statements[name] for name in order)))
    assert (told.public, told.tls_only) == (expected.public, expected.tls_only)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["*", "Allow", "Deny"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Statement", "Effect", "Principal", "NotPrincipal", "Action", "Resource", "Condition", "AWS"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_stands_in_a_policy_is_judged_or_unknown(content: object) -> None:
    assert judge(json.dumps({"Statement": content})).public in (True, False, None)


@given(st.text(string.printable, max_size=60))
def test_a_text_that_is_no_policy_is_unknown(content: str) -> None:
    assert judge(content).public is None


# What a store answers, by hand: AWS and stores that answer in other ways


def answered(**answers: dict[str, Any] | str) -> Any:
    """A client whose store answers so: an error code, or what it says; what is not given is not set, as AWS says it."""
    replies: dict[str, dict[str, Any] | str] = {
        "get_bucket_location": {"LocationConstraint": "eu-west-3"},
        "get_bucket_encryption": "ServerSideEncryptionConfigurationNotFoundError",
        "get_bucket_acl": {"Grants": []},
        "get_bucket_policy": "NoSuchBucketPolicy",
        "get_bucket_policy_status": "NoSuchBucketPolicy",
        "get_public_access_block": "NoSuchPublicAccessBlockConfiguration",
        "get_bucket_ownership_controls": "OwnershipControlsNotFoundError",
        "get_bucket_lifecycle_configuration": "NoSuchLifecycleConfiguration",
        "get_bucket_replication": "ReplicationConfigurationNotFoundError",
        "get_bucket_versioning": {},
        "get_object_lock_configuration": "ObjectLockConfigurationNotFoundError",
        "get_bucket_logging": {},
        "get_bucket_website": "NoSuchWebsiteConfiguration",
    }
    client = boto3.client("s3", region_name="eu-west-3", aws_access_key_id="k", aws_secret_access_key="s")
    stub = Stubber(client)
    for call, reply in (replies | answers).items():
        if isinstance(reply, dict):
            stub.add_response(call, reply, {"Bucket": "acme"})
        else:
            status = {"AccessDenied": 403, "NotImplemented": 501, "MethodNotAllowed": 405}.get(reply, 404)
            stub.add_client_error(call, reply, http_status_code=status)
    stub.activate()
    return client


def told(client: Any, aws: bool = True, bucket: str = "acme") -> dict[str, object]:
    facts = posture.facts(client, bucket, aws)
    assert {fact.method for fact in facts} == {"api"}
    seen = Counter(fact.name for fact in facts)
    assert all(count == 1 or name == "replication" for name, count in seen.items())
    return {fact.name: fact.value for fact in facts}


def granted(group: str, permission: str = "READ") -> dict[str, Any]:
    uri = f"http://acs.amazonaws.com/groups/{group}"
    return {"Grants": [{"Grantee": {"Type": "Group", "URI": uri}, "Permission": permission}]}


def blocks(**settings: bool) -> dict[str, Any]:
    every = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False)
    return {"PublicAccessBlockConfiguration": every | settings}


OPEN = {"Policy": policy(allow(Sid="Press"))}
SHUT = {"Policy": policy(allow(Principal=SOMEBODY))}
PUBLIC, PRIVATE = {"PolicyStatus": {"IsPublic": True}}, {"PolicyStatus": {"IsPublic": False}}
ENFORCED = {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}

EXPOSURES: dict[str, tuple[dict[str, Any], bool, bool | None]] = {
    "nothing is set": ({}, True, False),
    "an ACL for all": ({"get_bucket_acl": granted("global/AllUsers")}, True, True),
    "an ACL for all who have an account": ({"get_bucket_acl": granted("global/AuthenticatedUsers")}, True, True),
    "an ACL for the delivery of logs": ({"get_bucket_acl": granted("s3/LogDelivery", "WRITE")}, True, False),
    "an ACL that is ignored": (
        {"get_bucket_acl": granted("global/AllUsers"), "get_public_access_block": blocks(IgnorePublicAcls=True)},
        True,
        False,
    ),
    "an ACL, and new ones are blocked": (
        {"get_bucket_acl": granted("global/AllUsers"), "get_public_access_block": blocks(BlockPublicAcls=True)},
        True,
        True,
    ),
    "an ACL that is disabled": (
        {"get_bucket_acl": granted("global/AllUsers"), "get_bucket_ownership_controls": ENFORCED},
        True,
        False,
    ),
    "an ACL, the block is denied": (
        {"get_bucket_acl": granted("global/AllUsers"), "get_public_access_block": "AccessDenied"},
        True,
        None,
    ),
    "an ACL, and a store without blocks": (
        {"get_bucket_acl": granted("global/AllUsers"), "get_public_access_block": "NotImplemented"},
        False,
        True,
    ),
    "the ACL is denied": ({"get_bucket_acl": "AccessDenied"}, True, None),
    "the ACL is denied, the policy public": (
        {"get_bucket_acl": "AccessDenied", "get_bucket_policy": OPEN, "get_bucket_policy_status": PUBLIC},
        True,
        True,
    ),
    "a public policy": ({"get_bucket_policy": OPEN, "get_bucket_policy_status": PUBLIC}, True, True),
    "a public policy that is restricted": (
        {
            "get_bucket_policy": OPEN,
            "get_bucket_policy_status": PUBLIC,
            "get_public_access_block": blocks(RestrictPublicBuckets=True),
        },
        True,
        False,
    ),
    "a public policy, and new ones are blocked": (
        {
            "get_bucket_policy": OPEN,
            "get_bucket_policy_status": PUBLIC,
            "get_public_access_block": blocks(BlockPublicPolicy=True),
        },
        True,
        True,
    ),
    "a private policy": ({"get_bucket_policy": SHUT, "get_bucket_policy_status": PRIVATE}, True, False),
    "AWS's word before our own": ({"get_bucket_policy": OPEN, "get_bucket_policy_status": PRIVATE}, True, False),
    "only the status may be asked for": (
        {"get_bucket_policy": "AccessDenied", "get_bucket_policy_status": PUBLIC},
        True,
        True,
    ),
    "only the policy may be asked for": (
        {"get_bucket_policy": OPEN, "get_bucket_policy_status": "AccessDenied"},
        True,
        True,
    ),
    "neither may be asked for": (
        {"get_bucket_policy": "AccessDenied", "get_bucket_policy_status": "AccessDenied"},
        True,
        None,
    ),
    "no status, a private policy": (
        {"get_bucket_policy": SHUT, "get_bucket_policy_status": "NotImplemented"},
        False,
        False,
    ),
    "no status, a policy that is none": (
        {"get_bucket_policy": {"Policy": "{}"}, "get_bucket_policy_status": "NotImplemented"},
        False,
        None,
    ),
    "another store's private against our public": (
        {"get_bucket_policy": OPEN, "get_bucket_policy_status": PRIVATE},
        False,
        None,
    ),
    "another store's public against our private": (
        {"get_bucket_policy": SHUT, "get_bucket_policy_status": PUBLIC},
        False,
        False,
    ),
    "a status that speaks of the ACL": (
        {
            "get_bucket_policy": SHUT,
            "get_bucket_policy_status": PUBLIC,
            "get_bucket_acl": granted("global/AllUsers"),
            "get_public_access_block": blocks(IgnorePublicAcls=True),
        },
        False,
        False,
    ),
    "a store that answers beside every question": (
        {
            "get_bucket_acl": {},
            "get_bucket_policy": {},
            "get_bucket_policy_status": {},
            "get_public_access_block": {},
            "get_bucket_ownership_controls": {},
        },
        False,
        None,
    ),
    "a store that knows no policies": (
        {"get_bucket_policy": "NotImplemented", "get_bucket_policy_status": "NotImplemented"},
        False,
        None,
    ),
}


@pytest.mark.parametrize(("answers", "aws", "expected"), EXPOSURES.values(), ids=list(EXPOSURES))
def test_a_bucket_is_public_where_something_opens_it_and_nothing_takes_that_back(
    answers: dict[str, Any], aws: bool, expected: bool | None
) -> None:
    assert told(answered(**answers), aws)["public"] is expected


def test_a_public_bucket_shows_its_evidence() -> None:
    facts = told(
        answered(
            get_bucket_acl=granted("global/AllUsers"),
            get_bucket_policy=OPEN,
            get_bucket_policy_status=PUBLIC,
            get_public_access_block=blocks(BlockPublicAcls=True, BlockPublicPolicy=True),
        )
    )
    assert facts["public_acl"] == "READ to everybody (AllUsers)"
    assert facts["public_policy"] == "statement Press lets everybody read objects"
    assert facts["public_access_block"] == (
        "BlockPublicAcls, BlockPublicPolicy on the bucket; that of the account was not asked for"
    )


def test_what_was_denied_is_unknown_and_named() -> None:
    facts = told(answered(get_bucket_acl="AccessDenied", get_bucket_encryption="AccessDenied"))
    assert facts["public"] is facts["public_acl"] is facts["encryption_at_rest"] is None
    assert facts["unanswered"] == "denied: s3:GetEncryptionConfiguration, s3:GetBucketAcl"
    assert facts["region"] == "eu-west-3", "what was answered is told"
    assert "unanswered" not in told(answered())


def test_acls_of_single_objects_are_told_unless_they_cannot_count() -> None:
    assert "object_acls" in told(answered())
    assert "object_acls" not in told(answered(get_bucket_ownership_controls=ENFORCED))
    assert "object_acls" not in told(answered(get_public_access_block=blocks(IgnorePublicAcls=True)))


def encrypted(algorithm: str, key: str | None = None) -> dict[str, Any]:
    default = {"SSEAlgorithm": algorithm, **({"KMSMasterKeyID": key} if key else {})}
    return {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}}


KEY = "arn:aws:kms:eu-west-3:111122223333:key/12345678-1234-1234-1234-123456789012"
ENCRYPTIONS: dict[str, tuple[dict[str, Any] | str, bool, str | None]] = {
    "AES": (encrypted("AES256"), True, "AES256"),
    "KMS": (encrypted("aws:kms"), True, "aws:kms, AWS managed key"),
    "KMS by alias": (
        encrypted("aws:kms", "arn:aws:kms:eu-west-3:111122223333:alias/aws/s3"),
        True,
        "aws:kms, AWS managed key",
    ),
    "a key of one's own": (encrypted("aws:kms", KEY), True, "aws:kms, customer managed key"),
    "twice": (encrypted("aws:kms:dsse", KEY), True, "aws:kms:dsse, customer managed key"),
    "AWS's default": ("ServerSideEncryptionConfigurationNotFoundError", True, "AES256 (default)"),
    "nothing set elsewhere": ("ServerSideEncryptionConfigurationNotFoundError", False, "nothing set on the bucket"),
    "an answer beside the question": ({"ServerSideEncryptionConfiguration": {"Rules": []}}, False, None),
    "an empty answer": ({}, False, None),
    "an empty answer of AWS": ({}, True, None),
    "not known there": ("NotImplemented", False, None),
    "denied": ("AccessDenied", True, None),
}


@pytest.mark.parametrize(("answer", "aws", "expected"), ENCRYPTIONS.values(), ids=list(ENCRYPTIONS))
def test_encryption_is_told_only_where_the_store_tells_it(answer: Any, aws: bool, expected: str | None) -> None:
    assert told(answered(get_bucket_encryption=answer), aws)["encryption_at_rest"] == expected


REGIONS = {
    "AWS's first": ({}, True, "us-east-1"),
    "AWS's first, as a text": ({"LocationConstraint": ""}, True, "us-east-1"),
    "AWS's second, of old": ({"LocationConstraint": "EU"}, True, "eu-west-1"),
    "another of AWS": ({"LocationConstraint": "ca-central-1"}, True, "ca-central-1"),
    "nothing elsewhere": ({}, False, None),
    "blanks elsewhere": ({"LocationConstraint": "\n  "}, False, None),
    "as it is called elsewhere": ({"LocationConstraint": "default"}, False, "default"),
}


@pytest.mark.parametrize(("answer", "aws", "expected"), REGIONS.values(), ids=list(REGIONS))
def test_no_region_means_the_first_one_on_aws_only(answer: Any, aws: bool, expected: str | None) -> None:
    facts = told(answered(get_bucket_location=answer), aws)
    assert facts["region"] == expected
    assert facts.get("operator") == ("AWS" if aws else None)


def test_where_the_location_is_denied_a_head_tells_it_even_if_it_is_refused_too() -> None:
    for status in (200, 403):
        client = answered(get_bucket_location="AccessDenied")
        client.head_bucket = refusing(status, {"x-amz-bucket-region": "ca-central-1"})
        assert told(client)["region"] == "ca-central-1"


def refusing(status: int, headers: dict[str, str]) -> Callable[..., Any]:
    def head_bucket(Bucket: str) -> Any:
        answer: Any = {"ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers}}
        if status != 200:
            raise ClientError({**answer, "Error": {"Code": str(status)}}, "HeadBucket")
        return answer

    return head_bucket


def rule(days: int | None = 30, *, later: dict[str, int] | None = None, **other: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"Status": "Enabled", "Filter": {}}
    made |= {"Expiration": {"Days": days}} if days else {}
    made |= {"NoncurrentVersionExpiration": later} if later else {}
    return made | other


ON = {"Status": "Enabled"}
RETENTIONS: dict[str, tuple[list[dict[str, Any]], dict[str, Any], bool, str | None]] = {
    "the whole bucket": ([rule(30)], {}, True, "P30D"),
    "the whole bucket, of old": ([rule(30, Prefix="") | {"Filter": {"Prefix": ""}}], {}, True, "P30D"),
    "the shortest counts": ([rule(90), rule(7)], {}, True, "P7D"),
    "not in force": ([rule(30, Status="Disabled")], {}, True, None),
    "a prefix": ([rule(30, Filter={"Prefix": "tmp/"})], {}, True, None),
    "a tag": ([rule(30, Filter={"Tag": {"Key": "k", "Value": "v"}})], {}, True, None),
    "both": ([rule(30, Filter={"And": {"Prefix": "tmp/", "Tags": [{"Key": "k", "Value": "v"}]}})], {}, True, None),
    "a size": ([rule(30, Filter={"ObjectSizeGreaterThan": 1000})], {}, True, None),
    "on a day": ([rule(None, Expiration={"Date": datetime(2027, 1, 1, tzinfo=UTC)})], {}, True, None),
    "moved only": ([rule(None, Transitions=[{"Days": 30, "StorageClass": "GLACIER"}])], {}, True, None),
    "old versions stay": ([rule(30)], ON, True, None),
    "old versions go as well": ([rule(30, later={"NoncurrentDays": 5})], ON, True, "P35D"),
    "some old versions stay": (
        [rule(30, later={"NoncurrentDays": 5, "NewerNoncurrentVersions": 2})],
        ON,
        True,
        None,
    ),
    "versions are not told": ([rule(30)], {}, False, None),
    "versions were suspended": ([rule(30)], {"Status": "Suspended"}, True, None),
}


@pytest.mark.parametrize(("rules", "versions", "aws", "expected"), RETENTIONS.values(), ids=list(RETENTIONS))
def test_retention_is_told_where_a_rule_ends_every_object(
    rules: list[dict[str, Any]], versions: dict[str, Any], aws: bool, expected: str | None
) -> None:
    client = answered(get_bucket_lifecycle_configuration={"Rules": rules}, get_bucket_versioning=versions)
    assert told(client, aws).get("retention") == expected


def test_rules_of_a_lifecycle_are_told_in_words() -> None:
    rules = [
        rule(
            365,
            Filter={"And": {"Prefix": "logs/", "Tags": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]}},
            Transitions=[{"Days": 90, "StorageClass": "GLACIER"}],
            AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7},
        ),
        rule(None, later={"NoncurrentDays": 30, "NewerNoncurrentVersions": 3}),
        rule(1, Status="Disabled"),
    ]
    assert told(answered(get_bucket_lifecycle_configuration={"Rules": rules}))["lifecycle"] == (
        "objects below logs/ with 2 tags: GLACIER after 90 days, deleted after 365 days, "
        "unfinished uploads deleted after 7 days; "
        "all objects: old versions deleted after 30 days, the last 3 kept"
    )
    many = [rule(30, Filter={"Prefix": f"{number}/"}) for number in range(1000)]
    text = str(told(answered(get_bucket_lifecycle_configuration={"Rules": many}))["lifecycle"])
    assert text.endswith("; and 980 more")
    assert len(text) < 2000


def test_each_rule_of_a_replication_is_a_fact() -> None:
    rules = [
        {"Status": "Enabled", "Filter": {}, "Destination": {"Bucket": "arn:aws:s3:::acme-copy"}},
        {
            "Status": "Enabled",
            "Filter": {"Prefix": "a/"},
            "Destination": {"Bucket": "arn:aws:s3:::far-copy", "Account": "111122223333"},
        },
        {"Status": "Disabled", "Filter": {}, "Destination": {"Bucket": "arn:aws:s3:::old-copy"}},
    ]
    client = answered(get_bucket_replication={"ReplicationConfiguration": {"Role": "r", "Rules": rules}})
    facts = [fact.value for fact in posture.facts(client, "acme", aws=True) if fact.name == "replication"]
    assert facts == ["s3://acme-copy: all objects", "s3://far-copy of account 111122223333: objects below a/"]


def test_what_is_set_is_told() -> None:
    facts = told(
        answered(
            get_bucket_versioning={"Status": "Enabled", "MFADelete": "Enabled"},
            get_object_lock_configuration={
                "ObjectLockConfiguration": {
                    "ObjectLockEnabled": "Enabled",
                    "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 7}},
                }
            },
            get_bucket_logging={
                "LoggingEnabled": {"TargetBucket": "acme-access", "TargetPrefix": "acme/", "TargetGrants": []}
            },
            get_bucket_website={"IndexDocument": {"Suffix": "index.html"}},
        )
    )
    assert facts["versioning"] == "enabled"
    assert facts["mfa_delete"] is True
    assert facts["object_lock"] == "COMPLIANCE for P7Y"
    assert facts["access_logging"] == "s3://acme-access/acme/"
    assert facts["website"] is True


def test_what_is_not_set_is_told_on_aws_and_unknown_where_a_store_answers_nothing() -> None:
    names = ("versioning", "mfa_delete", "lifecycle", "replication", "object_lock", "access_logging", "website")
    facts = told(answered())
    assert [facts[name] for name in names] == ["never enabled", False, False, False, False, False, False]
    empty: dict[str, Any] = {
        "get_bucket_lifecycle_configuration": {},
        "get_bucket_replication": {},
        "get_object_lock_configuration": {},
        "get_bucket_website": {},
    }
    assert {told(answered(**empty), aws=False).get(name) for name in names} == {None}


def test_a_store_that_cannot_be_reached_is_asked_once() -> None:
    client = boto3.client(
        "s3", endpoint_url="http://127.0.0.1:9", region_name="x", aws_access_key_id="k", aws_secret_access_key="s"
    )
    asked = []
    client.meta.events.register("before-call.s3", lambda model, **_: asked.append(model.name))
    client.meta.events.register_first("needs-retry.s3", lambda **_: None)
    facts = told(client, aws=False)
    assert set(asked) == {"GetBucketLocation"}
    assert str(facts.pop("unanswered")).startswith("unreachable: s3:GetBucketLocation, s3:GetEncryptionConfiguration")
    assert {value for name, value in facts.items() if name != "object_acls"} == {None}


@pytest.fixture
def page() -> Iterator[str]:
    """The URL of a server that answers everything with a page of somebody's, which is no answer of S3."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = b"<html><p>jane.doe@example.org<br></html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_answers_like_no_store_is_unknown_and_not_quoted(page: str) -> None:
    client = boto3.client("s3", endpoint_url=page, region_name="x", aws_access_key_id="k", aws_secret_access_key="s")
    client.meta.events.register_first("needs-retry.s3", lambda **_: None)
    facts = told(client, aws=False)
    assert facts["public"] is facts["encryption_at_rest"] is facts["region"] is None
    assert "jane" not in str(facts)


# Real stores


def anonymous(server: S3Server, path: str, **headers: str) -> int:
    """The status of a request by a stranger."""
    request = urllib.request.Request(f"{server.endpoint_url}/{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def on(bucket: str, *statements: dict[str, Any]) -> str:
    return policy(*statements).replace("arn:aws:s3:::acme", f"arn:aws:s3:::{bucket}")


def test_a_bucket_that_nobody_configured_is_private_or_unknown_and_never_called_unencrypted(
    s3: S3Server, bucket: str
) -> None:
    facts = told(s3.client(), aws=s3.name == "moto", bucket=bucket)
    assert facts["public"] is (None if s3.name == "swift" else False)
    assert facts["encryption_at_rest"] == ("AES256 (default)" if s3.name == "moto" else None)
    assert "unanswered" not in facts
    if s3.name == "swift":
        known = {name for name, value in facts.items() if value is not None}
        assert known == {"public_acl", "object_acls", "object_lock"}


@pytest.fixture
def own(ceph_s3: CephServer) -> tuple[Any, str]:
    """A client of Ceph, and a bucket with one object."""
    bucket = ceph_s3.create_bucket()
    client = ceph_s3.client()
    client.put_object(Bucket=bucket, Key="open/page", Body=b"x")
    return client, bucket


REALLY: dict[str, tuple[list[dict[str, Any]], bool | None, int]] = {
    "everybody": ([allow()], True, 200),
    "everybody, below a prefix": ([allow(Resource="arn:aws:s3:::acme/open/*")], True, 200),
    "everybody but somebody": (
        [{k: v for k, v in allow(NotPrincipal={"AWS": "arn:aws:iam:::user/SOMEBODY"}).items() if k != "Principal"}],
        True,
        200,
    ),
    "everybody from anywhere": ([allow(**under("IpAddress", "aws:SourceIp", "0.0.0.0/0"))], True, 200),
    "everybody from elsewhere": ([allow(**under("NotIpAddress", "aws:SourceIp", "203.0.113.0/24"))], True, 200),
    "everybody of a network": ([allow(**under("IpAddress", "aws:SourceIp", "203.0.113.0/24"))], False, 403),
    "somebody": ([allow(Principal={"AWS": "arn:aws:iam:::user/SOMEBODY"})], False, 403),
    "everybody who comes from a page": ([allow(**under("StringLike", "aws:Referer", "http://acme/*"))], None, 403),
}


@pytest.mark.parametrize(("statements", "public", "status"), REALLY.values(), ids=list(REALLY))
def test_a_policy_is_public_where_strangers_really_get_in(
    ceph_s3: CephServer, own: tuple[Any, str], statements: list[dict[str, Any]], public: bool | None, status: int
) -> None:
    client, bucket = own
    somebody = ceph_s3.another().client().list_buckets()["Owner"]["ID"]
    client.put_bucket_policy(Bucket=bucket, Policy=on(bucket, *statements).replace("SOMEBODY", somebody))
    facts = told(client, aws=False, bucket=bucket)
    assert anonymous(ceph_s3, f"{bucket}/open/page") == status
    assert facts["public"] is public
    if public is None:
        assert anonymous(ceph_s3, f"{bucket}/open/page", Referer="http://acme/x") == 200
        assert str(facts["public_policy"]).startswith("the store says not public; statement 1 lets everybody")
    if public:
        assert str(facts["public_policy"]).startswith("statement 1 lets everybody read objects")


def test_an_acl_is_public_where_strangers_may_list_by_it_and_not_once_it_is_ignored(
    ceph_s3: CephServer, own: tuple[Any, str]
) -> None:
    client, bucket = own
    assert anonymous(ceph_s3, bucket) == 403
    client.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert anonymous(ceph_s3, bucket) == 200
    facts = told(client, aws=False, bucket=bucket)
    assert (facts["public"], facts["public_acl"]) == (True, "READ to everybody (AllUsers)")
    client.put_public_access_block(Bucket=bucket, **{"PublicAccessBlockConfiguration": {"IgnorePublicAcls": True}})
    assert anonymous(ceph_s3, bucket) == 403
    assert told(client, aws=False, bucket=bucket)["public"] is False


def test_a_store_that_keeps_a_restriction_and_does_not_heed_it_is_not_called_private(
    ceph_s3: CephServer, own: tuple[Any, str]
) -> None:
    client, bucket = own
    client.put_bucket_policy(Bucket=bucket, Policy=on(bucket, allow()))
    client.put_public_access_block(Bucket=bucket, **{"PublicAccessBlockConfiguration": {"RestrictPublicBuckets": True}})
    assert anonymous(ceph_s3, f"{bucket}/open/page") == 200
    facts = told(client, aws=False, bucket=bucket)
    assert facts["public"] is None
    assert str(facts["public_access_block"]).startswith("RestrictPublicBuckets on the bucket")


def test_a_bucket_of_swift_that_nobody_knows_to_be_public_is_not_called_private(swift_s3: S3Server) -> None:
    bucket, client = swift_s3.create_bucket(), swift_s3.client()
    client.put_object(Bucket=bucket, Key="page", Body=b"x")
    client.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert anonymous(swift_s3, f"v1/AUTH_test/{bucket}/page") == 200, "by Swift's own API everybody gets in"
    facts = told(client, aws=False, bucket=bucket)
    assert facts["public_acl"] == "nothing to AllUsers or AuthenticatedUsers", "but its S3 API does not show it"
    assert facts["public"] is None


def test_every_setting_that_moto_keeps_comes_back_as_a_fact(moto_s3: S3Server) -> None:
    client, bucket, copy = moto_s3.client(), moto_s3.create_bucket(), moto_s3.create_bucket()
    for each in (bucket, copy):
        client.put_bucket_versioning(Bucket=each, VersioningConfiguration=ON)
    client.put_bucket_encryption(Bucket=bucket, **encrypted("aws:kms", KEY))
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={
            "Rules": [rule(30, ID="all", later={"NoncurrentDays": 5}) | {"Filter": {"Prefix": ""}}]
        },
    )
    client.put_bucket_replication(
        Bucket=bucket,
        ReplicationConfiguration={
            "Role": "arn:aws:iam::111122223333:role/copy",
            "Rules": [
                {
                    "Status": "Enabled",
                    "Priority": 1,
                    "Filter": {"Prefix": ""},
                    "DeleteMarkerReplication": {"Status": "Disabled"},
                    "Destination": {"Bucket": f"arn:aws:s3:::{copy}"},
                }
            ],
        },
    )
    client.put_bucket_ownership_controls(Bucket=bucket, **ENFORCED)
    client.put_public_access_block(Bucket=bucket, **blocks(IgnorePublicAcls=True, RestrictPublicBuckets=True))
    client.put_bucket_policy(Bucket=bucket, Policy=on(bucket, deny(**WITHOUT_TLS)))
    client.put_bucket_website(Bucket=bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    facts = told(client, bucket=bucket)
    assert {
        "encryption_at_rest": "aws:kms, customer managed key",
        "retention": "P35D",
        "replication": f"s3://{copy}: all objects",
        "versioning": "enabled",
        "object_ownership": "BucketOwnerEnforced",
        "public_acl": "disabled (BucketOwnerEnforced)",
        "public": False,
        "tls_only": True,
        "website": True,
        "region": "us-east-1",
    }.items() <= facts.items()
