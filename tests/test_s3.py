"""The s3 connector on real servers: what it lists, reads and says of a bucket."""

from __future__ import annotations

import gzip
import io
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from calling import Run
from mapkeeper.plugin import Asset, Batch, Gap, Kind, Pace, ReadPlan, Reason, SourceError
from mapkeeper.testing import Trial, checks
from mapkeeper.testing.trial import Check
from mapkeeper_connectors.s3 import S3
from services.ceph import CephServer
from services.s3 import S3Server

WHOLE = ReadPlan()


def connector(server: S3Server, bucket: str, prefix: str = "", **settings: Any) -> S3:
    keys = (server.access_key, server.secret_key)
    if server.name == "moto":  # which takes any: longer ones can be searched for
        keys = ("AKIATESTOFMAPKEEPER", "secret of the test of mapkeeper")
    given = {
        "endpoint": server.endpoint_url,
        "region": server.region,
        "access_key": keys[0],
        "secret_key": keys[1],
        "session_token": server.session_token,
        **settings,
    }
    return S3(bucket, prefix, **given)


def put(server: S3Server, bucket: str, objects: Mapping[str, bytes], **extra: str) -> None:
    client = server.client()
    for key, body in objects.items():
        client.put_object(Bucket=bucket, Key=key, Body=body, **extra)
    client.close()


def survey(made: S3) -> dict[str, Asset]:
    with made:
        return {asset.name: asset for asset in made.survey()}


def read(made: S3, name: str, plan: ReadPlan = WHOLE) -> tuple[list[Batch], list[Gap]]:
    with made:
        asset = next(asset for asset in made.survey() if asset.name == name)
        events = list(made.read(asset, plan))
    return [one for one in events if isinstance(one, Batch)], [one for one in events if isinstance(one, Gap)]


def texts(batches: list[Batch]) -> list[str]:
    return [row["text"] for batch in batches for row in batch.data.to_pylist()]


def log(start: int, lines: int) -> bytes:
    return b"".join(b"user%06d@example.com logged in from here\n" % number for number in range(start, start + lines))


# Targets and settings


def test_urls_of_buckets_are_its_own() -> None:
    assert S3.settings_for("s3://logs") == {"bucket": "logs", "prefix": ""}
    assert S3.settings_for("s3://logs/app/2026-#?%20") == {"bucket": "logs", "prefix": "app/2026-#?%20"}
    for target in ("s3:///key", "s3:logs", "/s3/logs", "https://s3.amazonaws.com/logs", "s3://a\0b", ""):
        assert S3.settings_for(target) is None


def test_the_target_is_the_url_and_shows_no_secret() -> None:
    made = S3("logs", "app/", access_key="AKIA", secret_key="hidden", proxy="http://u:hidden@proxy")
    assert made.target == "s3://logs/app/"
    assert "hidden" not in repr(made)


