from itertools import combinations
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x25.routing.plan.sets import MAX_K, any_completes_prob, candidate_sets
from x25.state.records import Arm


def arm(index, p, cost, latency_ms):
    return Arm(f"m/{index}", "acme", "mid", cost, latency_ms, p, 1.0, 2.0, 100_000, 4_096)


PROBS = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6)


def test_a_set_of_one_completes_with_its_own_probability():
    assert any_completes_prob([0.1 + 0.2]) == 0.1 + 0.2


@given(PROBS)
def test_a_set_completes_unless_every_member_fails(probs):
    assert any_completes_prob(probs) == pytest.approx(1.0 - prod(1.0 - p for p in probs))


@given(PROBS, st.floats(0.0, 1.0))
def test_one_more_member_never_lowers_the_probability(probs, another):
    assert any_completes_prob([*probs, another]) >= any_completes_prob(probs) - 1e-12


@given(PROBS, st.integers(1, MAX_K))
def test_every_subset_of_at_most_k_appears_once(probs, max_k):
    arms = [arm(index, p, 10 * index + 1, 5.0 + index) for index, p in enumerate(probs)]
    found = {one.model_ids for one in candidate_sets(arms, max_k)}
    wanted = {
        tuple(member.model_id for member in members)
        for size in range(1, max_k + 1)
        for members in combinations(arms, size)
    }
    assert found == wanted
    assert len(list(candidate_sets(arms, max_k))) == len(wanted)


def test_costs_add_up_and_the_slowest_member_sets_the_pace():
    *_, both = candidate_sets([arm(0, 0.5, 10, 90.0), arm(1, 0.8, 30, 40.0)], max_k=2)
    assert (both.cost_nusd, both.latency_ms, both.size) == (40, 90.0, 2)
    assert both.completion_prob == pytest.approx(0.9)


def test_by_default_models_stand_alone():
    assert {one.size for one in candidate_sets([arm(0, 0.5, 1, 1.0), arm(1, 0.5, 1, 1.0)])} == {1}


@pytest.mark.parametrize("max_k", [0, MAX_K + 1])
def test_an_impossible_size_is_refused(max_k):
    with pytest.raises(ValueError, match=f"max_k must be between 1 and {MAX_K}"):
        list(candidate_sets([arm(0, 0.5, 1, 1.0)], max_k))
