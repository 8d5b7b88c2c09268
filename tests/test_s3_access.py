"""What a scan needs of a bucket: tried without reading, written down as a policy that grants no more, and no less."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from mapkeeper.model import Reason
from mapkeeper.plugin import Access, SourceError, Store
from mapkeeper_connectors.s3 import access, posture
from mapkeeper_connectors.s3.client import Settings
from services.ceph import CephServer
from services.s3 import S3Server

RIGHTS = {
    "ListObjectsV2": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "GetBucketReplication": "s3:GetReplicationConfiguration",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
}
"""The right that an operation needs, where it is not named like it."""


@pytest.fixture
def filled(s3: S3Server, bucket: str) -> str:
    """A bucket with an object below a prefix and one beside it."""
    for key in ("logs/one", "other/two"):
        s3.client().put_object(Bucket=bucket, Key=key, Body=b"x")
    return bucket


def tried(client: Any, bucket: str, prefix: str = "") -> dict[str, Access]:
    return {one.needs.partition(" ")[0]: one for one in access.check(client, bucket, prefix)}


def statements(written: str) -> dict[str, dict[str, Any]]:
    policy = json.loads(written)
    assert policy["Version"] == "2012-10-17"
    return {one["Sid"]: one for one in policy["Statement"]}


def actions(written: str) -> set[str]:
    listed = (one["Action"] for one in statements(written).values())
    return {action for some in listed for action in ([some] if isinstance(some, str) else some)}


def test_who_pays_for_requests_says_so_when_trying_them(moto_s3: S3Server) -> None:
    client, bucket = moto_s3.client(), moto_s3.create_bucket()
    client.put_object(Bucket=bucket, Key="one", Body=b"x")
    paid: list[str] = []
    told = "x-amz-request-payer"
    client.meta.events.register(
        "before-call.s3", lambda model, params, **_: paid.append(model.name) if told in params["headers"] else None
    )
    list(access.check(client, bucket))
    assert paid == []
    list(access.check(client, bucket, requester_pays=True))
    assert paid == ["ListObjectsV2", "HeadObject"]


def test_nothing_but_get_and_head_is_ever_sent(s3: S3Server, filled: str) -> None:
    client, sent = s3.client(), []
    client.meta.events.register("before-send.s3", lambda request, **_: sent.append(request.method))
    posture.facts(client, filled, aws=True)
    assert 13 <= len(sent) <= 14
    list(access.check(client, filled, "logs/"))
    list(access.stores(client, Settings(filled)))
    assert set(sent) == {"GET", "HEAD"}


def test_no_content_is_asked_for(s3: S3Server, filled: str) -> None:
    client, asked = s3.client(), []
    client.meta.events.register("before-call.s3", lambda model, **_: asked.append(model.name))
    posture.facts(client, filled, aws=False)
    list(access.check(client, filled))
    assert not {"GetObject", "SelectObjectContent", "GetObjectTagging", "GetBucketTagging"} & set(asked)


def test_the_owner_is_granted_all_that_the_store_knows(s3: S3Server, filled: str) -> None:
    found = tried(s3.client(), filled, "logs/")
    assert found["s3:ListBucket"].needs == f"s3:ListBucket on arn:aws:s3:::{filled}, prefix logs/"
    assert found["s3:GetObject"].needs == f"s3:GetObject on arn:aws:s3:::{filled}/logs/*"
    assert found["s3:ListBucket"].granted is found["s3:GetObject"].granted is True
    assert False not in {one.granted for one in found.values()}
    for one in found.values():
        assert (one.granted is None) == one.says.endswith("; the store does not know the question"), one
        assert one.says.startswith("needed to " if one.needed else "tells ")


def test_an_empty_bucket_leaves_open_whether_objects_may_be_read(s3: S3Server, bucket: str) -> None:
    assert tried(s3.client(), bucket)["s3:ListBucket"].granted is True
    assert tried(s3.client(), bucket)["s3:GetObject"].granted is None


def test_a_bucket_that_is_not_there_is_neither_granted_nor_denied(s3: S3Server) -> None:
    found = tried(s3.client(), "mapkeeper-has-no-such-bucket")
    assert found["s3:ListBucket"].granted is found["s3:GetObject"].granted is None
    assert found["s3:ListBucket"].says == "needed to list objects; missing"


def test_the_policy_has_every_right_that_check_and_facts_use_and_no_other(s3: S3Server, filled: str) -> None:
    client, asked = s3.client(), set()
    client.meta.events.register("before-call.s3", lambda model, **_: asked.add(model.name))
    posture.facts(client, filled, aws=True)
    found = list(access.check(client, filled))
    used = {RIGHTS.get(name, f"s3:{name}") for name in asked}
    assert actions(access.rights(filled)) == used == {one.needs.partition(" ")[0] for one in found}


def test_the_policy_reaches_the_bucket_and_what_lies_below_the_prefix_only() -> None:
    found = statements(access.rights("acme", "logs/"))
    assert list(found) == ["NeededToList", "NeededToRead", "OptionalFacts"]
    assert found["NeededToList"]["Resource"] == found["OptionalFacts"]["Resource"] == "arn:aws:s3:::acme"
    assert found["NeededToList"]["Condition"] == {"StringLike": {"s3:prefix": "logs/*"}}
    assert found["NeededToRead"]["Resource"] == "arn:aws:s3:::acme/logs/*"
    assert "Condition" not in statements(access.rights("acme"))["NeededToList"]
    assert statements(access.rights("acme"))["NeededToRead"]["Resource"] == "arn:aws:s3:::acme/*"
    assert all(one["Effect"] == "Allow" for one in found.values())


@given(st.text(max_size=20))
def test_a_prefix_is_taken_literally(prefix: str) -> None:
    resource = statements(access.rights("acme", prefix))["NeededToRead"]["Resource"]
    pattern = resource.removeprefix("arn:aws:s3:::acme/").removesuffix("*")
    assert re.sub(r"\$\{([*?$])\}", r"\1", pattern) == prefix
    assert not set("*?$") & set(re.sub(r"\$\{[*?$]\}", "", pattern))


def test_a_region_or_a_role_tells_the_partition() -> None:
    for region, partition in ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eu-west-3", "aws"):
        found = statements(access.rights("acme", region=region))
        assert found["NeededToList"]["Resource"] == f"arn:{partition}:s3:::acme"
    told = access.rights("acme", role_arn="arn:aws-cn:iam::111122223333:role/scan")
    assert "arn:aws-cn:s3:::acme" in told


def test_a_role_comes_with_a_policy_of_trust_that_asks_for_the_external_id() -> None:
    role = "arn:aws:iam::111122223333:role/scan"
    told = access.rights("acme", role_arn=role, external_id="northlight-7")
    of_role, policy, of_trust, trust = told.split("\n\n")
    assert role in of_role
    assert role in of_trust
    assert policy == access.rights("acme")
    (statement,) = json.loads(trust)["Statement"]
    assert statement["Action"] == "sts:AssumeRole"
    assert statement["Principal"] == {"AWS": "arn:aws:iam::ACCOUNT:root"}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "northlight-7"}}
    without = access.rights("acme", role_arn=role).split("\n\n")[3]
    assert "Condition" not in json.loads(without)["Statement"][0]


@pytest.fixture
def shared(ceph_s3: CephServer) -> tuple[Any, Any, str, str]:
    """The owner of a bucket of Ceph, somebody who may do nothing yet, who that is, and the bucket."""
    bucket, other = ceph_s3.create_bucket(), ceph_s3.another().client()
    for key in ("logs/one", "other/two"):
        ceph_s3.client().put_object(Bucket=bucket, Key=key, Body=b"x")
    return ceph_s3.client(), other, f"arn:aws:iam:::user/{other.list_buckets()['Owner']['ID']}", bucket


def test_who_was_granted_nothing_is_refused_everything(shared: tuple[Any, Any, str, str]) -> None:
    _, other, _, bucket = shared
    found = tried(other, bucket, "logs/")
    assert found["s3:ListBucket"].granted is False
    assert found["s3:ListBucket"].says == "needed to list objects; denied"
    assert found["s3:GetObject"].granted is None, "as no key is known"
    refused = {name for name, one in found.items() if one.granted is False}
    assert {"s3:GetBucketAcl", "s3:GetBucketPolicy", "s3:GetBucketVersioning", "s3:GetBucketLocation"} <= refused
    facts = {fact.name: fact.value for fact in posture.facts(other, bucket, aws=False)}
    assert facts["public"] is None
    assert str(facts["unanswered"]).startswith("denied: ")


NOT_YET = {"s3:GetEncryptionConfiguration", "s3:GetBucketOwnershipControls"}
"""Rights that Ceph 16 does not know; it takes the questions for listings of the whole bucket."""


def grant(owner: Any, bucket: str, who: str, written: str, *parts: str) -> None:
    """Set a policy of rights, or parts of it, as the policy of a bucket."""
    granted = []
    for sid in parts or statements(written):
        statement = statements(written)[sid] | {"Principal": {"AWS": who}}
        if isinstance(statement["Action"], list):
            statement["Action"] = [action for action in statement["Action"] if action not in NOT_YET]
        granted.append(statement)
    owner.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": granted}))


def test_with_the_policy_and_nothing_else_nothing_is_denied(shared: tuple[Any, Any, str, str]) -> None:
    owner, other, who, bucket = shared
    grant(owner, bucket, who, access.rights(bucket))
    found = tried(other, bucket)
    assert {name for name, one in found.items() if one.granted is False} == set()
    assert found["s3:ListBucket"].granted is found["s3:GetObject"].granted is True
    assert other.get_object(Bucket=bucket, Key="logs/one")["Body"].read() == b"x"
    facts = {fact.name: fact.value for fact in posture.facts(other, bucket, aws=False)}
    assert "unanswered" not in facts
    assert facts["public"] is False


def test_with_the_policy_of_a_prefix_what_lies_beside_it_is_denied(shared: tuple[Any, Any, str, str]) -> None:
    owner, other, who, bucket = shared
    grant(owner, bucket, who, access.rights(bucket, "logs/"))
    found = tried(other, bucket, "logs/")
    assert {name for name, one in found.items() if one.granted is False} == NOT_YET
    assert other.get_object(Bucket=bucket, Key="logs/one")["Body"].read() == b"x"
    assert tried(other, bucket, "other/")["s3:ListBucket"].granted is False
    assert tried(other, bucket)["s3:ListBucket"].granted is False
    with pytest.raises(ClientError, match="AccessDenied"):
        other.get_object(Bucket=bucket, Key="other/two")


def test_without_the_optional_part_objects_are_read_and_the_facts_are_unknown(
    shared: tuple[Any, Any, str, str],
) -> None:
    owner, other, who, bucket = shared
    grant(owner, bucket, who, access.rights(bucket, "logs/"), "NeededToList", "NeededToRead")
    found = tried(other, bucket, "logs/")
    assert found["s3:ListBucket"].granted is found["s3:GetObject"].granted is True
    assert found["s3:GetBucketPolicy"].granted is False
    assert found["s3:GetBucketPolicy"].says == "tells public access by policy, and TLS only; denied"


def test_a_key_of_the_customers_own_needs_a_right_that_only_reading_tries(moto_s3: S3Server) -> None:
    client, bucket = moto_s3.client(), moto_s3.create_bucket()
    assert "kms:Decrypt" not in tried(client, bucket)
    for key, needed in ("alias/aws/s3", False), ("alias/acme", True):
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
        client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=rules)
        assert ("kms:Decrypt" in tried(client, bucket)) == needed
    assert tried(client, bucket)["kms:Decrypt"].granted is None


def test_every_bucket_of_the_account_is_a_store(s3: S3Server, bucket: str) -> None:
    second = s3.create_bucket()
    host = s3.endpoint_url.removeprefix("http://")
    settings = Settings(
        bucket, prefix="a/", endpoint=s3.endpoint_url, region="x", profile="acme", access_key="k", secret_key="hush"
    )
    found = {one.name: one for one in access.stores(s3.client(), settings)}
    assert {f"s3://{host}/{bucket}", f"s3://{host}/{second}"} <= set(found)
    store = found[f"s3://{host}/{second}"]
    assert store.settings == {
        "connector": "s3",
        "bucket": second,
        "endpoint": s3.endpoint_url,
        "region": "x",
        "profile": "acme",
    }
    today = dt.datetime.now(dt.UTC).date()
    made = {f"bucket, made {day}" for day in (today, today - dt.timedelta(1))}
    assert store.says in ({"bucket"} if s3.name == "swift" else made)


def test_buckets_come_page_by_page_with_the_region_that_aws_tells() -> None:
    client = boto3.client("s3", region_name="eu-west-3", aws_access_key_id="k", aws_secret_access_key="s")
    made = dt.datetime(2024, 2, 1, tzinfo=dt.UTC)
    stub = Stubber(client)
    first = {"Name": "acme-logs", "CreationDate": made, "BucketRegion": "ca-central-1"}
    stub.add_response("list_buckets", {"Buckets": [first], "ContinuationToken": "2"}, {"MaxBuckets": 1000})
    second = {"Name": "acme-more", "CreationDate": made}
    stub.add_response("list_buckets", {"Buckets": [second]}, {"MaxBuckets": 1000, "ContinuationToken": "2"})
    stub.activate()
    assert list(access.stores(client, Settings("acme-logs", region="eu-west-3"))) == [
        Store(
            "s3://acme-logs",
            {"connector": "s3", "bucket": "acme-logs", "region": "ca-central-1"},
            "bucket, made 2024-02-01, region ca-central-1",
        ),
        Store(
            "s3://acme-more",
            {"connector": "s3", "bucket": "acme-more", "region": "eu-west-3"},
            "bucket, made 2024-02-01",
        ),
    ]
    stub.assert_no_pending_responses()


def test_who_may_not_list_the_buckets_is_told_the_right_that_is_missing() -> None:
    client = boto3.client("s3", region_name="eu-west-3", aws_access_key_id="k", aws_secret_access_key="s")
    stub = Stubber(client)
    stub.add_client_error("list_buckets", "AccessDenied", "user jane@acme.example may not", http_status_code=403)
    stub.activate()
    with pytest.raises(SourceError, match="s3:ListAllMyBuckets") as refused:
        list(access.stores(client, Settings("acme")))
    assert refused.value.reason is Reason.DENIED
    assert "jane" not in str(refused.value)
    assert refused.value.__cause__ is None
