import pytest

from x25.state.money.disputes import MOST_NUSD, MOST_TIMES_RESERVED, quarantined


@pytest.mark.parametrize("cost", [None, 0, 99, 100, 250, 100 * MOST_TIMES_RESERVED])
def test_a_bill_near_its_reservation_is_booked_as_it_stands(make_attempt, cost):
    attempt = make_attempt(reserved_nusd=100, cost_nusd=cost)
    assert quarantined(attempt) == attempt
    assert attempt.disputed_nusd == 0


def test_a_bill_far_above_is_booked_at_the_reservation_and_the_rest_disputed(make_attempt, caplog):
    found = quarantined(make_attempt(attempt_id="a7", reserved_nusd=100, cost_nusd=1_001))
    assert (found.cost_nusd, found.disputed_nusd, found.spent_nusd) == (100, 901, 100)
    assert "attempt a7" in caplog.text


@pytest.mark.parametrize(("left", "booked"), [(None, 300), (500, 300), (250, 250), (100, 100), (60, 100)])
def test_no_bill_passes_what_the_callers_cap_left(make_attempt, left, booked):
    found = quarantined(make_attempt(reserved_nusd=100, cost_nusd=300), left)
    assert (found.cost_nusd, found.disputed_nusd) == (booked, 300 - booked)


def test_what_a_free_model_bills_is_disputed(make_attempt):
    found = quarantined(make_attempt(reserved_nusd=0, cost_nusd=5))
    assert (found.cost_nusd, found.disputed_nusd) == (0, 5)


def test_no_amount_is_too_large_to_be_written_down(make_attempt):
    assert quarantined(make_attempt(reserved_nusd=1, cost_nusd=10**6_000)).disputed_nusd == MOST_NUSD < 2**63


async def test_what_is_disputed_is_summed_by_org_and_over_all(store, make_attempt):
    for org, number, cost in (("acme", 1, 50_000), ("acme", 2, 60), ("other", 3, 7_000)):
        attempt = make_attempt(org=org, attempt_id=f"a{number}", reserved_nusd=100)
        await store.attempts.start(attempt)
        await store.attempts.finish(
            quarantined(make_attempt(org=org, attempt_id=f"a{number}", reserved_nusd=100, cost_nusd=cost))
        )
    assert await store.attempts.disputed_nusd("acme") == 49_900
    assert await store.attempts.disputed_nusd(None) == 49_900 + 6_900
    assert await store.attempts.spent_nusd("acme") == 160
