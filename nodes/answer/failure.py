"""What a call that bought no answer tells its caller: whose fault it was, and whether to come back."""

from ...providers.patience import RATE_LIMIT_REST_S
from ...state.answers import Failure
from ...state.errors import (
    AllBusy,
    BreakerOpen,
    CallFailed,
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
    RequestRefused,
    StreamBroken,
    Unsupported,
    WindowExceeded,
)
from ...state.working_memory import Logged
from ..records.explanation import attempt_facts

_REQUESTS_FAULT = (
    MalformedRequest.code, ProviderBadRequest.code, ContextLengthExceeded.code, Unsupported.code, ContentFiltered.code,
)  # fmt: skip
"""Failures that another request would not have had, the plainest first."""

_OUT_OF_ORDER = frozenset({ProviderAuth.code, ProviderBilling.code, ProviderForbidden.code, ModelGone.code})
"""Failures that no waiting mends; beside them a model that is busy is still worth coming back for."""


def call_failure(call: Logged) -> CallFailed:
    """Return the failure of a call whose models all failed.

    The request is at fault where every model refused it, busy models ask to come back, and anything else is the
    providers' failure.
    """
    failed = _failed(call)
    failed.failures = tuple(
        f"{answer.model_id}: {answer.failure.code}" for answer in call.answers if answer.failure is not None
    )
    return failed


def _failed(call: Logged) -> CallFailed:
    failures = [answer.failure for answer in call.answers if answer.failure is not None]
    attempts = [attempt_facts(attempt) for answer in call.answers for attempt in answer.attempts]
    last = failures[-1].message if failures else "nobody was asked"
    if call.answers and call.answers[-1].pieces_sent:
        broken = f"the answer broke off after {call.answers[-1].pieces_sent} pieces: {last}"
        return StreamBroken(broken, attempts=attempts, call_id=call.call_id)
    message = f"no model answered; the last error was: {last}"
    if failures and all(one.code in _REQUESTS_FAULT for one in failures):
        plainest = min(failures, key=lambda one: _REQUESTS_FAULT.index(one.code))
        if plainest.code == ContextLengthExceeded.code:
            too_long = f"prompt is too long: {plainest.message}"
            return WindowExceeded(too_long, attempts=attempts, call_id=call.call_id)
        return RequestRefused(plainest.message, attempts=attempts, call_id=call.call_id)
    waits_s = [_wait_s(one) for one in failures if one.code not in _OUT_OF_ORDER]
    known_s = [wait_s for wait_s in waits_s if wait_s is not None]
    if known_s and len(known_s) == len(waits_s):
        return AllBusy(message, attempts=attempts, call_id=call.call_id, retry_after_s=min(known_s))
    return CallFailed(message, attempts=attempts, call_id=call.call_id)


def _wait_s(failure: Failure) -> float | None:
    """Return when a model that is busy may answer again; None for any other failure."""
    if failure.code == ProviderRateLimit.code:
        return RATE_LIMIT_REST_S if failure.retry_after_s is None else failure.retry_after_s
    return failure.retry_after_s if failure.code in (ProviderServer.code, BreakerOpen.code) else None


def failure_of(error: ProviderError) -> Failure:
    """Return why a dispatch brought no answer."""
    return Failure(error.code, type(error).__name__, str(error), error.status, error.retry_after_s)
