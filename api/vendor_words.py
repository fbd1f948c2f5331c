"""What is told of a failure of a vendor where prompts are private: its class. Its sentence may quote the prompt."""

from math import ceil
from typing import Any

from ..state.errors import AllBusy, CallFailed, StreamBroken
from ..state.types import Reply


def without_vendor_words(reply: Reply) -> Reply:
    """Return a reply whose `explain.failures` say what kind of failure each was, and nothing in a vendor's words."""
    failures = reply["explain"].get("failures")
    if not failures:
        return reply
    explain = {**reply["explain"], "failures": [_classed(failure) for failure in failures]}
    return {**reply, "explain": explain}


def _classed(failure: dict[str, Any]) -> dict[str, Any]:
    status = f" (HTTP {failure['status']})" if failure.get("status") else ""
    return {**failure, "message": f"{failure['error']}{status}"}


def classes_of(error: CallFailed) -> str:
    """Return one sentence on a call that failed: which model failed in which way."""
    if isinstance(error, AllBusy):
        return f"every model is busy; the first may answer again in {max(1, ceil(error.retry_after_s))} s"
    found = [
        f"{attempt.get('model_id')}: {attempt.get('error')}" for attempt in error.attempts
    ] or error.failures
    what = "the answer broke off" if isinstance(error, StreamBroken) else "no model answered"
    return f"{what} ({', '.join(found) or 'nobody was asked'})"
