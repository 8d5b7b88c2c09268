"""Failures: what an error of botocore means for a scan, and what to do about it; never its own words."""

from __future__ import annotations

from mapkeeper.plugin import Reason, SourceError

_RIGHTS = {
    "ListObjectsV2": "s3:ListBucket",
    "ListObjects": "s3:ListBucket",
    "HeadBucket": "s3:ListBucket",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "ListBuckets": "s3:ListAllMyBuckets",
    "AssumeRole": "sts:AssumeRole",
}
"""The right that an operation needs, where it is not named like it."""

_NO_BUCKET = "there is no such bucket; correct 'bucket'"
_REGION = "the bucket lies in another region; set 'region'"
_SLOW = "the store still asks to slow down; set a lower limit of requests"
_EXPIRED = "the session has expired; get a new one, or set role_arn or a profile that renews it"
_LOGIN = "no valid login; log in to the AWS profile again"
_KEYS = "the keys are not accepted; correct access_key and secret_key"
_CUSTOMER_KEY = "encrypted with a key that the customer keeps (SSE-C), not read"

_CODES: dict[str, tuple[Reason, str]] = {
    "InvalidAccessKeyId": (Reason.DENIED, "the access key is not known there; correct access_key or profile"),
    "SignatureDoesNotMatch": (Reason.DENIED, "the secret key does not fit the access key; correct secret_key"),
    "InvalidClientTokenId": (Reason.DENIED, "the access key is not known there; correct access_key or profile"),
    "UnrecognizedClientException": (Reason.DENIED, _KEYS),
    "InvalidToken": (Reason.DENIED, "the session token is not accepted; correct session_token"),
    "ExpiredToken": (Reason.DENIED, _EXPIRED),
    "ExpiredTokenException": (Reason.DENIED, _EXPIRED),
    "TokenRefreshRequired": (Reason.DENIED, _EXPIRED),
    "RequestTimeTooSkewed": (Reason.DENIED, "the clock of this machine is wrong; set it"),
    "AccountProblem": (Reason.DENIED, "the account is not in order; ask its owner"),
    "NoSuchBucket": (Reason.MISSING, _NO_BUCKET),
    "InvalidBucketName": (Reason.MISSING, _NO_BUCKET),
    "NoSuchKey": (Reason.MISSING, "there is no such object any more"),
    "NoSuchVersion": (Reason.MISSING, "there is no such object any more"),
    "PermanentRedirect": (Reason.MISSING, _REGION),
    "TemporaryRedirect": (Reason.MISSING, _REGION),
    "AuthorizationHeaderMalformed": (Reason.MISSING, _REGION),
    "IllegalLocationConstraintException": (Reason.MISSING, _REGION),
    "InvalidObjectState": (Reason.ARCHIVED, "in an archived tier; restore it to have it read"),
    "PreconditionFailed": (Reason.CHANGED, "replaced since it was listed; scan again"),
    "InvalidRange": (Reason.CHANGED, "replaced since it was listed; scan again"),
    "SlowDown": (Reason.TIMEOUT, _SLOW),
    "Throttling": (Reason.TIMEOUT, _SLOW),
    "ThrottlingException": (Reason.TIMEOUT, _SLOW),
    "RequestLimitExceeded": (Reason.TIMEOUT, _SLOW),
    "TooManyRequests": (Reason.TIMEOUT, _SLOW),
    "RequestTimeout": (Reason.TIMEOUT, "no answer in time; raise read_timeout"),
    "NotImplemented": (Reason.UNSUPPORTED, "the store does not know this request"),
    "MethodNotAllowed": (Reason.UNSUPPORTED, "the store does not know this request"),
}
"""By the error code of S3, https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and of STS."""

_STATUS: dict[int, tuple[Reason, str]] = {
    301: (Reason.MISSING, _REGION),
    307: (Reason.MISSING, _REGION),
    404: (Reason.MISSING, "there is nothing of this name; correct 'bucket' or 'endpoint'"),
    408: (Reason.TIMEOUT, "no answer in time; raise read_timeout"),
    412: (Reason.CHANGED, "replaced since it was listed; scan again"),
    416: (Reason.CHANGED, "replaced since it was listed; scan again"),
    429: (Reason.TIMEOUT, _SLOW),
    503: (Reason.TIMEOUT, _SLOW),
}
"""By the HTTP status, where the code is none of these: answers to HEAD have no code."""

