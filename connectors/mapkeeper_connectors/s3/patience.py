"""Patience: how often a request is sent again, and after how long."""

from __future__ import annotations

import random
from typing import Any

LONGEST = 20.0
"""Seconds between two requests, at the most."""

_SLOW_DOWN = frozenset(
    {"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests", "ServiceUnavailable"}
    | {"RequestThrottled", "RequestThrottledException", "ThrottledException", "BandwidthLimitExceeded", "503", "429"}
)
_TOO_BUSY = (429, 503)
_AMISS = (500, 502, 504)


class Patience:
    """Says of a request that failed after how many seconds to send it again, as botocore asks it (``needs-retry``).

    The pause is drawn between nothing and a limit that doubles up to `LONGEST`, so that many workers do not come back
    at once (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter). A store that asks to
    slow down gets 16 requests over 115 s on the average, and less than a minute once in a thousand times. A store
    that never answered is tried twice.
    """

    throttled = 15
    failing = 4
    lost = 5

    def __init__(self) -> None:
        self._answered = False
        self._random = random.Random()  # noqa: S311 - a pause, no secret

    def __call__(
        self, attempts: int, response: Any = None, caught_exception: BaseException | None = None, **_: Any
    ) -> float | None:
        """Seconds until the next attempt; ``None``: this was the last."""
        if caught_exception is not None:
            most = (self.lost if self._answered else 1) if _lost(caught_exception) else 0
        else:
            self._answered = True
            most = self._again(response)
        return self._random.uniform(0, min(LONGEST, 2.0 ** (attempts - 1))) if attempts <= most else None

    def _again(self, response: Any) -> int:
        """How often a request with this answer may be sent again."""
        http, parsed = response if response is not None else (None, {})
        status = http.status_code if http is not None else 200
        code = parsed.get("Error", {}).get("Code")
        if status < 400 and code is None:
            return 0
        if code in _SLOW_DOWN or status in _TOO_BUSY:
            return self.throttled
        return self.failing if status in _AMISS or code in ("InternalError", "RequestTimeout") else 0


def _lost(error: BaseException) -> bool:
    """Whether the network failed, which may pass; not what will be wrong the next time as well."""
    from botocore.exceptions import ConnectionError, HTTPClientError, SSLError

    return isinstance(error, HTTPClientError | ConnectionError) and not isinstance(error, SSLError)
