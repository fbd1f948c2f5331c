from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import get_type_hints

import pytest

from x25.state.answers import Answer, Failure
from x25.state.records import Attempt
from x25.state.types import CascadeState, Reply
from x25.state.working_memory import (
    Change,
    Classified,
    Decision,
    Estimate,
    Estimated,
    Inputs,
    Learned,
    Logged,
    Opened,
    Opening,
    Routed,
    Selection,
    Task,
    Transition,
)

STAGES = (Opened, Classified, Estimated, Routed, Learned, Logged)
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def decision(model_id, tier="slm"):
    return Decision(
        model_id=model_id, tier=tier, is_judged=True, theta=0.7, value=0.6, propensity=0.5, judge_prob=0.4,
        explored=False, strategy="plan", reason="best", tier_to_model={tier: model_id},
    )  # fmt: skip


def attempt(step, kind, cost_nusd):
    return Attempt(
        attempt_id=f"{kind}-{step}", org="acme", call_id="c1", step=step, kind=kind, model_id="sim/tiny-1",
        tier="slm", deployment="simulator", status="started" if cost_nusd is None else "finished",
        reserved_nusd=900, started_at=AT, cost_nusd=cost_nusd,
    )  # fmt: skip


def answer(step, model_id, *, message=None, failure=None, attempts=()):
    return Answer(
        step=step, model_id=model_id, provider="sim-a", tier="slm", simulated=True, predicted_prob=0.8,
        attempts=attempts, message=message, failure=failure,
    )  # fmt: skip


@pytest.fixture
def call():
    """Return a call that fell back after a failure, and then climbed."""
    failed = answer(
        0,
        "sim/tiny-1",
        failure=Failure("server", "ProviderServer", "no"),
        attempts=(attempt(0, "answer", 0),),
    )
    first = answer(
        1, "sim/small-2", message={"content": ""}, attempts=(attempt(1, "answer", 30), attempt(1, "judge", 5))
    )
    second = answer(2, "sim/medium-3", message={"content": "4"}, attempts=(attempt(2, "answer", None),))
    return Routed(
        org="acme", call_id="c1", messages=[], options={}, optimize_for={}, policy={}, router="auto",
        opening=Opening(AT, 1.0, max_escalations=2, explain=True),
        task=Task("qa", "qa", 0.9, "hint", "qa", 12),
        inputs=Inputs([], []),
        estimate=Estimate(0.0, 1.0, "medium", {}),
        selection=Selection({}, {}),
        transitions=(
            Transition("start", "", decision("sim/tiny-1")),
            Transition("fallback", "", decision("sim/small-2")),
            Transition("escalate", "", decision("sim/medium-3", "mid")),
        ),
        answers=(failed, first, second),
    )  # fmt: skip


def test_the_first_decision_stays_the_first_and_the_newest_is_the_newest(call):
    assert call.first_decision.model_id == "sim/tiny-1"
    assert call.decision.model_id == "sim/medium-3"


def test_a_stop_asks_nobody_so_the_newest_decision_stays(call):
    stopped = replace(call, transitions=(*call.transitions, Transition("stop", "good enough")))
    assert stopped.decision == call.decision


def test_transitions_are_counted_by_kind(call):
    assert [call.count(kind) for kind in ("start", "fallback", "escalate", "stop")] == [1, 1, 1, 0]


def test_answers_that_came_and_models_that_brought_none_are_told_apart(call):
    assert [one.model_id for one in call.bought] == ["sim/small-2", "sim/medium-3"]
    assert call.failed_models == {"sim/tiny-1"}


def test_a_call_has_spent_what_all_its_attempts_count_for_judge_included(call):
    assert call.spent_nusd == 0 + 30 + 5 + 900  # the last is still out, so its reservation counts


def test_a_call_grows_stage_by_stage():
    for before, after in pairwise(STAGES):
        assert issubclass(after, before)
        known = {field.name for field in fields(before)}
        assert known < {field.name for field in fields(after)}


def test_every_noun_of_a_call_is_a_channel_that_some_node_writes():
    channels = get_type_hints(CascadeState).keys() | get_type_hints(Reply).keys()
    written = get_type_hints(Change).keys()
    assert {field.name for field in fields(Logged)} - {"timings"} <= written
    assert written - {"reply"} <= channels
