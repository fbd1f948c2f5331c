import pytest

from x25.terminal.kept import receipt_of
from x25.terminal.mission import NODES


@pytest.mark.slow
async def test_a_call_that_was_made_has_draws_steps_and_times(cascade):
    reply = await cascade.route({"prompt": "What is 17 + 4?", "org": "acme"})
    await cascade.drain()
    call = await cascade.services.store.calls.get("acme", reply["call_id"])
    found = await receipt_of(cascade, call)
    assert {one.model_id for one in found.arms} == set(found.draws)
    assert {one.node for one in found.times} == set(NODES)
    assert found.steps[0].kind == "start"
    assert found.index == 0
    assert {one.kind for one in found.attempts} >= {"answer"}
    await cascade.saver.adelete_thread(f"acme:{reply['call_id']}")


@pytest.mark.slow
async def test_of_an_older_call_the_log_is_left(open_gateway):
    cascade = await open_gateway(checkpoints="off")
    reply = await cascade.route({"prompt": "What is 17 + 4?", "org": "acme"})
    found = await receipt_of(cascade, await cascade.services.store.calls.get("acme", reply["call_id"]))
    assert (found.draws, found.steps, found.times) == ({}, (), ())
    assert found.arms