def test_the_store_has_one_name_wherever_it_is_seen_from(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(variable, raising=False)
    assert S3("logs", "app/").store == "s3://logs"
    assert S3("logs", endpoint="https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com").store == "s3://logs"
    assert S3("logs", endpoint="https://ceph.example:8443/").store == "s3://ceph.example:8443/logs"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://minio.example")
    assert S3("logs").store == "s3://minio.example/logs"


def test_certificates_are_looked_for_in_the_workspace(tmp_path: Any) -> None:
    assert S3.within(tmp_path, {"bucket": "a", "ca_bundle": "ca.pem"})["ca_bundle"] == str(tmp_path / "ca.pem")


# Assets


def test_objects_are_folded_into_families(s3: S3Server, bucket: str) -> None:
    names = [f"logs/2026/01/{day:02}/app-{day:03}.log" for day in range(1, 4)]
    put(s3, bucket, {**dict.fromkeys(names, b"a\n"), "crm/people.csv": b"a,b\n1,2\n", "empty/": b"", "crm/": b""})
    found = survey(connector(s3, bucket))
    assert list(found) == ["crm/people.csv", "logs/*/*/*/app-*.log"]
    family = found["logs/*/*/*/app-*.log"]
    assert (family.kind, family.objects, family.bytes) == (Kind.FAMILY, 3, 6)
    assert (family.namespace, family.dataset) == (f"s3://{bucket}", "logs/*/*/*/app-*.log")
    assert found["crm/people.csv"].kind is Kind.FILE


def test_assets_are_named_below_the_prefix(s3: S3Server, bucket: str) -> None:
    put(s3, bucket, {"globex/logs/a.log.1": b"a\n", "globex/logs/a.log.2": b"a\n", "initech/x.csv": b"a\n1\n"})
    found = survey(connector(s3, bucket, "globex/"))
    assert [(name, asset.dataset) for name, asset in found.items()] == [("logs/a.log*", "globex/logs/a.log*")]
    assert texts(read(connector(s3, bucket, "globex/"), "logs/a.log*")[0]) == ["a", "a"]
    assert list(survey(connector(s3, bucket, "globex/logs/a.log.2"))) == ["a.log.2"]


ODD = [
    "with space/a b.txt", "percent/100%/%20.txt", "double//slash.txt", "unicode/é漢字🙂.txt", "line\nbreak.txt",
    "plus+and&amp;.txt", "quote'\".txt", "../up/../../etc.txt", "tab\there.txt", "x" * 1000 + ".txt", "star*/a*.txt",
]  # fmt: skip


def test_keys_of_every_kind_are_listed_and_read(s3: S3Server, bucket: str) -> None:
    odd = [key for key in ODD if s3.name != "moto" or "\n" not in key]  # moto does not take it
    put(s3, bucket, {key: b"of %d\n" % number for number, key in enumerate(odd)})
    made = connector(s3, bucket)
    with made:
        assets = {asset.name: asset for asset in made.survey()}
        assert sorted(assets) == sorted(odd)
        for number, key in enumerate(odd):
            (batch,) = (event for event in made.read(assets[key], WHOLE) if isinstance(event, Batch))
            assert batch.data.to_pylist() == [{"text": f"of {number}"}]


def test_a_key_that_begins_with_a_slash_is_read(moto_s3: S3Server) -> None:
    bucket = moto_s3.create_bucket()
    put(moto_s3, bucket, {"/a/b.txt": b"x\n", "p/": b"a folder that holds something\n"})
    assert texts(read(connector(moto_s3, bucket), "/a/b.txt")[0]) == ["x"]
    assert texts(read(connector(moto_s3, bucket, "p/"), "/")[0]) == ["a folder that holds something"]


def test_a_listing_of_many_pages_is_complete(ceph_s3: S3Server) -> None:
    bucket = ceph_s3.create_bucket()
    put(ceph_s3, bucket, {f"in/{number:08}.log": b"x\n" for number in range(1100)})
    (asset,) = survey(connector(ceph_s3, bucket)).values()
    assert (asset.name, asset.objects, asset.bytes) == ("in/*.log", 1100, 2200)


# Reading


def test_a_family_is_read_whole_in_order_of_name(s3: S3Server, bucket: str) -> None:
    put(s3, bucket, {"a.log": log(0, 10), "a.log.1": log(10, 10), "a.log.2.gz": gzip.compress(log(20, 10))})
    batches, gaps = read(connector(s3, bucket), "a.log*")
    assert gaps == []
    assert "".join(f"{text}\n" for text in texts(batches)).encode() == log(0, 30)
    assert [batch.member for batch in batches] == ["a.log", "a.log.1", "a.log.2.gz"]


def test_a_large_object_is_read_whole_and_by_a_sample(ceph_s3: S3Server) -> None:
    bucket = ceph_s3.create_bucket()
    put(ceph_s3, bucket, {"big.log": log(0, 300_000)})
    batches, gaps = read(connector(ceph_s3, bucket), "big.log")
    assert gaps == []
    assert sum(batch.data.num_rows for batch in batches) == 300_000
    assert sum(batch.bytes for batch in batches) == len(log(0, 300_000))
    batches, gaps = read(connector(ceph_s3, bucket), "big.log", ReadPlan(rows=1000, bytes=1 << 20, seed=1))
    assert [gap.reason for gap in gaps] == [Reason.BUDGET]
    numbers = [int(text[4:10]) for text in texts(batches)]
    assert len(numbers) <= 1000
    assert min(numbers) < 1000
    assert max(numbers) > 250_000


def test_a_table_is_read_by_ranges(s3: S3Server, bucket: str) -> None:
    columns = {f"c{number}": [f"v{number}-{row}" for row in range(5000)] for number in range(40)}
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, row_group_size=1000, compression="none", use_dictionary=False)
    put(s3, bucket, {"t.parquet": sink.getvalue()})
    batches, gaps = read(connector(s3, bucket), "t.parquet")
    assert gaps == []
    assert pa.Table.from_batches([batch.data for batch in batches]).to_pydict() == columns
    batches, _ = read(connector(s3, bucket), "t.parquet", ReadPlan(rows=500, seed=2))
    assert sum(batch.data.num_rows for batch in batches) == 500


