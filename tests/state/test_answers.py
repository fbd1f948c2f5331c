from dataclasses import FrozenInstanceError
from datetime import UTC, datetime

import pytest

from x25.state.answers import Answer
from x25.state.records import Attempt

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def attempt(kind, cost_nusd, *, status="finished"):
    return Attempt(
        attempt_id=f"{kind}-{cost_nusd}", org="acme", call_id="c1", step=0, kind=kind, model_id="sim/tiny-1",
        tier="slm", deployment="simulator", status=status, reserved_nusd=900, started_at=AT, cost_nusd=cost_nusd,
    )  # fmt: skip


def answer(**changes):
    known = {"step": 0, "model_id": "sim/tiny-1", "provider": "sim-a", "tier": "slm", "simulated": True}
    return Answer(**known, predicted_prob=0.8, **changes)


def test_what_an_answer_cost_is_counted_by_kind_and_an_attempt_of_unknown_cost_with_its_reservation():
    bought = answer(
        attempts=(attempt("answer", 30), attempt("answer", None, status="started"), attempt("judge", 5))
    )
    assert bought.spent_nusd("answer") == 30 + 900
    assert bought.spent_nusd("judge") == 5


def test_an_answer_nobody_attempted_cost_nothing():
    assert answer().spent_nusd("answer") == answer().spent_nusd("judge") == 0


def test_answers_begin_with_nothing_bought_and_nothing_seen_and_cannot_be_changed():
    fresh = answer()
    assert (fresh.message, fresh.failure, fresh.verdict, fresh.usage) == (None, None, None, {})
    with pytest.raises(FrozenInstanceError):
        fresh.step = 1
