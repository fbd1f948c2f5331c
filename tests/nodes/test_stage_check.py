from dataclasses import replace

import pytest

from x25.nodes.offers.situation import Situations
from x25.nodes.stage_check import stage_check
from x25.routing.plan.affinity import Author
from x25.state.errors import CallFailed


@pytest.fixture
def logged(walk_to_model):
    return lambda **request: walk_to_model("audit", **request)


@pytest.mark.parametrize(("calls", "stage"), [(1, 1), (49, 1), (50, 2)])
async def test_the_stage_follows_from_the_orgs_calls(logged, services, calls, stage):
    change = await stage_check(replace(await logged(), call_count=calls), services)
    assert (change["stage"]["stage"], change["stage"]["total_calls"]) == (stage, calls)


async def test_a_call_that_bought_no_answer_is_raised_with_its_attempts(logged, services, fault):
    fault("500")
    call = await logged(call_id="c1")
    with pytest.raises(
        CallFailed, match=r"no model answered; the last error was: .*upstream failed"
    ) as failed:
        await stage_check(call, services)
    assert failed.value.call_id == "c1"
    made = [attempt for answer in call.answers for attempt in answer.attempts]
    assert [one["attempt_id"] for one in failed.value.attempts] == [one.attempt_id for one in made]
    assert {one["error"] for one in failed.value.attempts} == {"server"}


@pytest.mark.parametrize("kind", ["", "500"])
async def test_what_an_ended_call_was_decided_under_is_forgotten(logged, services, fault, kind):
    if kind:
        fault(kind)
    using = replace(services, situations=Situations())
    call = await logged(using=using)
    assert len(using.situations) == 1
    if kind:
        with pytest.raises(CallFailed):
            await stage_check(call, using)
    else:
        await stage_check(call, using)
    assert len(using.situations) == 0


async def test_who_answered_is_remembered_for_what_follows(logged, services):
    call = await logged()
    await stage_check(call, services)
    answer = call.answers[-1]
    following = [*call.messages, answer.message, {"role": "user", "content": "And then?"}]
    assert services.conversations.author(call.org, following) == Author(answer.model_id, answer.tier)
    assert services.conversations.author("other", following) is None