def test_a_sample_of_a_large_family_costs_tens_of_requests_and_says_what_it_left(moto_s3: S3Server) -> None:
    bucket = moto_s3.create_bucket()
    put(moto_s3, bucket, {f"in/{number:08}.log": log(number * 3, 3) for number in range(100)})
    sent = Counting()
    made = connector(moto_s3, bucket)
    made.pace = sent
    plan = ReadPlan(rows=10_000, bytes=16 << 20, seed=5)
    with made:
        (asset,) = made.survey()
        listing = sent.count
        events = list(made.read(asset, plan))
        assert sent.count - listing == made.requests(asset, plan) == 64
        again = list(made.read(asset, plan))
    batches = [event for event in events if isinstance(event, Batch)]
    assert [event for event in events if isinstance(event, Gap)] == [
        Gap(Reason.BUDGET, 36, "objects left out by the limit of the plan")
    ]
    numbers = sorted(int(text[4:10]) // 3 for text in texts(batches))
    assert len(set(numbers)) == 64
    assert numbers[0] < 20
    assert numbers[-1] > 80
    assert {(batch.method, batch.random) for batch in batches} == {("all rows of objects drawn at random", False)}
    assert texts([event for event in again if isinstance(event, Batch)]) == texts(batches)


def test_a_family_too_large_to_hold_is_listed_again_and_read_whole(moto_s3: S3Server) -> None:
    bucket = moto_s3.create_bucket()
    put(moto_s3, bucket, {f"in/{number:08}.log": log(number, 1) for number in range(270)})
    put(moto_s3, bucket, {"in/other.txt": b"not of them\n", "in2/00000001.log": b"nor this\n"})
    batches, gaps = read(connector(moto_s3, bucket), "in/*.log")
    assert gaps == []
    assert "".join(f"{text}\n" for text in texts(batches)).encode() == log(0, 270)
    made = connector(moto_s3, bucket)
    with made:
        asset = next(asset for asset in made.survey() if asset.name == "in/*.log")
        assert made.requests(asset, WHOLE) == 271
        rest = list(made.read(asset, WHOLE, batches[200].resume))
        assert texts([event for event in rest if isinstance(event, Batch)]) == texts(batches[201:])
        moto_s3.client().delete_object(Bucket=bucket, Key="in/00000007.log")
        events = list(made.read(asset, WHOLE))
        assert [(event.reason, event.count) for event in events if isinstance(event, Gap)] == [(Reason.MISSING, 1)]
        put(moto_s3, bucket, {f"in/9999999{number}.log": b"new\n" for number in range(3)})
        events = list(made.read(asset, WHOLE))
        assert [(event.reason, event.count) for event in events if isinstance(event, Gap)] == [(Reason.CHANGED, 2)]


def test_archived_objects_are_a_gap_and_the_rest_is_read(moto_s3: S3Server) -> None:
    bucket = moto_s3.create_bucket()
    put(moto_s3, bucket, {"a.log.1": b"one\n", "a.log.2": b"two\n"})
    put(moto_s3, bucket, {"a.log.3": b"old\n", "b/old.csv": b"old\n"}, StorageClass="DEEP_ARCHIVE")
    batches, gaps = read(connector(moto_s3, bucket), "a.log*")
    assert texts(batches) == ["one", "two"]
    assert [(gap.reason, gap.count) for gap in gaps] == [(Reason.ARCHIVED, 1)]
    found = survey(connector(moto_s3, bucket))
    assert found["a.log*"].gap is None
    alone = found["b/old.csv"].gap
    assert alone is not None
    assert alone.reason is Reason.ARCHIVED


def test_a_denied_prefix_is_a_gap_and_the_rest_is_read(ceph_s3: CephServer) -> None:
    bucket = ceph_s3.create_bucket()
    put(ceph_s3, bucket, {"open/a.log": b"open\n", "closed/a.log": b"closed\n", "x.log.1": b"1\n", "x.log.2": b"2\n"})
    guest = ceph_s3.another()
    policy: dict[str, Any] = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": ["s3:ListBucket", "s3:GetObject"],
             "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]},
            {"Effect": "Deny", "Principal": "*", "Action": ["s3:GetObject"],
             "Resource": [f"arn:aws:s3:::{bucket}/closed/*", f"arn:aws:s3:::{bucket}/x.log.1"]},
        ],
    }  # fmt: skip
    ceph_s3.client().put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    made = connector(guest, bucket)
    assert texts(read(made, "open/a.log")[0]) == ["open"]
    with pytest.raises(SourceError) as caught:
        read(made, "closed/a.log")
    assert caught.value.reason is Reason.DENIED
    batches, gaps = read(made, "x.log*")
    assert texts(batches) == ["2"]
    assert [(gap.reason, gap.count) for gap in gaps] == [(Reason.DENIED, 1)]