_CLASSES: tuple[tuple[str, Reason, str], ...] = (
    ("ConnectTimeoutError", Reason.TIMEOUT, "no connection in time; correct 'endpoint', or raise connect_timeout"),
    ("ReadTimeoutError", Reason.TIMEOUT, "no answer in time; correct 'endpoint', or raise read_timeout"),
    ("ProxyConnectionError", Reason.UNREACHABLE, "the proxy cannot be reached; correct 'proxy'"),
    ("InvalidProxiesConfigError", Reason.UNREACHABLE, "the proxy cannot be used; correct 'proxy'"),
    ("SSLError", Reason.UNREACHABLE, "its certificate is not trusted; set ca_bundle, or correct 'endpoint'"),
    ("NoCredentialsError", Reason.DENIED, "no credentials; give profile, or access_key and secret_key, or anonymous"),
    ("PartialCredentialsError", Reason.DENIED, "half of the credentials is missing; give access_key and secret_key"),
    ("ProfileNotFound", Reason.DENIED, "the AWS configuration has no such profile; correct 'profile'"),
    ("CredentialRetrievalError", Reason.DENIED, _LOGIN),
    ("TokenRetrievalError", Reason.DENIED, _LOGIN),
    ("SSOError", Reason.DENIED, _LOGIN),
    ("LoginError", Reason.DENIED, _LOGIN),
    ("ParamValidationError", Reason.MISSING, "no bucket can be named so; correct 'bucket'"),
    ("InvalidRegionError", Reason.MISSING, "no region can be named so; correct 'region'"),
    ("EndpointResolutionError", Reason.MISSING, "no address follows from bucket, region and endpoint; correct them"),
    ("EndpointProviderError", Reason.MISSING, "no address follows from bucket, region and endpoint; correct them"),
    ("ConnectionError", Reason.UNREACHABLE, "cannot be reached; correct 'endpoint', or see to the network"),
    ("HTTPClientError", Reason.UNREACHABLE, "the connection broke, again and again; see to the network"),
    ("IncompleteReadError", Reason.UNREACHABLE, "the connection broke, again and again; see to the network"),
    ("ConfigParseError", Reason.DENIED, "the AWS configuration cannot be parsed; mend it"),
)
"""By the class of an error in `botocore.exceptions`, the first that fits: an error without an answer."""


class Refusal(SourceError):
    """The store knows who asks, and does not grant it."""


def failed(error: Exception, where: str) -> SourceError:
    """What botocore raised, as an error of the source; raise it ``from None``, for the text of the other holds keys.

    Args:
        error: As botocore or urllib3 raised it.
        where: The place that the text begins with: a bucket, never a key.
    """
    import botocore.exceptions
    from botocore.parsers import ResponseParserError

    if isinstance(error, SourceError):
        return error
    if isinstance(error, botocore.exceptions.ClientError):
        reason, says, refused = _answered(error)
        return (Refusal if refused else SourceError)(reason, f"{where}: {says}")
    if isinstance(error, ResponseParserError):
        return SourceError(Reason.UNREADABLE, f"{where}: the answer is none of S3; correct 'endpoint'")
    for name, reason, says in _CLASSES:
        if isinstance(error, getattr(botocore.exceptions, name)):
            return SourceError(reason, f"{where}: {says}")
    if isinstance(error, OSError):
        return SourceError(Reason.UNREACHABLE, f"{where}: the connection broke; see to the network")
    return SourceError(Reason.UNREADABLE, f"{where}: could not be asked ({type(error).__name__})")


def _answered(error: object) -> tuple[Reason, str, bool]:
    """Reason and remedy of an answer that is an error, and whether a right of who asks is what is missing."""
    response = getattr(error, "response", {})
    said = response.get("Error", {})
    code, operation = str(said.get("Code", "")), str(getattr(error, "operation_name", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = str(said.get("Message", "")).lower()
    if code in ("InvalidRequest", "InvalidArgument") and "encrypt" in message:
        return Reason.ENCRYPTED, _CUSTOMER_KEY, False
    if code in _CODES:
        return *_CODES[code], False
    if code.startswith("KMS.") or (status == 403 and "kms:" in message):
        return Reason.ENCRYPTED, "encrypted with a key that may not be used; grant kms:Decrypt on it", False
    if status in (401, 403):
        says = f"access denied; grant {_RIGHTS.get(operation, f's3:{operation}')}"
        return Reason.DENIED, says, operation != "AssumeRole"
    if status in _STATUS:
        return *_STATUS[status], False
    return Reason.UNREADABLE, f"the store answered {operation} with an error ({status})", False
