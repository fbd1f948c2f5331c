from dataclasses import replace

import pytest

from x25.nodes.answer.teaching import follow, teaching_of
from x25.routing.belief.drift import LEAST_WATCHED, THRESHOLD
from x25.state.errors import StoreError
from x25.state.records import Evidence


async def test_a_call_that_learnt_nothing_writes_nothing(walk_to_model, services):
    call = await walk_to_model("update_posterior")
    assert teaching_of(replace(call, learned=()), services) is None


@pytest.mark.parametrize(("nats", "is_alarm"), [(THRESHOLD - 0.1, False), (THRESHOLD + 0.1, True)])
async def test_an_arm_over_the_threshold_is_told_with_the_call_that_showed_it(
    walk_to_model, services, nats, is_alarm
):
    call = await walk_to_model("update_posterior")
    record = teaching_of(call, services).alarm(
        Evidence("v/m", "*", "slm", drift_down=nats, drift_calls=LEAST_WATCHED)
    )
    assert (record is not None) is is_alarm
    if is_alarm:
        assert (record["direction"], record["call_id"]) == ("worse", call.call_id)


async def test_what_cannot_be_kept_of_a_judged_answer_is_a_warning(
    walk_to_model, services, caplog, monkeypatch
):
    call = await walk_to_model("update_posterior")

    async def refuse(seen):
        raise StoreError("no room")

    monkeypatch.setattr(services.store.judged_answers, "keep_later", refuse)
    await follow(teaching_of(call, services), call, services)
    assert f"what the judged answers of org {call.org} looked like is not kept: no room" in caplog.messages
