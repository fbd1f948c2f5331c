"""What the words of a refusal mean: with one status many vendors speak of the request, of keys, and of overload."""

import re
from collections.abc import Sequence

from ..state.errors import (
    ContentFiltered,
    ContextLengthExceeded,
    MalformedRequest,
    ModelGone,
    ProviderAuth,
    ProviderBadRequest,
    ProviderBilling,
    ProviderError,
    ProviderForbidden,
    ProviderRateLimit,
    ProviderServer,
    Unsupported,
)

STATUS_OF_WORD = {
    # OpenAI's codes and types (https://platform.openai.com/docs/guides/error-codes)
    "invalid_api_key": 401, "invalid_request_error": 400, "insufficient_quota": 429, "rate_limit_exceeded": 429,
    "model_not_found": 404, "server_error": 500, "tokens": 429, "requests": 429,
    # Anthropic's types (https://docs.claude.com/en/api/errors)
    "authentication_error": 401, "billing_error": 402, "permission_error": 403, "not_found_error": 404,
    "request_too_large": 413, "rate_limit_error": 429, "api_error": 500, "overloaded_error": 529,
    # Google's statuses (https://cloud.google.com/apis/design/errors)
    "unauthenticated": 401, "permission_denied": 403, "not_found": 404, "invalid_argument": 400,
    "failed_precondition": 400, "resource_exhausted": 429, "internal": 500, "unavailable": 503,
    "deadline_exceeded": 504,
}  # fmt: skip
"""What the words by which vendors name a failure would be as a status."""
_OF_WORD: dict[str, type[ProviderError]] = {
    "invalid_api_key": ProviderAuth, "authentication_error": ProviderAuth, "unauthenticated": ProviderAuth,
    "permission_error": ProviderForbidden, "permission_denied": ProviderForbidden, "billing_error": ProviderBilling,
    "rate_limit_exceeded": ProviderRateLimit, "rate_limit_error": ProviderRateLimit,
    "resource_exhausted": ProviderRateLimit, "overloaded_error": ProviderRateLimit, "server_error": ProviderServer,
    "api_error": ProviderServer, "unavailable": ProviderServer, "internal": ProviderServer,
}  # fmt: skip
"""What such a word means beside a status that speaks of the request."""
CONTEXT = re.compile(
    r"context[ _]?(?:length|window|limit|size)|maximum (?:context|prompt|model) length|token count .{0,40}exceeds"
    r"|too many (?:input )?tokens|too large for model|longer than the (?:maximum )?model|reduce the length of"
    r"|(?:prompt|input|message|request|text)s? (?:is |are |was |token length )?too (?:long|large)"
    r"|range of input length|exceeds? the (?:maximum|max) (?:number of )?(?:input )?(?:tokens|length)"
    r"|tokens? .{0,40}must be (?:<=|less than)|inputs`? must have less than|exceed\w* .{0,30}token limit"
    r"|token limit (?:was |is )?exceeded|tokens? .{0,40}exceeds? the .{0,30}limit"
    r"|max_tokens must be at least 1, got -\d"
    r"|more than (?:the )?max(?:imum)? (?:number of )?tokens",
    re.IGNORECASE,
)
"""Of a prompt that does not fit a window."""
MODERATION = re.compile(
    r"content[ _]?(?:filter|policy|management)|responsibleaipolicy|data_inspection_failed|moderation|was flagged"
    r"|usage polic(?:y|ies)|safety system",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"model[ _]not[ _](?:found|supported)|requested model is not supported|deployment .{0,60}not exist"
    r"|no such model|(?:not|in)(?: a)?[ _]?valid model|unknown model"
    r"|models? .{0,80}?(?:not exist|not found|deprecated|decommissioned|retired|no longer|not available)",
    re.IGNORECASE,
)
_UNSUPPORTED = re.compile(
    r"unsupported|not supported|supported values are|only the default|no endpoints found|not enabled for"
    r"|(?:does(?:n't| not)|do(?:n't| not)|cannot|can't) (?:support|accept|allow|handle|process)"
    r"|unrecognized (?:request )?(?:argument|parameter|field)|no such parameter|is not allowed"
    r"|(?:unknown|unexpected) (?:parameter|field|argument|role|key|variant)"
    r"|extra (?:inputs|fields) (?:are )?not permitted",
    re.IGNORECASE,
)
_BODY_AT_FAULT = re.compile(
    r"invalid schema|not a valid json ?schema|could not parse the json|not valid json|invalid json|tool_call_id"
    r"|must be followed by tool messages|(?:invalid|could not process|unable to (?:process|download)) image",
    re.IGNORECASE,
)
_NOWHERE = re.compile(r"no endpoints found (?:for|matching)|no allowed providers", re.IGNORECASE)
"""What an aggregator says of a model that nobody runs for this account, whatever is asked."""

