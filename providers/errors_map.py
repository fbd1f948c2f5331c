"""Translate the failures of vendors and libraries into ours, without letting a secret into a message."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
import httpx

from ..state.errors import (
    BeyondAllowance,
    ContentFiltered,
    ContextLengthExceeded,
    ModelGone,
    ProviderAuth,
    ProviderBadRequest,
    ProviderBilling,
    ProviderConnection,
    ProviderError,
    ProviderForbidden,
    ProviderMalformed,
    ProviderRateLimit,
    ProviderServer,
    ProviderTimeout,
    Unsupported,
)
from .refusal_words import MODERATION, kind_in_words
from .wire.waits import retry_after_s

MESSAGE_CHARS = 200
"""How much of the vendor's own words a message quotes."""
BODY_CHARS = 4000
"""How much of a body is looked at."""

_SECRET = re.compile(r"(?i:bearer)\s+\S+|\b(?:sk|pk|rk|xai|gsk|nvapi|hf)[-_][\w*.\-]{4,}|\bAIza[\w\-]{10,}")
_BILLING = re.compile(
    r"insufficient[ _](?:quota|funds|balance)|billing|credit|key limit exceeded", re.IGNORECASE
)
# A 400 may quote the prompt, in its message, too: only how that begins is surely the vendor's own.
_BILLING_IN_400 = re.compile(
    r"insufficient_quota|billing_hard_limit|(?:your )?credit balance is too low", re.IGNORECASE
)
_BUSY = re.compile(r"rate[ _-]?limit|too many requests|(?:try again|retry) in \d|per min", re.IGNORECASE)
_FIRST_MESSAGE = re.compile(r"""['"]message['"]: ['"](.*)""", re.DOTALL)
_BEYOND_ALLOWANCE = re.compile(
    r"(?:fewer|lower|less|reduce) (?:the )?max_(?:completion_|output_)?tokens|can only afford|request too large"
    r"|tokens must be reduced",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"['\"`]([A-Za-z_][\w.\[\]]{0,60})['\"`]"
    r"|(?:argument supplied|parameter|field|argument):? ([a-z_]{2,40})\b"
)
_ROLE = re.compile(r"['\"`](developer)['\"`]")
"""A role that is refused; what vendors call the parameter is then the whole of the messages."""
NEVER_SENT = {
    "ConnectTimeout", "PoolTimeout", "ConnectError", "ConnectTimeoutError", "EndpointConnectionError",
    "ClientConnectorError",
}  # fmt: skip


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
    text = _text(answer.body)
    said = _said(text, secret)
    kind = _kind(answer.status, text[:BODY_CHARS])
    sentence = f"{deployment} answered {answer.status}: {said.message or 'no message'}"
    wait_s = retry_after_s(answer.headers, text[:BODY_CHARS], now)
    if kind is Unsupported:
        return Unsupported(sentence, status=answer.status, retry_after_s=wait_s, parameter=said.parameter)
    error = kind(sentence, status=answer.status, retry_after_s=wait_s)
    # A gateway in front of the model gave up waiting: the model may have done the work.
    error.may_have_billed = error.may_have_billed or answer.status in (502, 504)
    return error


def error_from_httpx(exc: httpx.HTTPError, *, deployment: str) -> ProviderError:
    """Return the error that a failed exchange stands for."""
    detail = redact(f"{type(exc).__name__}: {exc}".rstrip(": "))[:MESSAGE_CHARS]
    if isinstance(exc, httpx.TimeoutException):
        return unless_never_sent(ProviderTimeout(f"{deployment} did not answer in time ({detail})"), exc)
    if isinstance(exc, httpx.DecodingError):
        return ProviderMalformed(f"{deployment} sent a body that cannot be decoded ({detail})")
    broke = ProviderConnection(f"no connection to {deployment}, or it broke ({detail})")
    return unless_never_sent(broke, exc)


def error_from_aiohttp(exc: Exception, *, deployment: str) -> ProviderError:
    """Return the error that a failed exchange of `wire.client` stands for.

    A `ValueError` is of a URL or a header that cannot be sent.
    """
    if isinstance(exc, aiohttp.ConnectionTimeoutError):
        late = ProviderTimeout(f"{deployment} did not answer in time (no connection was made)")
        late.may_have_billed = False
        return late
    if isinstance(exc, aiohttp.ClientConnectorError):
        detail = f"{type(exc).__name__}: {exc.os_error}"
    elif isinstance(exc, aiohttp.InvalidURL):
        detail = "InvalidURL"
    else:
        detail = f"{type(exc).__name__}: {getattr(exc, 'message', exc)}"
    words = " ".join(redact(detail).split())[:MESSAGE_CHARS]
    broke = ProviderConnection(f"no connection to {deployment}, or it broke ({words})")
    broke.may_have_billed = not isinstance(exc, aiohttp.ClientConnectorError | ValueError)
    return broke


