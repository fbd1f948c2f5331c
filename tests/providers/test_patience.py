import random

import pytest

from x25.providers.patience import (
    EXHAUSTED_REST_S,
    LONGEST_EXHAUSTED_S,
    LONGEST_REST_S,
    MAX_BACKOFF_S,
    RATE_LIMIT_REST_S,
    SHORTEST_REST_S,
    backoff_s,
    exhausted_s,
    rest_s,
)
from x25.state.errors import ProviderBilling, ProviderRateLimit


@pytest.mark.parametrize(
    ("asked_s", "busy_s", "without_credit_s"),
    [
        (None, RATE_LIMIT_REST_S, EXHAUSTED_REST_S),
        (0.0, SHORTEST_REST_S, SHORTEST_REST_S),
        (90.0, 90.0, 90.0),
        (1e12, LONGEST_REST_S, LONGEST_EXHAUSTED_S),
    ],
)
def test_a_key_rests_as_long_as_its_provider_asks_within_bounds(asked_s, busy_s, without_credit_s):
    assert rest_s(ProviderRateLimit("busy", retry_after_s=asked_s)) == busy_s
    assert exhausted_s(ProviderBilling("no credit", retry_after_s=asked_s)) == without_credit_s


def test_waits_between_repeats_grow_are_jittered_and_bounded():
    rng = random.Random(7)
    first, late = [backoff_s(1, rng) for _ in range(50)], [backoff_s(30, rng) for _ in range(50)]
    assert 0.05 <= min(first) < max(first) <= 0.1
    assert MAX_BACKOFF_S / 2 <= min(late) < max(late) <= MAX_BACKOFF_S
