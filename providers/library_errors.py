"""Translate what vendors' libraries raise into our failures."""

from collections.abc import Iterator, Mapping

import httpx

from ..state.errors import (
    ContextLengthExceeded,
    ProviderConnection,
    ProviderError,
    ProviderMalformed,
    ProviderServer,
    ProviderTimeout,
)
from .errors_map import (
    MESSAGE_CHARS,
    NEVER_SENT,
    HttpAnswer,
    error_from_httpx,
    error_from_response,
    redact,
    unless_never_sent,
)
from .refusal_words import CONTEXT


def error_from_openai(exc: Exception, *, deployment: str, secret: str | None = None) -> ProviderError:
    """Return the error that an exception of the `openai` classes, or of langchain-openai's, stands for."""
    import openai  # noqa: PLC0415 - takes half a second, and only LangChain's models raise its errors

    if isinstance(exc, openai.APIStatusError):
        answer = HttpAnswer(exc.status_code, exc.response.headers, exc.response.text)
        return error_from_response(answer, deployment=deployment, secret=secret)
    detail = redact(f"{type(exc).__name__}: {exc}", secret)[:MESSAGE_CHARS]
    if CONTEXT.search(str(exc)):
        return ContextLengthExceeded(f"the prompt does not fit {deployment} ({detail})")
    if isinstance(exc, openai.APITimeoutError):
        return unless_never_sent(ProviderTimeout(f"{deployment} did not answer in time ({detail})"), exc)
    if isinstance(exc, openai.APIConnectionError):
        broke = ProviderConnection(f"no connection to {deployment}, or it broke ({detail})")
        return unless_never_sent(broke, exc)
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
    answer = _answer_within(exc)
    if answer is not None:
        return error_from_response(answer, deployment=deployment)
    detail = redact(f"{type(exc).__name__}: {exc}")[:MESSAGE_CHARS]
    names = {type(one).__name__ for one in _causes(exc)}
    if isinstance(exc, TimeoutError) or any("Timeout" in name for name in names):
        late = ProviderTimeout(f"{deployment} did not answer in time ({detail})")
        late.may_have_billed = not names & NEVER_SENT
        return late
    if isinstance(exc, ConnectionError) or any("Connect" in name for name in names):
        broke = ProviderConnection(f"no connection to {deployment}, or it broke ({detail})")
        broke.may_have_billed = not names & NEVER_SENT
        return broke
    failed = ProviderServer(f"{deployment} failed ({detail})")
    failed.may_have_billed = True
    return failed


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it was raised from."""
    found: BaseException | None = exc
    while found is not None:
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _answer_within(exc: Exception) -> HttpAnswer | None:
    """Return the HTTP answer an exception of a vendor's library, or a cause of it, stands for; None without one.

    The status is `status_code` (most), `code` (google-genai) or in a mapping `response` (botocore).
    """
    for one in _causes(exc):
        response = getattr(one, "response", None)
        if isinstance(response, Mapping) and "ResponseMetadata" in response:
            said = response["ResponseMetadata"]
            return HttpAnswer(int(said.get("HTTPStatusCode", 500)), said.get("HTTPHeaders", {}), str(one))
        for status in (getattr(one, "status_code", None), getattr(one, "code", None)):
            if type(status) is int and 400 <= status < 600:
                return HttpAnswer(status, getattr(response, "headers", None) or {}, str(one))
    return None
