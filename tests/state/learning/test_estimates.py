import pytest

from x25.state.learning.estimates import CostEstimate


@pytest.fixture
def answer(store, make_call, make_attempt):
    """Return a function that logs a call whose first answer was estimated at one cost and had another."""

    async def log(number, estimated, realised, *, decided="v/m", org="acme", **changes):
        call_id = f"c{number}"
        attempt = make_attempt(attempt_id=f"a{org}{number}", call_id=call_id, org=org)
        await store.attempts.start(attempt)
        settled = {"status": "finished", "cost_nusd": realised, "cost_source": "computed", **changes}
        await store.attempts.finish(
            make_attempt(attempt_id=attempt.attempt_id, call_id=call_id, org=org, **settled)
        )
        decision = {"model_id": decided, "expected_cost_nusd": estimated}
        await store.calls.record(make_call(call_id=call_id, org=org, decision=decision), {})

    return log


async def test_the_median_error_of_a_model_is_told(store, answer):
    for number, (estimated, realised) in enumerate(
        [(100, 100), (150, 100), (50, 100), (400, 100), (90, 100)]
    ):
        await answer(number, estimated, realised)
    assert await store.estimates.costs("acme") == {
        "v/m": CostEstimate(answers=5, median_relative_error=0.5, median_ratio=1.0)
    }


async def test_what_cannot_be_compared_is_left_out(store, answer):
    await answer(1, 100, 80, decided="other/model")
    await answer(2, 100, 0)
    await answer(3, 100, 80, status="failed")
    await answer(4, 100, 80, cost_source="reserved")
    await answer(5, None, 80)
    assert await store.estimates.costs("acme") == {}


async def test_orgs_are_told_apart_and_together(store, answer):
    await answer(1, 100, 100, org="acme")
    await answer(2, 300, 100, org="other")
    assert (await store.estimates.costs("acme"))["v/m"].median_ratio == 1.0
    assert (await store.estimates.costs("other"))["v/m"].median_ratio == 3.0
    assert (await store.estimates.costs(None))["v/m"].answers == 2
