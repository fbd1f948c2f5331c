import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from x25.routing.plan.pacing import GUARD_CALLS, SAVED_SHARE, pace_per_call, pace_per_day

DOLLARS = st.floats(1e-6, 1.0)


def test_spending_at_the_ceiling_leaves_the_price_as_it_is():
    assert pace_per_call(0.001, 0.1, 100).multiplier == pytest.approx(1.0)


def test_overspending_by_the_horizon_multiplies_the_price_by_e():
    assert pace_per_call(0.001, 0.1 + 0.3, 100).multiplier == pytest.approx(np.e)


def test_the_price_stays_finite_however_much_was_overspent():
    assert pace_per_call(0.001, 1e6, 1).multiplier == pytest.approx(np.exp(6.0))
    assert pace_per_call(0.001, 0.0, 10_000_000).multiplier == pytest.approx(np.exp(-6.0))


@given(DOLLARS, st.floats(0.0, 10.0), st.floats(0.0, 10.0), st.integers(0, 10_000))
def test_having_spent_more_never_lowers_the_price(ceiling, spent, more, calls):
    before, after = (pace_per_call(ceiling, usd, calls).multiplier for usd in (spent, spent + more))
    assert after >= before


@given(st.lists(DOLLARS, min_size=1, max_size=5), DOLLARS, st.floats(0.0, 10.0), st.integers(0, 1_000))
def test_the_cheapest_arm_is_always_allowed(costs, ceiling, spent, calls):
    assert pace_per_call(ceiling, spent, calls).allows(costs)[int(np.argmin(costs))]


def test_a_dear_arm_waits_until_savings_cover_its_overrun():
    costs, ceiling = [0.0001, 0.01], 0.001
    needed = 0.01 + SAVED_SHARE * (0.01 - ceiling)
    calls_saved = round(needed / ceiling) + 1
    assert not pace_per_call(ceiling, 0.0, 9).allows(costs)[1]  # the cost alone would be covered
    assert pace_per_call(ceiling, 0.0, calls_saved).allows(costs)[1]


@pytest.mark.parametrize("seed", range(5))
def test_spending_passes_the_ceiling_by_no_more_than_the_guard_when_costs_are_as_predicted(seed):
    rng, ceiling, spent = np.random.default_rng(seed), 0.001, 0.0
    for call in range(2_000):
        costs = np.array([0.0002, 0.0009, 0.02]) * rng.lognormal(sigma=0.5, size=3)
        allowed = pace_per_call(ceiling, spent, call).allows(costs)
        spent += float(costs[allowed].max())  # greed: always the dearest that is allowed
        assert spent <= ceiling * (call + 1 + GUARD_CALLS) + 1e-12


def test_many_orders_are_paced_as_each_alone():
    spent = np.array([0.0, 0.05, 0.2])
    costs = np.array([[0.0001, 0.01], [0.0001, 0.0005], [0.0001, 0.01]])
    together = pace_per_call(0.001, spent, 60)
    for order in range(3):
        alone = pace_per_call(0.001, spent[order], 60)
        assert alone.multiplier == together.multiplier[order]
        assert (alone.allows(costs[order]) == together.allows(costs)[order]).all()


def test_a_day_half_gone_and_half_spent_is_on_pace():
    assert pace_per_day(10.0, 5.0, day_share=0.5, calls_per_day=1_000).multiplier == pytest.approx(1.0)


def test_a_daily_ceiling_is_never_lent_from_tomorrow():
    pace = pace_per_day(10.0, 9.9995, day_share=0.9, calls_per_day=1_000)
    assert pace.allows([0.0001, 0.001]).tolist() == [True, False]


def test_a_day_of_few_calls_moves_its_price_too():
    assert pace_per_day(10.0, 5.0, day_share=0.1, calls_per_day=20).multiplier > 2.0


@pytest.mark.parametrize("ceiling", [0.0, -1.0, float("nan"), float("inf")])
def test_a_ceiling_that_is_no_amount_is_refused(ceiling):
    with pytest.raises(ValueError, match="ceiling_usd must be finite and above 0"):
        pace_per_call(ceiling, 0.0, 0)


def test_a_share_of_the_day_outside_the_day_is_refused():
    with pytest.raises(ValueError, match="day_share must be between 0 and 1"):
        pace_per_day(1.0, 0.0, day_share=1.5, calls_per_day=10)
    with pytest.raises(ValueError, match="calls_per_day"):
        pace_per_day(1.0, 0.0, day_share=0.5, calls_per_day=0)
