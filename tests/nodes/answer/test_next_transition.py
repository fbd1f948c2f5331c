from dataclasses import replace

import pytest

from x25.nodes.answer.next_transition import MAX_FALLBACKS, after_failure, after_verdict
from x25.routing.answer.checks import CheckReport
from x25.routing.answer.verdict import verdict_of
from x25.state.answers import Belief, Failure
from x25.state.observations import Observation
from x25.state.working_memory import Transition

FAILED = verdict_of(
    CheckReport(("not_empty",), failed="not_empty", reason="empty"),
    Observation("failed_check", None, 0.0, None, seen_prob=1.0, is_due=True),
    Belief(0.6, 0.6),
)
GUESSED = verdict_of(
    CheckReport(("not_empty",)),
    Observation("unseen", None, None, None, seen_prob=0.0, is_due=False),
    Belief(0.1, 0.1),
)


@pytest.fixture
async def dispatched(walk):
    """Return a call whose answer came from the smallest model, free to climb."""
    call = await walk("dispatch", router="x25-classic", policy={"allowed_providers": ["sim-a", "sim-judge"]})
    return replace(call, policy={})


def with_verdict(call, verdict):
    return replace(call, answers=(*call.answers[:-1], replace(call.answers[-1], verdict=verdict)))


def went(call, *kinds):
    """Return the call after further transitions to the model it asks now."""
    return replace(
        call, transitions=(*call.transitions, *(Transition(kind, "", call.decision) for kind in kinds))
    )


@pytest.fixture
def next_after(services):
    """Return a function that says what follows the newest answer of a call."""

    async def follow(call):
        situation = await services.situations.of(call, services)
        if call.answers[-1].failure is not None:
            return after_failure(call, situation)
        return after_verdict(call, situation, services)

    return follow


async def test_a_bad_answer_is_followed_by_the_next_tier(dispatched, next_after):
    transition = await next_after(with_verdict(dispatched, FAILED))
    assert (transition.kind, transition.decision.tier) == ("escalate", "mid")
    assert transition.reason == f"escalate from slm: quality {FAILED.belief.theta:.2f}"


async def test_a_guess_of_low_quality_is_no_reason_to_climb(dispatched, services, next_after):
    assert GUESSED.score < services.routers["x25-classic"].quality_bar
    transition = await next_after(with_verdict(dispatched, GUESSED))
    assert (transition.kind, transition.decision) == ("stop", None)
    assert transition.reason.startswith("stop: quality 0.11")


async def test_no_climb_is_made_beyond_the_bound(dispatched, next_after):
    call = went(with_verdict(dispatched, FAILED), "escalate", "escalate")
    assert call.opening.max_escalations == 2
    assert await next_after(call) == Transition("stop", "stop: no escalation left")


async def test_a_fallback_made_before_takes_no_climb_away(dispatched, next_after):
    call = went(with_verdict(dispatched, FAILED), "fallback", "fallback", "escalate")
    assert (await next_after(call)).kind == "escalate"


async def test_no_climb_is_made_past_a_constraint(dispatched, next_after):
    held_to = replace(dispatched, policy={"max_tier": "slm"})
    transition = await next_after(with_verdict(held_to, FAILED))
    assert (transition.kind, transition.decision.tier) == ("escalate", "slm")
    held_to = replace(dispatched, policy={"max_tier": "slm", "allowed_providers": ["sim-a", "sim-judge"]})
    assert (await next_after(with_verdict(held_to, FAILED))).kind == "stop"


def failed_at(call, with_decision, model_id, tier, code="server", **changes):
    """Return the call with this model asked, and with its failure in place of an answer."""
    failed = replace(
        call.answers[0],
        model_id=model_id,
        tier=tier,
        message=None,
        failure=Failure(code, "Error", "no", status=500),
    )
    call = replace(call, **{"answers": (failed,), **changes})
    return with_decision(call, model_id=model_id, tier=tier)


async def test_a_model_that_failed_is_replaced_by_one_as_strong_or_stronger(
    dispatched, with_decision, next_after
):
    transition = await next_after(failed_at(dispatched, with_decision, "sim/medium-3", "mid"))
    assert transition.kind == "fallback"
    assert transition.reason == "fall back from sim/medium-3: server"
    assert transition.decision.tier in ("mid", "frontier")
    assert transition.decision.model_id != "sim/medium-3"


async def test_weaker_models_are_asked_where_no_strong_one_is_left(dispatched, with_decision, next_after):
    policy = {"allowed_providers": ["sim-a", "sim-f", "sim-judge"]}
    call = failed_at(dispatched, with_decision, "sim/xlarge-6", "frontier", policy=policy)
    assert (await next_after(call)).decision.model_id == "sim/tiny-1"


@pytest.mark.parametrize("code", ["malformed_request", "interrupted"])
async def test_a_failure_that_another_model_cannot_mend_ends_the_call(
    dispatched, with_decision, next_after, code
):
    transition = await next_after(failed_at(dispatched, with_decision, "sim/tiny-1", "slm", code))
    assert transition == Transition("stop", f"no other model to ask after {code}")


