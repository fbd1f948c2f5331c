"""Bills that nobody would believe: booked as far as they can be, the rest kept apart as disputed.

A reservation is the most a request can cost, so a bill many times as high is a provider's mistake, or worse. Booked as
it stands, one of them would spend an org's whole budget.
"""

import logging
from dataclasses import replace

from ..records import Attempt, usd_from_nusd

MOST_TIMES_RESERVED = 10
"""A bill up to this many times its reservation is booked as it stands: prices change, and vendors add to prompts."""
MOST_NUSD = 10**18
"""The largest amount written down, a billion dollars: databases count in 64 bits."""

_log = logging.getLogger(__name__)


def quarantined(attempt: Attempt, left_nusd: int | None = None) -> Attempt:
    """Return a settled attempt with its cost as far as it is believed.

    A cost above `MOST_TIMES_RESERVED` times the reservation is set to the reservation, and none passes what the
    caller's cap left: the answer's limit was sent with the request. What was billed beyond is `disputed_nusd`, which
    counts in no budget, cap or sum of costs.

    Parameters
    ----------
    left_nusd
        What the caller's cap left for this attempt; None without a cap.
    """
    billed_nusd, reserved_nusd = attempt.cost_nusd, attempt.reserved_nusd
    if billed_nusd is None:
        return attempt
    booked_nusd = billed_nusd if billed_nusd <= MOST_TIMES_RESERVED * reserved_nusd else reserved_nusd
    if left_nusd is not None:
        booked_nusd = min(booked_nusd, max(left_nusd, reserved_nusd))
    if booked_nusd == billed_nusd:
        return attempt
    disputed_nusd = min(billed_nusd - booked_nusd, MOST_NUSD)
    _log.warning(
        "attempt %s of %s was billed %.6f dollars beyond the %.6f believed: they are disputed",
        attempt.attempt_id, attempt.model_id, usd_from_nusd(disputed_nusd), usd_from_nusd(booked_nusd),
    )  # fmt: skip
    return replace(attempt, cost_nusd=booked_nusd, disputed_nusd=disputed_nusd)