def test_a_bucket_that_may_not_be_listed_opens_and_says_so_when_it_is_surveyed(ceph_s3: CephServer) -> None:
    bucket = ceph_s3.create_bucket()
    put(ceph_s3, bucket, {"open/a.log": b"open\n"})
    guest = ceph_s3.another()
    with connector(guest, bucket) as made, pytest.raises(SourceError, match="s3:ListBucket") as caught:
        list(made.survey())
    assert caught.value.reason is Reason.DENIED
    below = {"StringLike": {"s3:prefix": "open/*"}}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}",
             "Condition": below},
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"},
        ],
    }  # fmt: skip
    ceph_s3.client().put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    assert texts(read(connector(guest, bucket, "open/"), "a.log")[0]) == ["open"]
    with connector(guest, bucket) as made, pytest.raises(SourceError):
        list(made.survey())


def test_an_object_encrypted_with_the_customers_key_is_a_gap(ceph_s3: S3Server) -> None:
    bucket = ceph_s3.create_bucket()
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    client = ceph_s3.client()
    put(ceph_s3, bucket, {"a.log.1": b"open\n"})
    client.put_object(Bucket=bucket, Key="a.log.2", Body=b"closed\n", **key)
    batches, gaps = read(connector(ceph_s3, bucket), "a.log*")
    assert texts(batches) == ["open"]
    assert [(gap.reason, gap.count) for gap in gaps] == [(Reason.ENCRYPTED, 1)]


