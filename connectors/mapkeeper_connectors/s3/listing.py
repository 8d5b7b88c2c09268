"""The listing: every object below a prefix, page by page, whatever the store makes of the protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mapkeeper.plugin import Reason, SourceError
from mapkeeper.readers.listed import Listed
from mapkeeper_connectors.s3.failures import failed

_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes that cannot be read before they are restored, which costs; others are read as they are."""

_EMPTY = 100
"""Pages without a new object, one after the other, after which a listing is given up."""

_UNKNOWN = frozenset(
    {"NotImplemented", "MethodNotAllowed", "InvalidArgument", "InvalidRequest", "UnsupportedOperation"}
)
"""How a store says that it does not know the second version of the listing."""


def objects(client: Any, bucket: str, prefix: str, where: str, more: Mapping[str, Any]) -> Iterator[Listed]:
    """Objects below a prefix, by their whole keys, as the store orders them; markers of folders are left out.

    Args:
        client: A boto3 client for S3.
        bucket: Its name.
        prefix: What the keys begin with.
        where: The place that an error names; no key.
        more: Parameters of each request beside these.

    Raises:
        SourceError: the listing is refused, breaks off or goes in a circle.
    """
    last = ""
    for page in _pages(client, bucket, prefix, where, more):
        for entry in page:
            key = entry.get("Key", "")
            size = entry.get("Size", 0)
            if not key.startswith(prefix) or key == last or (key.endswith("/") and not size):
                continue
            last = key
            modified = entry.get("LastModified")
            kind = entry.get("StorageClass", "")
            yield Listed(
                key,
                size,
                int(modified.timestamp()) if modified is not None else 0,
                entry.get("ETag", ""),
                kind,
                kind in _ARCHIVED,
            )


def _pages(
    client: Any, bucket: str, prefix: str, where: str, more: Mapping[str, Any]
) -> Iterator[list[dict[str, Any]]]:
    """Pages of entries, each once. A store that loses its place is asked again by the last key, in two ways."""
    from botocore.exceptions import BotoCoreError, ClientError

    ways = [(client.list_objects_v2, "StartAfter"), (client.list_objects, "Marker")]
    common = {"Bucket": bucket, "Prefix": prefix, **more}
    place: dict[str, str] = {}
    last, firsts, empty = "", set[int](), 0
    while True:
        ask, after = ways[0]
        try:
            answer = ask(**common, **place)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if len(ways) > 1 and code in _UNKNOWN:
                ways.pop(0)
                place = {"Marker": last} if last else {}
                continue
            raise failed(error, where) from None
        except (BotoCoreError, OSError, ValueError) as error:
            raise failed(error, where) from None
        page = answer.get("Contents") or []
        if page and hash(page[0].get("Key")) not in firsts:
            firsts.add(hash(page[0].get("Key")))
            last, empty = page[-1].get("Key", ""), 0
            yield page
        elif page and after in place:  # asked by key, and the same page again
            if len(ways) == 1:
                raise SourceError(Reason.UNREADABLE, f"{where}: the listing goes in a circle; correct 'endpoint'")
            ways.pop(0)
            place = {"Marker": last}
            continue
        elif page:
            place = {after: last}
            continue
        elif (empty := empty + 1) > _EMPTY:
            raise SourceError(Reason.UNREADABLE, f"{where}: the listing does not end; correct 'endpoint'")
        if not answer.get("IsTruncated"):
            return
        token = answer.get("NextContinuationToken")
        place = {"ContinuationToken": token} if token and after == "StartAfter" else {after: last}
