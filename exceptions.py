"""What can go wrong between an agent and its gateway, and how httpx's failures become one of these."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx

__all__ = [
    "BudgetExceeded",
    "GatewayError",
    "GatewayTimeout",
    "GatewayUnreachable",
    "InvalidRequest",
    "MalformedReply",
    "Overloaded",
    "QuotaExceeded",
    "RateLimited",
    "Unauthorized",
    "UpstreamFailed",
    "X25Error",
]


class X25Error(Exception):
    """Base of every error the gateway, or its absence, causes."""


class GatewayUnreachable(X25Error):
    """No connection to the gateway, or it broke before the answer was complete."""


class GatewayTimeout(X25Error):
    """The gateway did not answer in time; the call may still be running there."""


class MalformedReply(X25Error):
    """The gateway answered with success, but not in the agreed shape."""


class GatewayError(X25Error):
    """The gateway answered with an error; the subclass says whose move it is."""

    def __init__(  # noqa: PLR0913, PLR0917 - positional, so that the error survives pickling
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        body: Any = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(status, code, message, field, body, retry_after_s)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.body = body
        """The whole answer: parsed JSON, or text when it is not JSON."""
        self.retry_after_s = retry_after_s
        """Seconds the gateway asked to wait; None when it did not say."""

    def __str__(self) -> str:
        place = f" (field: {self.field})" if self.field else ""
        return f"HTTP {self.status} {self.code}: {self.message}{place}"


class InvalidRequest(GatewayError):
    """The request must change before it can succeed (400, 404, 422); `field` names the part."""


class Unauthorized(GatewayError):
    """The API key is missing, unknown, over, or not allowed to do this (401, 403)."""


class BudgetExceeded(GatewayError):
    """A ceiling of the key or the org is reached (402); nothing was spent."""


class QuotaExceeded(BudgetExceeded):
    """A quota of tokens of the key or the org is reached (402, code "quota_exceeded"); nothing was spent."""


class RateLimited(GatewayError):
    """Too many requests, tokens or calls at once, for this key or its org (429); wait `retry_after_s`."""


class Overloaded(GatewayError):
    """The gateway has more calls than it can serve (503, code "overloaded"); it did nothing. Wait `retry_after_s`."""


class UpstreamFailed(GatewayError):
    """The gateway works, what it depends on does not: every model failed, or its store is down (502-504)."""


_STATUS_TO_ERROR: Final[dict[int, type[GatewayError]]] = {
    **dict.fromkeys((400, 404, 422), InvalidRequest),
    **dict.fromkeys((401, 403), Unauthorized),
    402: BudgetExceeded,
    429: RateLimited,
    **dict.fromkeys((502, 503, 504), UpstreamFailed),
}


_CODE_TO_ERROR: Final[dict[str, type[GatewayError]]] = {
    "overloaded": Overloaded,
    "quota_exceeded": QuotaExceeded,
}
"""Codes that say more than their status."""


@contextmanager
def named_failures(request: httpx.Request) -> Iterator[None]:
    """Turn httpx's failures to get an answer to `request` into ours, keeping the cause."""
    try:
        yield
    except httpx.TimeoutException as error:
        waited_s = request.extensions["timeout"]["read"]
        raise GatewayTimeout(
            f"no answer from the x25 gateway at {request.url} within {waited_s:g} s ({type(error).__name__})"
        ) from error
    except httpx.RequestError as error:
        raise GatewayUnreachable(
            f"no answer from the x25 gateway at {request.url} ({error}). Start one with `x25 serve` "
            "(installed by `pip install 'x25[gateway]'`), or pass the gateway_url of a running one."
        ) from error


def error_from(response: httpx.Response) -> GatewayError:
    """Return the error an unsuccessful response stands for; its body need not be ours, nor JSON."""
    try:
        body = response.json()
    except ValueError:
        body = response.text
    error = body.get("error") if isinstance(body, dict) else None
    details = error if isinstance(error, dict) else {}
    kind = _STATUS_TO_ERROR.get(response.status_code, GatewayError)
    return _CODE_TO_ERROR.get(str(details.get("code")), kind)(
        response.status_code,
        details.get("code") or f"http_{response.status_code}",
        details.get("message") or response.text[:200] or response.reason_phrase,
        details.get("field"),
        body,
        _seconds(response.headers.get("Retry-After", "")),
    )


def _seconds(retry_after: str) -> float | None:
    try:
        return float(retry_after)
    except ValueError:  # absent, or a date
        return None
