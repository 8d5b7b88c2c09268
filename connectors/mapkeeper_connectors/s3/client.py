"""The client: how a bucket is reached, with whose credentials, how patiently; the only door to boto3."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mapkeeper.plugin import Pace, Reason, SourceError, secret
from mapkeeper_connectors.s3.failures import failed
from mapkeeper_connectors.s3.patience import Patience

__all__ = ["Settings", "address", "connect", "failed"]

_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws")
_SESSION = "mapkeeper"


@dataclass
class Settings:
    """What reaches a bucket. What is not given comes from the places where AWS's own tools look."""

    bucket: str  # its name
    prefix: str = ""  # read only what begins with it
    profile: str | None = None  # of the AWS configuration
    region: str | None = None  # found out where it is not given
    endpoint: str | None = None  # the URL of a store that is not AWS, or of a private way to AWS
    access_key: str | None = secret(default=None)  # instead of the credentials of the profile
    secret_key: str | None = secret(default=None)  # belongs to access_key
    session_token: str | None = secret(default=None)  # belongs to access_key, where it is good for a while only
    role_arn: str | None = None  # assumed with these credentials, and again before its session ends
    external_id: str | None = None  # asked for by the role
    anonymous: bool = False  # send no credentials
    requester_pays: bool = False  # agree to pay for the requests
    ca_bundle: str | None = None  # path of the certificates to trust; relative to the workspace
    proxy: str | None = secret(default=None)  # a URL, which may hold a password
    connect_timeout: float = 10.0  # seconds until a connection stands
    read_timeout: float = 60.0  # seconds between two packets of an answer


def address(bucket: str, endpoint: str | None = None) -> str:
    """The name of a bucket, the same from whichever source it is seen; with its host where that is not AWS."""
    endpoint = endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    host = _host(endpoint)
    return f"s3://{bucket}" if host is None or is_aws(endpoint) else f"s3://{host}/{bucket}"


def is_aws(endpoint: str | None) -> bool:
    """Whether an endpoint is AWS, which is what ``None`` means."""
    host = _host(endpoint)
    return host is None or host.partition(":")[0].lower().endswith(_AWS)


def connect(settings: Settings, pace: Pace) -> Any:
    """A boto3 client for S3. Sends no request yet, but to assume a role or to find credentials.

    Raises:
        SourceError: there are no credentials, or the settings cannot be.
    """
    import botocore.exceptions

    try:
        return _connect(settings, pace)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise failed(error, f"s3://{settings.bucket}") from None
    except (ValueError, OSError):
        says = "endpoint, region, proxy or ca_bundle cannot be what it is set to; correct it"
        raise SourceError(Reason.UNREACHABLE, f"s3://{settings.bucket}: {says}") from None


def _connect(settings: Settings, pace: Pace) -> Any:
    import boto3
    import botocore
    from botocore.config import Config

    config = Config(
        retries={"total_max_attempts": 1, "mode": "standard"},  # `Patience` tries again
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        proxies={"http": settings.proxy, "https": settings.proxy} if settings.proxy else None,
        # Stores that are not AWS answer part of an object with the checksum of the whole.
        response_checksum_validation="when_required",
        request_checksum_calculation="when_required",
        signature_version=botocore.UNSIGNED if settings.anonymous else None,
        user_agent_extra=_SESSION,
    )
    session = boto3.Session(
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        aws_session_token=settings.session_token,
        profile_name=None if settings.access_key else settings.profile,
        region_name=settings.region,
    )
    make = functools.partial(session.client, config=config, verify=settings.ca_bundle)
    if settings.role_arn and not settings.anonymous:
        session._session._credentials = _role(settings, session, make)
    client = make("s3", endpoint_url=settings.endpoint)
    client.meta.events.register("before-send.s3", lambda **_: pace.requests())
    client.meta.events.register("needs-retry.s3", Patience())
    client.meta.events.register("before-call.s3.HeadBucket", _as_it_stands)
    return client


def _as_it_stands(context: dict[str, Any], **_: Any) -> None:
    """HeadBucket is how botocore finds a bucket's region, once redirected: it does not follow redirections itself."""
    context.setdefault("s3_redirect", {})["redirected"] = True


def _role(settings: Settings, session: Any, make: Any) -> Any:
    """Credentials of the role, which renew themselves: a scan may last longer than a session."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.exceptions import NoCredentialsError

    if (own := session.get_credentials()) is None:
        raise NoCredentialsError
    if not is_aws(settings.endpoint):  # stores of other makers speak for themselves
        make = functools.partial(make, endpoint_url=settings.endpoint)
    if session.region_name is None:
        make = functools.partial(make, region_name="us-east-1")
    extra = {"RoleSessionName": _SESSION, **({"ExternalId": settings.external_id} if settings.external_id else {})}
    fetcher = AssumeRoleCredentialFetcher(make, own, settings.role_arn, extra_args=extra)
    return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")


def _host(endpoint: str | None) -> str | None:
    """Host and port of a URL, without a login; ``None`` where there is none."""
    return urlsplit(endpoint).netloc.rpartition("@")[2] or None if endpoint else None
