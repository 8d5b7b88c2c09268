"""The s3 connector and stores that fail, lie or change: one error or gap with its code, no key in any text."""

from __future__ import annotations

import email.utils
import io
import os
import random
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.endpoint
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mapkeeper.plugin import Batch, Gap, Kind, ReadPlan, Reason, SourceError
from mapkeeper_connectors.s3 import S3
from services.ceph import CephServer
from services.postgres_tls import certify
from services.s3 import S3Server
from test_s3 import WHOLE, connector, log, put, texts

CANARY = "ada.canary@example.org"
DAY = "2026-01-02T03:04:05.000Z"


class Request:
    """What a client sent."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        self.path = url.path
        self.query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        self.headers = {name.lower(): value for name, value in handler.headers.items()}

    @property
    def listing(self) -> bool:
        return self.path.count("/") == 1 or self.path.endswith("/b/")


Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def store(answer: Callable[[Request], Answer | None], secure: ssl.SSLContext | None = None) -> Iterator[str]:
    """A store that answers as it is told; its URL. ``None``: it never answers. A body cut short ends the connection."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answered = answer(Request(self))
            if answered is None:
                over.wait(30)
                self.close_connection = True
                return
            status, headers, body = answered
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = int(headers.get("Content-Length", len(body))) != len(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            return  # the client hung up

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if secure is not None:
        server.socket = secure.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http{'s' if secure else ''}://127.0.0.1:{server.server_address[1]}"
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def listing(*keys: str, size: int = 10, more: str = "") -> Answer:
    entries = "".join(
        f"<Contents><Key>{key}</Key><LastModified>{DAY}</LastModified><ETag>&quot;e&quot;</ETag>"
        f"<Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key in keys
    )
    body = f"<ListBucketResult><Name>b</Name>{more}{entries}</ListBucketResult>"
    return 200, {"Content-Type": "application/xml"}, f'<?xml version="1.0"?>{body}'.encode()


def error(status: int, code: str, more: str = "") -> Answer:
    body = f"<Error><Code>{code}</Code><Message>about {CANARY}</Message>{more}</Error>"
    return status, {"Content-Type": "application/xml"}, f'<?xml version="1.0"?>{body}'.encode()


def at(url: str, prefix: str = "", **settings: Any) -> S3:
    given = {"region": "eu-west-1", "access_key": "AKIATEST", "secret_key": "hidden", "endpoint": url, **settings}
    return S3("b", prefix, **given)


def refused(made: S3) -> SourceError:
    """The error of opening and listing."""
    with pytest.raises(SourceError) as caught, made:
        list(made.survey())
    told = caught.value
    assert told.__cause__ is None
    assert told.__context__ is None or told.__suppress_context__
    assert len(str(told).splitlines()) == 1
    for hidden in (CANARY, "hidden", "AKIATEST", made.prefix or CANARY):
        assert hidden not in str(told)
    return told


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which take no time."""
    taken: list[float] = []

    class Clock:
        time = staticmethod(time.time)
        sleep = staticmethod(taken.append)

    monkeypatch.setattr(botocore.endpoint, "time", Clock)
    return taken


# Refusals


@pytest.mark.parametrize(
    ("status", "code", "reason", "remedy"),
    [
        (403, "AccessDenied", Reason.DENIED, "s3:ListBucket"),
        (403, "InvalidAccessKeyId", Reason.DENIED, "access_key"),
        (403, "SignatureDoesNotMatch", Reason.DENIED, "secret_key"),
        (400, "ExpiredToken", Reason.DENIED, "expired"),
        (400, "InvalidToken", Reason.DENIED, "session_token"),
        (403, "RequestTimeTooSkewed", Reason.DENIED, "clock"),
        (404, "NoSuchBucket", Reason.MISSING, "bucket"),
        (404, "Strange", Reason.MISSING, "endpoint"),
        (400, "Strange", Reason.UNREADABLE, "400"),
        (500, "InternalError", Reason.UNREADABLE, "500"),
        (503, "SlowDown", Reason.TIMEOUT, "slow down"),
        (503, "Strange", Reason.TIMEOUT, "slow down"),
    ],
)
def test_each_refusal_has_its_code_and_remedy(
    status: int, code: str, reason: Reason, remedy: str, pauses: list[float]
) -> None:
    with store(lambda _: error(status, code)) as url:
        told = refused(at(url, f"mail/{CANARY}/"))
    assert told.reason is reason
    assert remedy in str(told)


def test_wrong_keys_are_denied(ceph_s3: CephServer) -> None:
    bucket = ceph_s3.create_bucket()
    for wrong in ({"secret_key": "wrong"}, {"access_key": "AKIANOBODY"}):
        with pytest.raises(SourceError) as caught, connector(ceph_s3, bucket, **wrong):
            pass
        assert caught.value.reason is Reason.DENIED
        assert next(iter(wrong)) in str(caught.value)


def test_a_bucket_that_is_not_there_is_missing(s3: S3Server) -> None:
    with pytest.raises(SourceError) as caught, connector(s3, "mapkeeper-no-such-bucket"):
        pass
    assert caught.value.reason is Reason.MISSING


def test_without_credentials_it_says_what_to_give(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    cases: list[dict[str, Any]] = [{}, {"role_arn": "arn:aws:iam::1:role/x"}, {"profile": "gone"}]
    for given in cases:
        made = S3("b", endpoint="http://127.0.0.1:9", region="eu-west-1", **given)
        told = refused(made)
        assert told.reason is Reason.DENIED
        assert "profile" in str(told)


@pytest.mark.parametrize(
    "settings",
    [{"endpoint": "nonsense"}, {"endpoint": "http://[::1"}, {"region": "not a region"}, {"endpoint": "http://h:99999"}],
)
def test_settings_that_cannot_be_are_told(settings: dict[str, Any]) -> None:
    given: dict[str, Any] = {"region": "eu-west-1", "access_key": "AKIATEST", "secret_key": "hidden", **settings}
    told = refused(S3("b", **given))
    assert told.reason in (Reason.UNREACHABLE, Reason.MISSING)


@pytest.mark.parametrize("name", ["", "UPPER CASE", "a/b", "x" * 300, "..", "a b"])
def test_names_that_no_bucket_has_are_missing(name: str) -> None:
    with store(lambda _: error(404, "NoSuchBucket")) as url:
        made = at(url)
        made.bucket = name
        assert refused(made).reason in (Reason.MISSING, Reason.UNREADABLE)


# Regions


def test_a_bucket_in_another_region_is_followed() -> None:
    def answer(request: Request) -> Answer:
        if "/eu-south-2/" not in request.headers["authorization"]:
            return error(400, "AuthorizationHeaderMalformed", "<Region>eu-south-2</Region>")
        return listing("a.log")

    with store(answer) as url, at(url) as made:
        assert [asset.name for asset in made.survey()] == ["a.log"]


def test_a_region_that_leads_nowhere_is_told() -> None:
    with store(lambda _: error(301, "PermanentRedirect", "<Endpoint>elsewhere</Endpoint>")) as url:
        told = refused(at(url))
    assert told.reason is Reason.MISSING
    assert "region" in str(told)


# Patience


def test_a_minute_of_slow_down_is_survived(pauses: list[float]) -> None:
    def answer(request: Request) -> Answer:
        return error(503, "SlowDown") if sum(pauses) < 60 else listing("a.log")

    for _ in range(5):
        pauses.clear()
        with store(answer) as url, at(url) as made:
            assert [asset.name for asset in made.survey()] == ["a.log"]
        assert max(pauses) <= 20


def test_a_store_that_never_answers_is_a_timeout(pauses: list[float]) -> None:
    with store(lambda _: None) as url:
        started = time.monotonic()
        told = refused(at(url, read_timeout=0.2))
    assert told.reason is Reason.TIMEOUT
    assert time.monotonic() - started < 5


def test_a_port_where_nobody_listens_is_unreachable(pauses: list[float]) -> None:
    with store(lambda _: None) as url:
        pass
    assert refused(at(url)).reason is Reason.UNREACHABLE
    assert len(pauses) == 1


def test_a_proxy_where_nobody_listens_is_told_without_its_password(pauses: list[float]) -> None:
    with store(lambda _: None) as url:
        pass
    told = refused(at("http://store.example", proxy=url.replace("://", "://user:hidden@")))
    assert told.reason is Reason.UNREACHABLE
    assert "proxy" in str(told)


def test_a_certificate_is_trusted_by_its_bundle_only(tmp_path: Path, pauses: list[float]) -> None:
    bundle = certify(tmp_path, os.getuid())
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(tmp_path / "server.pem", tmp_path / "key.pem")
    with store(lambda _: listing("a.log"), secure) as url:
        told = refused(at(url))
        assert told.reason is Reason.UNREACHABLE
        assert "ca_bundle" in str(told)
        assert pauses == []
        with at(url, ca_bundle=str(bundle)) as made:
            assert [asset.name for asset in made.survey()] == ["a.log"]
        assert refused(at(url, ca_bundle=str(tmp_path / "none.pem"))).reason is Reason.UNREACHABLE


# Listings that lie


def test_a_listing_cut_off_without_a_token_is_asked_on_by_key() -> None:
    keys = [f"k{number}.csv" for number in range(9)]

    def answer(request: Request) -> Answer:
        left = [key for key in keys if key > request.query.get("start-after", "")]
        return listing(*left[:2], more="<IsTruncated>true</IsTruncated>" if len(left) > 2 else "")

    with store(answer) as url, at(url) as made:
        assert [asset.name for asset in made.survey()] == keys


def test_a_store_of_the_first_version_is_listed_by_marker() -> None:
    keys = [f"k{number}.csv" for number in range(5)]

    def answer(request: Request) -> Answer:
        if "list-type" in request.query:
            return error(501, "NotImplemented")
        left = [key for key in keys if key > request.query.get("marker", "")]
        return listing(*left[:2], more="<IsTruncated>true</IsTruncated>" if len(left) > 2 else "")

    with store(answer) as url, at(url) as made:
        assert [asset.name for asset in made.survey()] == keys


@pytest.mark.parametrize("token", ["", "<NextContinuationToken>again</NextContinuationToken>"])
def test_a_listing_that_goes_in_a_circle_ends_with_a_gap_behind_what_was_found(token: str) -> None:
    page = listing("a.csv", "b.csv", more=f"<IsTruncated>true</IsTruncated>{token}")
    with store(lambda _: page) as url, at(url) as made:
        found = list(made.survey())
    assert [(asset.name, asset.kind, asset.gap and asset.gap.reason) for asset in found] == [
        ("/", Kind.FOLDER, Reason.UNREADABLE), ("a.csv", Kind.FILE, None), ("b.csv", Kind.FILE, None),
    ]  # fmt: skip


def test_a_listing_of_empty_pages_ends() -> None:
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>on</NextContinuationToken>"
    with store(lambda _: listing(more=more)) as url:
        assert refused(at(url)).reason is Reason.UNREADABLE


def test_a_listing_that_breaks_off_keeps_what_was_found(pauses: list[float]) -> None:
    def answer(request: Request) -> Answer:
        if "continuation-token" in request.query:
            return error(503, "SlowDown")
        return listing("a.csv", more="<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>")

    with store(answer) as url, at(url) as made:
        found = {asset.name: asset for asset in made.survey()}
    assert set(found) == {"/", "a.csv"}
    gap = found["/"].gap
    assert gap is not None
    assert gap.reason is Reason.TIMEOUT


@pytest.mark.parametrize("body", [b"<html>hello", b"\x00\xff" * 50, b"<?xml version='1.0'?><a><b></a>", b"{}"])
def test_garbage_for_xml_costs_one_error(body: bytes, pauses: list[float]) -> None:
    with store(lambda _: (200, {}, body)) as url:
        assert refused(at(url)).reason is Reason.UNREADABLE


def test_keys_outside_the_prefix_are_not_taken() -> None:
    with store(lambda _: listing("other/a.csv", "mine/b.csv")) as url, at(url, "mine/") as made:
        assert [asset.name for asset in made.survey()] == ["b.csv"]


# Objects that change and connections that break


def serve(body: bytes, cut: Callable[[int], int | None], etag: str = '"e"') -> Callable[[Request], Answer]:
    """A store of one object; ``cut`` says after how many bytes the connection breaks, by the number of the request."""
    count = iter(range(10**6))

    def answer(request: Request) -> Answer:
        if request.listing:
            return listing("a.log", size=len(body))
        start, stop = 0, len(body)
        if (asked := request.headers.get("range")) is not None:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop = int(first), int(last) + 1
        data = body[start:stop]
        headers = {"Content-Length": str(len(data)), "ETag": etag, "Last-Modified": email.utils.formatdate(0)}
        if asked is not None:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(body)}"
        return 206 if asked else 200, headers, data[: cut(next(count))]

    return answer


@pytest.mark.parametrize("plan", [WHOLE, ReadPlan(rows=10**6, bytes=1 << 40)], ids=["whole", "sample"])
def test_a_connection_that_breaks_is_made_again_where_it_broke(plan: ReadPlan, pauses: list[float]) -> None:
    body = log(0, 100_000)
    with store(serve(body, lambda number: 300_000 if number % 3 == 0 else None)) as url, at(url) as made:
        (asset,) = made.survey()
        events = list(made.read(asset, plan))
    assert [event for event in events if isinstance(event, Gap)] == []
    assert "".join(f"{text}\n" for text in texts([one for one in events if isinstance(one, Batch)])).encode() == body


def test_a_connection_that_breaks_again_and_again_is_a_gap(pauses: list[float]) -> None:
    with store(serve(log(0, 100_000), lambda _: 0)) as url, at(url) as made:
        (asset,) = made.survey()
        with pytest.raises(SourceError) as caught:
            list(made.read(asset, WHOLE))
    assert caught.value.reason is Reason.UNREACHABLE


def test_a_store_that_knows_no_ranges_is_read(pauses: list[float]) -> None:
    body = log(0, 60_000)

    def answer(request: Request) -> Answer:
        request.headers.pop("range", None)
        return serve(body, lambda _: None)(request)

    with store(answer) as url, at(url) as made:
        (asset,) = made.survey()
        batches = [one for one in made.read(asset, ReadPlan(rows=500, seed=1)) if isinstance(one, Batch)]
    assert sum(batch.data.num_rows for batch in batches) == 500


def test_an_object_of_another_version_than_was_listed_is_a_gap() -> None:
    with store(serve(log(0, 10), lambda _: None, etag='"other"')) as url, at(url) as made:
        (asset,) = made.survey()
        with pytest.raises(SourceError) as caught:
            list(made.read(asset, WHOLE))
    assert caught.value.reason is Reason.CHANGED


def test_objects_replaced_or_deleted_during_the_scan_are_gaps_and_the_rest_is_read(s3: S3Server, bucket: str) -> None:
    put(s3, bucket, {f"a.log.{number}": b"line %d\n" % number for number in range(4)})
    with connector(s3, bucket) as made:
        (asset,) = made.survey()
        put(s3, bucket, {"a.log.1": b"replaced\n"})
        s3.client().delete_object(Bucket=bucket, Key="a.log.2")
        events = list(made.read(asset, WHOLE))
    assert texts([one for one in events if isinstance(one, Batch)]) == ["line 0", "line 3"]
    gaps = [(one.reason, one.count) for one in events if isinstance(one, Gap)]
    assert sorted(gaps) == [(Reason.CHANGED, 1), (Reason.MISSING, 1)]


def test_a_table_replaced_while_it_is_read_is_a_gap(ceph_s3: S3Server) -> None:
    def table(seed: int) -> bytes:
        sink, drawn = io.BytesIO(), random.Random(seed)
        columns = {"a": [drawn.randbytes(30).hex() for _ in range(60_000)]}
        pq.write_table(pa.table(columns), sink, row_group_size=15_000, compression="none", use_dictionary=False)
        return sink.getvalue()

    bucket = ceph_s3.create_bucket()
    put(ceph_s3, bucket, {"t.parquet": table(1)})
    with connector(ceph_s3, bucket) as made:
        (asset,) = made.survey()
        events = made.read(asset, WHOLE)
        next(events)
        put(ceph_s3, bucket, {"t.parquet": table(2)})
        with pytest.raises(SourceError) as caught:
            list(events)
    assert caught.value.reason is Reason.CHANGED


def test_an_archived_object_that_does_not_say_so_is_a_gap() -> None:
    def answer(request: Request) -> Answer:
        return listing("a.log.1") if request.listing else error(403, "InvalidObjectState")

    with store(answer) as url, at(url) as made:
        (asset,) = made.survey()
        with pytest.raises(SourceError) as caught:
            list(made.read(asset, WHOLE))
    assert caught.value.reason is Reason.ARCHIVED


# Memory


class Pages:
    """A client that lists a million objects, a page at a time."""

    def __init__(self, number: int, key: Callable[[int], str]) -> None:
        self._number = number
        self._key = key
        self.when = email.utils.parsedate_to_datetime("Fri, 02 Jan 2026 03:04:05 +0000")

    def list_objects_v2(self, ContinuationToken: str = "0", **_: Any) -> dict[str, Any]:
        start = int(ContinuationToken)
        stop = min(start + 1000, self._number)
        entries = [
            {"Key": self._key(number), "Size": 10, "LastModified": self.when, "ETag": f'"{number:032x}"'}
            for number in range(start, stop)
        ]
        return {"Contents": entries, "IsTruncated": stop < self._number, "NextContinuationToken": str(stop)}

    list_objects = list_objects_v2

    def close(self) -> None:
        return


def planned(number: int, key: Callable[[int], str]) -> tuple[int, int, int]:
    """How many assets and objects are seen, and how much memory that takes."""
    made = S3("b")
    made.client = Pages(number, key)
    tracemalloc.start()
    try:
        assets = list(made.survey())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return len(assets), sum(asset.objects for asset in assets), peak


@pytest.mark.parametrize(
    "key",
    [
        lambda number: f"logs/2026/{number % 12 + 1:02}/app-{number:09}.json.gz",
        lambda number: f"mail/{number * 2654435761 % 2**32:x}{CANARY}/{number:x}z.e{number % 7000}x",
    ],
    ids=["that fold", "that do not fold"],
)
def test_a_bucket_of_many_keys_is_planned_in_bounded_memory(key: Callable[[int], str]) -> None:
    few, many = planned(10_000, key), planned(40_000, key)
    assert (few[1], many[1]) == (10_000, 40_000)
    assert many[0] <= 10_000
    assert many[2] < max(12 << 20, 1.5 * few[2])