def test_a_public_bucket_is_read_by_anybody(ceph_s3: CephServer) -> None:
    bucket = ceph_s3.create_bucket()
    put(ceph_s3, bucket, {"a.log": b"open\n"})
    statement = {
        "Effect": "Allow", "Principal": "*", "Action": ["s3:ListBucket", "s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    ceph_s3.client().put_bucket_policy(Bucket=bucket, Policy=policy)
    made = S3(bucket, endpoint=ceph_s3.endpoint_url, region=ceph_s3.region, anonymous=True)
    assert texts(read(made, "a.log")[0]) == ["open"]


# Marks and facts


def test_the_mark_changes_with_contents_and_members_only(s3: S3Server, bucket: str) -> None:
    def mark() -> str | None:
        with connector(s3, bucket) as made:
            return made.mark(next(asset for asset in made.survey() if asset.name == "a.log*"))

    put(s3, bucket, {"a.log.1": b"one\n", "a.log.2": b"two\n"})
    first = mark()
    put(s3, bucket, {"other.txt": b"x\n"})
    assert mark() == first is not None
    put(s3, bucket, {"a.log.2": b"owt\n"})
    second = mark()
    put(s3, bucket, {"a.log.3": b"x\n"})
    assert len({first, second, mark()}) == 3


def test_facts_tell_number_times_and_classes_and_what_the_store_says(moto_s3: S3Server) -> None:
    bucket = moto_s3.create_bucket()
    put(moto_s3, bucket, {"a.log.1": b"one\n"})
    put(moto_s3, bucket, {"a.log.2": b"two\n"}, StorageClass="STANDARD_IA")
    with connector(moto_s3, bucket) as made:
        (asset,) = made.survey()
        facts = {fact.name: fact.value for fact in made.facts(asset)}
    assert facts["objects"] == 2
    assert facts["storage_classes"] == "STANDARD, STANDARD_IA"
    assert isinstance(facts["oldest"], str)
    assert facts["oldest"] <= str(facts["newest"])
    assert "encryption_at_rest" in facts


def test_an_asset_may_be_read_in_another_process(moto_s3: S3Server) -> None:
    bucket = moto_s3.create_bucket()
    put(moto_s3, bucket, {"a.log.1": b"one\n", "a.log.2": b"two\n"})
    with connector(moto_s3, bucket) as made:
        (asset,) = made.survey()
        copy, asset = pickle.loads(pickle.dumps((made, asset)))
    with copy:
        assert texts([event for event in copy.read(asset, WHOLE) if isinstance(event, Batch)]) == ["one", "two"]


def test_a_role_is_assumed_with_the_external_id(moto_s3: S3Server) -> None:
    bucket = moto_s3.create_bucket()
    put(moto_s3, bucket, {"a.log": b"one\n"})
    role = "arn:aws:iam::123456789012:role/auditor"
    made = connector(moto_s3, bucket, role_arn=role, external_id="globex-7")
    with made:
        assert [asset.name for asset in made.survey()] == ["a.log"]
        credentials = made.client._request_signer._credentials
        assert credentials.method == "assume-role"
        assert credentials.access_key != moto_s3.access_key


# The contract


class Counting(Pace):
    """A pace that only counts."""

    count = 0

    def requests(self, count: int = 1) -> None:
        self.count += count


def test_every_request_is_taken_from_the_pace(moto_s3: S3Server) -> None:
    bucket = moto_s3.create_bucket()
    put(moto_s3, bucket, {"a.log": b"one\n"})
    made = connector(moto_s3, bucket)
    made.pace = sent = Counting()
    with made:
        (asset,) = made.survey()
        list(made.read(asset, WHOLE))
    assert sent.count == 3  # opened, listed, read


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.__name__)
def test_the_contract(check: Check, s3: S3Server, bucket: str) -> None:
    people = "".join(f"{number},person{number}@example.com\n" for number in range(300))
    sink = io.BytesIO()
    pq.write_table(pa.table({"mail": [f"row{row}@example.org" for row in range(200)]}), sink, row_group_size=50)
    put(s3, bucket, {
        "crm/people.csv": f"id,mail\n{people}".encode(),
        "logs/app-2026-01-01.log": log(0, 40), "logs/app-2026-01-02.log.gz": gzip.compress(log(40, 40)),
        "t/part-0.parquet": sink.getvalue(),
    })  # fmt: skip
    client = s3.client()

    def fingerprint() -> object:
        page = client.list_objects_v2(Bucket=bucket)
        return [(one["Key"], one["ETag"], one["LastModified"]) for one in page["Contents"]]

    check(
        Trial(
            lambda: connector(s3, bucket),
            expect={"crm/people.csv": 300, "logs/app-*.log": 80, "t/part-0.parquet": 200},
            canary="person7@example.com",
            missing=lambda: connector(s3, f"{bucket}-gone"),
            change=lambda name: put(s3, bucket, {name: b"id,mail\n1,else@example.com\n"}),
            vanish=lambda name: client.delete_object(Bucket=bucket, Key=name),
            fingerprint=fingerprint,
        )
    )
    client.close()


def test_an_account_has_buckets_to_list_and_nothing_to_scan(
    s3: S3Server, bucket: str, mapkeeper: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret_key)
    monkeypatch.setenv("AWS_DEFAULT_REGION", s3.region)
    ran = mapkeeper("sources", "discover", "s3://", "--workspace", workspace, "--format", "json")
    assert f'bucket = "{bucket}"' in "".join(row["entry"] for row in ran.rows)
    refused = mapkeeper("inspect", "s3://")
    assert (refused.exit, refused.err.count("\n")) == (3, 1)
    assert "names no bucket" in refused.err