def unless_never_sent(error: ProviderError, cause: BaseException | None) -> ProviderError:
    """Clear `may_have_billed` where the chain of causes shows that no request went out.

    Told by the class's name, because openai raises from its own copy of httpx's classes.
    """
    while cause is not None:
        if type(cause).__name__ in NEVER_SENT:
            error.may_have_billed = False
        cause = cause.__cause__
    return error


_KINDS: dict[int, type[ProviderError]] = {
    401: ProviderAuth, 402: ProviderBilling, 403: ProviderForbidden, 404: ModelGone, 408: ProviderTimeout,
    405: ProviderServer, 410: ModelGone, 413: ContextLengthExceeded, 421: ProviderServer, 424: ProviderServer,
    425: ProviderServer, 429: ProviderRateLimit, 451: ContentFiltered, 499: ProviderServer, 508: ModelGone,
    529: ProviderRateLimit,
}  # fmt: skip
_KIND_OF_HUNDRED: dict[int, type[ProviderError]] = {4: ProviderBadRequest, 5: ProviderServer}


def _kind(status: int, text: str) -> type[ProviderError]:
    if status in (402, 429) and _BEYOND_ALLOWANCE.search(text):
        return BeyondAllowance
    if status == 403 and MODERATION.search(text):
        return ContentFiltered  # before its words about money: "no credits were charged"
    if _says_no_credit(status, text):
        return ProviderBilling
    found = kind_in_words(status, text, _own_words(text))
    return found or _KINDS.get(status) or _KIND_OF_HUNDRED.get(status // 100, ProviderMalformed)


def _says_no_credit(status: int, text: str) -> bool:
    """Return whether an account has no credit left, by the vendor's own words, not by what it quotes."""
    if status == 429:  # one that is merely busy often says where to pay for a higher limit
        is_spent = "insufficient_quota" in _own_words(text)
        return is_spent or (_BILLING.search(text) is not None and _BUSY.search(text) is None)
    if status == 403:
        return any(_BILLING.search(one) for one in _own_words(text))
    return status == 400 and any(_BILLING_IN_400.match(one) for one in _own_words(text))


def _own_words(text: str) -> list[str]:
    """Return an error's message, code and type, as far as they are texts.

    Of a body that is no JSON object: all of it, and from the first message on, as libraries of vendors print one.
    """
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        return [text, *_FIRST_MESSAGE.findall(text)[:1]]
    found = body[0] if isinstance(body, list) and body else body
    if not isinstance(found, dict):
        return [text]
    inner = found.get("error")
    told = [
        inner,
        *(
            (inner if isinstance(inner, dict) else found).get(name)
            for name in ("message", "code", "type", "status")
        ),
    ]
    return [one for one in told if isinstance(one, str)]


@dataclass(frozen=True, slots=True)
class _Said:
    """What a vendor says went wrong."""

    message: str
    parameter: str | None
    """Top-level name of the part of the request that it names."""


def _text(body: bytes | str) -> str:
    return body.decode("utf-8", errors="replace") if isinstance(body, bytes) else body


def _said(text: str, secret: str | None) -> _Said:
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        return _Said(_quoted(" ".join(text[:BODY_CHARS].split()), secret), _named(text[:BODY_CHARS]))
    found = body[0] if isinstance(body, list) and body else body
    parameter: Any = None
    for key in ("error", "message"):
        if isinstance(found, dict):
            parameter = found.get("param") or parameter
            found = found.get(key, found)
    try:
        message = found if isinstance(found, str) else json.dumps(found)
    except RecursionError:
        message = ""
    role = _ROLE.search(message)
    named = role[1] if role else parameter if isinstance(parameter, str) else _named(message)
    return _Said(_quoted(message, secret), None if named is None else re.split(r"[.\[]", named)[0])


def _quoted(words: str, secret: str | None) -> str:
    """Return as much of the vendor's words as a message quotes, and no key."""
    # A header or a row of the store holds no lone surrogate.
    return redact(words, secret)[:MESSAGE_CHARS].encode("utf-8", "replace").decode("utf-8")


def _named(message: str) -> str | None:
    """Return the first name that a message puts in quotes or after "parameter"."""
    found = _QUOTED.search(message)
    return None if found is None else found[1] or found[2]


def hide_secret(error: ProviderError, secret: str | None) -> None:
    """Take a key out of what its vendor says: words of vendors reach logs and callers."""
    if secret:
        error.args = tuple(one.replace(secret, "…") if isinstance(one, str) else one for one in error.args)


def logged(error: ProviderError) -> str:
    """Return what the log says of a failed request: its class, and of a connection that was never made why.

    The reason is the system's word, such as a certificate's fault; any other may quote the prompt.
    """
    is_ours = isinstance(error, ProviderConnection) and not error.may_have_billed
    return f"{error.code}: {error}" if is_ours else error.code
