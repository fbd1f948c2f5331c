from dataclasses import replace
from hashlib import sha256

import pytest

from x25.nodes.audit import audit


@pytest.fixture
def learned(walk_to_model):
    return lambda **request: walk_to_model("update_posterior", **request)


async def test_the_call_is_logged_and_chained_with_what_was_decided(learned, services):
    call = await learned()
    written = await audit(call, services)
    row = await services.store.calls.get("default", call.call_id)
    (entry,) = await services.store.audit.tail("default", 9)
    assert (row.status, row.model_id, row.tier) == ("answered", "sim/tiny-1", "slm")
    assert row.record_hash == entry.record_hash == written["reply"]["audit_hash"]
    assert written["call_count"] == 1
    assert entry.record["decision"]["propensity"] == row.propensity == written["reply"]["propensity"]
    assert [one["attempt_id"] for one in entry.record["attempts"]] == [
        attempt.attempt_id for answer in call.answers for attempt in answer.attempts
    ]
    assert (await services.store.audit.verify("default")).intact


async def test_the_chain_proves_words_by_their_hash_and_holds_none(learned, services):
    call = await learned(prompt="a zeppelin of marmalade")
    reply = (await audit(call, services))["reply"]
    (entry,) = await services.store.audit.tail("default", 9)
    assert entry.record["prompt_sha256"] == sha256(b"a zeppelin of marmalade").hexdigest()
    assert entry.record["answer"]["sha256"] == sha256(reply["text"].encode()).hexdigest()
    assert "zeppelin" not in str(entry.record)
    assert (await services.store.calls.get("default", call.call_id)).prompt is None


async def test_the_prompt_is_stored_only_when_that_is_asked_for(learned, services):
    keeping = replace(services, limits=replace(services.limits, store_prompts=True))
    call = await learned(prompt="a zeppelin")
    await audit(call, keeping)
    assert (await services.store.calls.get("default", call.call_id)).prompt == "a zeppelin"


async def test_auditing_twice_logs_once(learned, services):
    call = await learned()
    first, second = await audit(call, services), await audit(call, services)
    assert first["reply"]["audit_hash"] == second["reply"]["audit_hash"]
    assert second["call_count"] == 1


async def test_a_call_without_an_answer_is_logged_as_failed(learned, services, fault):
    fault("500")
    call = await learned()
    written = await audit(call, services)
    assert written.keys() == {"audit_hash", "call_count"}
    assert (await services.store.calls.get("default", call.call_id)).status == "failed"
