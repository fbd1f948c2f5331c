from dataclasses import FrozenInstanceError, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x25.state.records import Arm, Posterior, nusd_from_usd, usd_from_nusd

ARM = Arm(
    model_id="v/m", provider="v", tier="mid", expected_cost_nusd=0, expected_latency_ms=1.0,
    completion_prob=0.5, input_usd_per_mtok=0.1, output_usd_per_mtok=0.2,
    context_tokens=1000, max_output_tokens=100,
)  # fmt: skip


@given(st.integers(0, 9 * 10**15 // 10))
def test_money_goes_to_dollars_and_back_unchanged(nusd):
    assert nusd_from_usd(usd_from_nusd(nusd)) == nusd


@pytest.mark.parametrize(
    ("usd", "nusd"),
    [(0.1, 100_000_000), ("0.0000000005", 0), ("0.0000000015", 2), (Decimal("1e-9"), 1), (2, 2_000_000_000)],
)
def test_dollars_round_half_to_even_from_their_shortest_form(usd, nusd):
    assert nusd_from_usd(usd) == nusd


def test_rank_of_an_arm_is_its_place_on_the_ladder():
    assert [replace(ARM, tier=tier).rank for tier in ("slm", "mid", "frontier")] == [0, 1, 2]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tier", "gold"),
        ("expected_cost_nusd", -1),
        ("completion_prob", 1.01),
        ("completion_prob", float("nan")),
    ],
)
def test_arm_out_of_range_is_refused_by_field_and_value(field, value):
    with pytest.raises(ValueError, match=rf"{field} must be .*{value}"):
        replace(ARM, **{field: value})


def test_records_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        ARM.tier = "slm"


def test_posterior_adds_evidence_to_the_prior():
    posterior = Posterior("v/m", "mid", prior_alpha=1.0, prior_beta=2.0, successes=3.0, failures=4.0)
    assert (posterior.alpha, posterior.beta, posterior.mean) == (4.0, 6.0, 0.4)
    assert posterior.confidence == pytest.approx(0.2)


def test_posterior_stays_proper_and_confidence_stops_at_one():
    assert Posterior("v/m", "mid", 0.0, 0.0).alpha == Posterior("v/m", "mid", 0.0, 0.0).beta == 0.01
    assert Posterior("v/m", "mid", 100.0, 1.0).confidence == 1.0


@pytest.mark.parametrize(("cost", "spent"), [(None, 7), (0, 0), (12, 12)])
def test_attempt_counts_its_reservation_until_the_cost_is_known(make_attempt, cost, spent):
    assert make_attempt(cost_nusd=cost).spent_nusd == spent
