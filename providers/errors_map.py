"""Translate the failures of vendors and libraries into ours, without letting a secret into a message."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from ..state.errors import (
    ContextLengthExceeded,
    ProviderAuth,
    ProviderBadRequest,
    ProviderBilling,
    ProviderConnection,
    ProviderError,
    ProviderMalformed,
    ProviderRateLimit,
    ProviderServer,
    ProviderTimeout,
)

MESSAGE_CHARS = 200
"""How much of the vendor's own words a message quotes."""
BODY_CHARS = 4000
"""How much of a body is looked at."""

_SECRET = re.compile(r"(?i:bearer)\s+\S+|\b(?:sk|pk|rk|xai|gsk|nvapi|hf)[-_][\w*.\-]{4,}|\bAIza[\w\-]{10,}")
_CONTEXT = re.compile(
    r"context[ _]length|context window|maximum context|too many tokens|prompt is too long", re.IGNORECASE
)
_BILLING = re.compile(r"insufficient[ _](?:quota|funds|balance)|billing|credit", re.IGNORECASE)
# The body of a 400 may quote the prompt, so only sentences that no prompt is likely to hold count there.
_BILLING_IN_400 = re.compile(
    r"insufficient_quota|billing_hard_limit|credit balance is too low", re.IGNORECASE
)
_NEVER_SENT = {"ConnectTimeout", "PoolTimeout", "ConnectError"}


def redact(text: str, secret: str | None = None) -> str:
    """Return `text` with everything that looks like a key, and `secret` itself, replaced."""
    if secret:
        text = text.replace(secret, "[redacted]")
    return _SECRET.sub("[redacted]", text)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer, as far as it says what went wrong."""

    status: int
    headers: Mapping[str, str]
    body: bytes | str
    """Only the first 4,000 characters are looked at."""


def error_from_response(
    answer: HttpAnswer, *, deployment: str, secret: str | None = None, now: datetime | None = None
) -> ProviderError:
    """Return the error that an unsuccessful HTTP answer stands for.

    Parameters
    ----------
    deployment
        Its name, for the message.
    secret
        The key that was sent: some vendors quote it.
    now
        UTC time against which a `Retry-After` date is read; the clock's when absent.
    """
    body, status = answer.body, answer.status
    text = body.decode("utf-8", errors="replace") if isinstance(body, bytes) else body
    kind = _kind(status, text[:BODY_CHARS])
    words = redact(_vendor_message(text), secret)[:MESSAGE_CHARS]
    sentence = f"{deployment} answered {status}: {words or 'no message'}"
    error = kind(sentence, status=status, retry_after_s=_retry_after_s(answer.headers, now))
    # A gateway in front of the model gave up waiting: the model may have done the work.
    error.may_have_billed = error.may_have_billed or status in (502, 504)
    return error


def error_from_httpx(exc: httpx.HTTPError, *, deployment: str) -> ProviderError:
    """Return the error that a failed exchange stands for."""
    detail = redact(f"{type(exc).__name__}: {exc}".rstrip(": "))[:MESSAGE_CHARS]
    if isinstance(exc, httpx.TimeoutException):
        return _unless_never_sent(ProviderTimeout(f"{deployment} did not answer in time ({detail})"), exc)
    if isinstance(exc, httpx.DecodingError):
        return ProviderMalformed(f"{deployment} sent a body that cannot be decoded ({detail})")
    broke = ProviderConnection(f"no connection to {deployment}, or it broke ({detail})")
    return _unless_never_sent(broke, exc)


def error_from_openai(exc: Exception, *, deployment: str, secret: str | None = None) -> ProviderError:
    """Return the error that an exception of the `openai` classes, or of langchain-openai's, stands for."""
    import openai  # noqa: PLC0415 - takes half a second, and only LangChain's models raise its errors

    if isinstance(exc, openai.APIStatusError):
        answer = HttpAnswer(exc.status_code, exc.response.headers, exc.response.text)
        return error_from_response(answer, deployment=deployment, secret=secret)
    detail = redact(f"{type(exc).__name__}: {exc}", secret)[:MESSAGE_CHARS]
    if _CONTEXT.search(str(exc)):
        return ContextLengthExceeded(f"the prompt does not fit {deployment} ({detail})")
    if isinstance(exc, openai.APITimeoutError):
        return _unless_never_sent(ProviderTimeout(f"{deployment} did not answer in time ({detail})"), exc)
    if isinstance(exc, openai.APIConnectionError):
        broke = ProviderConnection(f"no connection to {deployment}, or it broke ({detail})")
        return _unless_never_sent(broke, exc)
    return ProviderMalformed(f"{deployment} sent something that is not a completion ({detail})")


def error_from_langchain(exc: Exception, *, deployment: str) -> ProviderError:
    """Return the error that an exception of any LangChain chat model stands for.

    Vendors' libraries have no common base class; most put the HTTP status in `status_code`. An exception that
    says nothing about itself counts as a failure of the provider.
    """
    if any(base.__module__.partition(".")[0] == "openai" for base in type(exc).__mro__):
        return error_from_openai(exc, deployment=deployment)
    if isinstance(exc, httpx.HTTPError):
        return error_from_httpx(exc, deployment=deployment)
    status = getattr(exc, "status_code", None)
    if isinstance(status, int):
        headers = getattr(getattr(exc, "response", None), "headers", {})
        return error_from_response(HttpAnswer(status, headers, str(exc)), deployment=deployment)
    detail = redact(f"{type(exc).__name__}: {exc}")[:MESSAGE_CHARS]
    if isinstance(exc, TimeoutError):
        return ProviderTimeout(f"{deployment} did not answer in time ({detail})")
    if isinstance(exc, ConnectionError):
        return ProviderConnection(f"no connection to {deployment}, or it broke ({detail})")
    failed = ProviderServer(f"{deployment} failed ({detail})")
    failed.may_have_billed = True
    return failed


def _unless_never_sent(error: ProviderError, cause: BaseException | None) -> ProviderError:
    """Clear `may_have_billed` where the chain of causes shows that no request went out.

    Told by the class's name, because openai raises from its own copy of httpx's classes.
    """
    while cause is not None:
        if type(cause).__name__ in _NEVER_SENT:
            error.may_have_billed = False
        cause = cause.__cause__
    return error


_KINDS: dict[int, type[ProviderError]] = {
    401: ProviderAuth, 402: ProviderBilling, 403: ProviderAuth, 408: ProviderTimeout, 429: ProviderRateLimit,
}  # fmt: skip


def _kind(status: int, text: str) -> type[ProviderError]:
    no_credit = _BILLING_IN_400 if status == 400 else _BILLING
    if status in (400, 403, 429) and no_credit.search(text):
        return ProviderBilling
    if status in (400, 413, 422) and _CONTEXT.search(text):
        return ContextLengthExceeded
    if status in _KINDS:
        return _KINDS[status]
    if status >= 500:
        return ProviderServer
    return ProviderBadRequest if status >= 400 else ProviderMalformed


def _vendor_message(text: str) -> str:
    try:
        body: Any = json.loads(text)
    except ValueError:
        return " ".join(text[:BODY_CHARS].split())
    found = body
    for key in ("error", "message"):
        found = found.get(key, found) if isinstance(found, dict) else found
    return found if isinstance(found, str) else json.dumps(found)


def _retry_after_s(headers: Mapping[str, str], now: datetime | None) -> float | None:
    value = httpx.Headers(dict(headers)).get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())
