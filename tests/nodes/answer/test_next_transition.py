import pytest

from x25.nodes.answer.next_move import MAX_FALLBACKS, after_failure, after_verdict
from x25.routing.answer.checks import CheckReport
from x25.routing.answer.verdict import from_checks, unjudged

FAILED = from_checks(CheckReport(("not_empty",), failed="not_empty", reason="empty"), 0.6)
GUESSED = unjudged(CheckReport(("not_empty",)), 0.1)


@pytest.fixture
async def dispatched(walk):
    """Return the memory of a call whose answer came from the smallest model, free to climb."""
    state = await walk("dispatch", router="x25-classic", policy={"allowed_providers": ["sim-a"]})
    return state | {"policy": {}}


async def test_a_bad_answer_is_followed_by_the_next_tier(dispatched, services):
    move = after_verdict(dispatched, services, FAILED, [FAILED.posterior])
    assert (move["move"], move["escalations"]) == ("escalate", 1)
    assert move["decision"]["tier"] == "mid"
    assert "fallbacks" not in move


async def test_a_guess_of_low_quality_is_no_reason_to_climb(dispatched, services):
    assert GUESSED.score < services.routers["x25-classic"].quality_bar
    assert after_verdict(dispatched, services, GUESSED, [GUESSED.posterior])["move"] == "stop"


async def test_no_climb_is_made_beyond_the_bound(dispatched, services):
    spent = dispatched | {"escalations": 2, "max_escalations": 2}
    move = after_verdict(spent, services, FAILED, [FAILED.posterior])
    assert move == {"move": "stop", "move_reason": "stop: no escalation left"}


async def test_no_climb_is_made_past_a_constraint(dispatched, services):
    held_to = dispatched | {"policy": {"max_tier": "slm"}}
    assert after_verdict(held_to, services, FAILED, [FAILED.posterior])["move"] == "stop"


def failed_at(state, model_id, tier, code="server", **changes):
    return state | {
        "held": [], "failed_models": [model_id], "unanswered": {"code": code, "message": "no"},
        "decision": {**state["decision"], "model_id": model_id, "tier": tier},
    } | changes  # fmt: skip


async def test_a_model_that_failed_is_replaced_by_one_as_strong_or_stronger(dispatched, services):
    move = after_failure(failed_at(dispatched, "sim/medium-3", "mid"), services)
    assert (move["move"], move["fallbacks"]) == ("escalate", 1)
    assert move["decision"]["tier"] in ("mid", "frontier")
    assert move["decision"]["model_id"] != "sim/medium-3"
    assert "escalations" not in move


async def test_weaker_models_are_asked_where_no_strong_one_is_left(dispatched, services):
    state = failed_at(
        dispatched, "sim/xlarge-6", "frontier", policy={"allowed_providers": ["sim-a", "sim-f"]}
    )
    assert after_failure(state, services)["decision"]["model_id"] == "sim/tiny-1"


@pytest.mark.parametrize("code", ["bad_request", "interrupted"])
async def test_a_failure_that_another_model_cannot_mend_ends_the_call(dispatched, services, code):
    move = after_failure(failed_at(dispatched, "sim/tiny-1", "slm", code), services)
    assert move["move"] == "stop"
    assert move["failure"]["code"] == code


async def test_fallbacks_are_bounded(dispatched, services):
    move = after_failure(failed_at(dispatched, "sim/tiny-1", "slm", fallbacks=MAX_FALLBACKS), services)
    assert move["move"] == "stop"
    assert "no model answered" in move["failure"]["message"]


async def test_a_failed_climb_keeps_the_answer_held(dispatched, services):
    held = [{**dispatched["held"][0], "quality": 0.9}]
    state = failed_at(
        dispatched, "sim/xlarge-6", "frontier", held=held, policy={"allowed_providers": ["sim-f"]}
    )
    move = after_failure(state, services)
    assert move["move"] == "stop"
    assert "failure" not in move
