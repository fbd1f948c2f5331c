from datetime import UTC, datetime

import pytest

from x25.providers.wire.waits import retry_after_s

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "text", "wait_s"),
    [
        ({"Retry-After": "7"}, "", 7.0),
        ({"retry-after": " 1.5 "}, "", 1.5),
        ({"Retry-After": "7s"}, "", 7.0),
        ({"Retry-After": "2m"}, "", 120.0),
        ({"Retry-After": "1m30s"}, "", 90.0),
        ({"Retry-After": "1h0m2.5s"}, "", 3600.0),
        ({"Retry-After": "Thu, 01 Jan 2026 00:00:30 GMT"}, "", 30.0),
        ({"Retry-After": "Thu, 01 Jan 2020 00:00:30 GMT"}, "", 0.0),
        ({"Retry-After": "9" * 30}, "", 3600.0),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, "", 3600.0),
        ({"Retry-After-Ms": "250", "Retry-After": "1"}, "", 0.25),
        ({"Retry-After": "-5"}, "", None),
        ({"Retry-After": "3, 5"}, "", 5.0),
        ({"Retry-After": "3, soon"}, "", None),
        ({"Retry-After": "nan"}, "", None),
        ({"Retry-After": "soon"}, "", None),
        ({"Retry-After": ""}, "", None),
        ({}, "Rate limit reached. Please try again in 20s.", 20.0),
        ({}, "Please try again in 1m2.5s", 62.5),
        ({}, "try again in 350ms", 0.35),
        ({}, '{"retryDelay": "17s"}', 17.0),
        ({}, "nothing", None),
    ],
)
def test_a_wait_is_read_in_all_its_forms_and_bounded(headers, text, wait_s):
    assert retry_after_s(headers, text, NOW) == (None if wait_s is None else pytest.approx(wait_s))