_BEFORE = r"(?:(?:[\w.]*(?:error|exception)|an error occurred)(?: \(\w+\))?[^:]{0,60}: ?|\d{3} |the )*"
"""What libraries and proxies put before the vendor's own sentence."""
_ACCOUNTS: tuple[tuple[type[ProviderError], str], ...] = (
    (ProviderAuth, r"(?:invalid|incorrect|missing|no|expired) api[ _-]?key"),
    (
        ProviderAuth,
        r"api[ _-]?key (?:is )?(?:not|invalid|expired|missing)|unauthori[sz]ed|invalid (?:bearer )?token\b",
    ),
    (ProviderAuth, r"(?:invalid )?authentication"),
    (ProviderBilling, r"arrearage|(?:exceeded )?budget (?:has been )?exceeded|free tier .{0,60}exhausted"),
    (ProviderBilling, r"insufficient[ _](?:balance|credits?|funds|quota)|allocationquota"),
    (ProviderBilling, r"your account .{0,60}(?:balance|overdue|arrears)"),
    (ProviderForbidden, r"user location is not supported|(?:unsupported_)?country\b|unsupported_country"),
    (ProviderForbidden, r"this organization has been|access (?:terminated|denied)|operation not allowed"),
    (
        ProviderForbidden,
        r"account .{0,30}(?:suspended|disabled|deactivated)|your organization must be verified",
    ),
    (ProviderRateLimit, r"throttling|too many requests|rate[ _-]?limit|(?:request )?was throttled"),
    (
        ProviderServer,
        r"(?:requested )?model .{0,80}?(?:overloaded|(?:currently|temporarily) unavailable)|overloaded",
    ),
    (ProviderServer, r"upstream (?:error|connect|request)|no healthy upstream|do request failed|bad gateway"),
    (ProviderServer, r"internal (?:server )?error|connection (?:reset|refused)"),
    (ProviderServer, r"(?:service|server) (?:is )?(?:temporarily )?(?:unavailable|busy|error)"),
)
_OF_ACCOUNTS = tuple((re.compile(_BEFORE + f"(?:{words})", re.IGNORECASE), kind) for kind, words in _ACCOUNTS)


_IN_WORDS: tuple[tuple[re.Pattern[str], type[ProviderError]], ...] = (
    (CONTEXT, ContextLengthExceeded), (MODERATION, ContentFiltered), (_BODY_AT_FAULT, MalformedRequest),
    (_GONE, ModelGone), (_UNSUPPORTED, Unsupported),
)  # fmt: skip
"""What a refusal means by the vendor's words, the plainest first."""


def kind_in_words(status: int, text: str, own: Sequence[str]) -> type[ProviderError] | None:
    """Return what a failure is by the vendor's words; None where its status alone says it.

    Parameters
    ----------
    text
        All that the vendor said.
    own
        Its own message, code and type. A message may quote the prompt: only how it begins is surely the vendor's.
    """
    if status in (400, 422) and (kind := _not_the_requests_fault(own)) is not None:
        return kind
    if status == 404 and (_NOWHERE.search(text) or _UNSUPPORTED.search(text)):
        # An aggregator has the model, and nobody who runs it, or nobody who runs it that way.
        return ModelGone if _NOWHERE.search(text) else Unsupported
    if status == 500 and any(CONTEXT.search(one) for one in own):
        return ContextLengthExceeded
    if status not in (400, 409, 415, 422):
        return None
    # Of a conflict only the vendor knows with what; OpenAI's own clients ask again.
    plain = ProviderServer if status == 409 else ProviderBadRequest
    return next((kind for words, kind in _IN_WORDS if words.search(text)), plain)


def _not_the_requests_fault(own: Sequence[str]) -> type[ProviderError] | None:
    """Return what a refusal stands for that another request would get as well; None where it may be the request's."""
    named = (_OF_WORD.get(one.strip().lower()) for one in own)
    begun = (kind for begins, kind in _OF_ACCOUNTS if any(begins.match(one.strip()) for one in own))
    return next((kind for kind in (*named, *begun) if kind is not None), None)
