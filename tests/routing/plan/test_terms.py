from dataclasses import FrozenInstanceError, replace

import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from x25.routing.plan.cascade import PlanPrices
from x25.routing.plan.terms import Progress, Terms

BLIND = JudgeTable("blind", (0.2, 0.4, 0.6, 0.8), (0.18, 0.2, 0.2, 0.2, 0.22), (0.22, 0.2, 0.2, 0.2, 0.18))
TERMS = Terms("plan", PlanPrices(0.1, 0.03), 1_000, 900.0, DEFAULT_TABLE)


def test_everything_is_priced_relative_to_the_references_cost_and_latency():
    assert TERMS.reference == (1_000, 900.0)


def test_only_a_judge_worth_trusting_is_planned_around():
    assert TERMS.trusted_table is DEFAULT_TABLE
    assert not BLIND.is_trusted
    assert replace(TERMS, table=BLIND).trusted_table is None
    assert replace(TERMS, table=None).trusted_table is None


def test_a_call_that_has_just_begun_holds_nothing_and_may_climb():
    fresh = Progress({})
    assert (fresh.answer_beliefs, fresh.last_tier, fresh.last_score) == ((), None, None)
    assert fresh.escalations_left > 0


def test_terms_cannot_be_changed_under_a_call():
    with pytest.raises(FrozenInstanceError):
        TERMS.epsilon = 1.0