async def test_a_request_that_one_vendor_refuses_is_put_to_another_and_then_to_nobody(
    dispatched, with_decision, next_after
):
    call = failed_at(dispatched, with_decision, "sim/tiny-1", "slm", "bad_request")
    transition = await next_after(call)
    assert transition.kind == "fallback"
    provider = {"sim/tiny-1": "sim-a"}["sim/tiny-1"]
    assert call.answers[0].provider == provider
    assert transition.decision.model_id != "sim/tiny-1"
    again = replace(call.answers[0], step=1, model_id=transition.decision.model_id)
    assert (await next_after(replace(call, answers=(*call.answers, again)))).kind == "stop"


@pytest.mark.parametrize(
    "code", ["model_gone", "unsupported", "context_length", "content_filter", "forbidden"]
)
async def test_what_one_model_cannot_do_is_put_to_another(dispatched, with_decision, next_after, code):
    assert (
        await next_after(failed_at(dispatched, with_decision, "sim/tiny-1", "slm", code))
    ).kind == "fallback"


async def test_an_answer_cut_off_at_the_callers_limit_is_the_end(dispatched, next_after):
    call = with_verdict(dispatched, FAILED)
    cut = replace(call.answers[-1], finish_reason="length", is_cut_by_limit=True)
    assert (await next_after(replace(call, answers=(cut,)))).kind == "stop"


async def test_fallbacks_are_bounded_and_climbs_take_none_away(dispatched, with_decision, next_after):
    call = failed_at(dispatched, with_decision, "sim/tiny-1", "slm")
    assert (await next_after(went(call, *["fallback"] * MAX_FALLBACKS))).kind == "stop"
    assert (await next_after(went(call, *["fallback"] * (MAX_FALLBACKS - 1), "escalate"))).kind == "fallback"


async def test_a_model_is_replaced_where_no_climb_is_allowed(dispatched, with_decision, next_after):
    opening = replace(dispatched.opening, max_escalations=0)
    call = failed_at(dispatched, with_decision, "sim/tiny-1", "slm", opening=opening)
    assert (await next_after(call)).kind == "fallback"


async def test_a_failed_climb_keeps_the_answer_held(dispatched, with_decision, next_after):
    good = replace(GUESSED, belief=Belief(0.9, 0.9))
    (held,) = with_verdict(dispatched, good).answers
    call = failed_at(
        dispatched,
        with_decision,
        "sim/xlarge-6",
        "frontier",
        policy={"allowed_providers": ["sim-f", "sim-judge"]},
    )
    call = replace(call, answers=(held, replace(call.answers[0], step=1)))
    assert (await next_after(call)).kind == "stop"
    assert call.bought == (held,)


async def test_a_spent_budget_leaves_the_cheapest_model_and_nobody_once_an_answer_is_bought(
    dispatched, with_decision, services, next_after
):
    call = failed_at(dispatched, with_decision, "sim/xlarge-6", "frontier", "over_budget")
    arms = (await services.situations.of(call, services)).arms
    transition = await next_after(call)
    cheapest = min(arms, key=lambda arm: arm.expected_cost_nusd).model_id
    assert (transition.kind, transition.decision.model_id) == ("fallback", cheapest)
    (held,) = with_verdict(dispatched, FAILED).answers
    call = replace(call, answers=(held, replace(call.answers[0], step=1)))
    assert (await next_after(call)).kind == "stop"


@pytest.mark.parametrize("router", ["x25-classic", "auto"])
async def test_where_no_dearer_tier_may_be_asked_a_failed_check_leads_to_another_model_of_the_tier(
    walk, next_after, router
):
    policy = {"max_tier": "slm"}
    call = with_verdict(await walk("dispatch", router=router, policy=policy), FAILED)
    hopeless = replace(FAILED, belief=Belief(0.02, 0.02))
    (answer,) = call.answers
    transition = await next_after(with_verdict(call, hopeless))
    assert (transition.kind, transition.decision.tier) == ("escalate", "slm")
    assert transition.decision.model_id != answer.model_id
    both = (answer, replace(answer, step=1, model_id=transition.decision.model_id))
    again = replace(call, answers=both)
    assert (await next_after(with_verdict(again, hopeless))).kind == "stop"


async def test_a_prompt_that_was_too_long_goes_to_a_larger_window(dispatched, with_decision, services):
    call = failed_at(dispatched, with_decision, "sim/tiny-1", "slm", "context_length")
    situation = await services.situations.of(call, services)
    for roomy in ("sim/small-2", "sim/xlarge-6"):
        arms = tuple(
            replace(arm, context_tokens=256_000 if arm.model_id == roomy else arm.context_tokens)
            for arm in situation.arms
        )
        transition = after_failure(call, replace(situation, arms=arms, _offers={}))
        assert transition.decision.model_id == roomy
    assert after_failure(call, situation).kind == "fallback"  # a deployment may take less than its model


async def test_models_that_were_not_asked_because_their_breakers_are_open_use_up_no_fallback(
    dispatched, with_decision, next_after
):
    call = failed_at(dispatched, with_decision, "sim/tiny-1", "slm", "breaker_open")
    assert (await next_after(went(call, *["fallback"] * MAX_FALLBACKS))).kind == "fallback"
    assert (await next_after(went(call, *["fallback"] * (MAX_FALLBACKS + 1)))).kind == "stop"
