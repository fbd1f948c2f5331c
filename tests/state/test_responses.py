from datetime import timedelta

import pytest

from x25.state.responses import KeptResponse

TALK = [{"role": "user", "content": "hi \x00 \ud800"}, {"role": "assistant", "content": "hello"}]
KEPT = KeptResponse(TALK, {"id": "resp_c1", "temperature": 0.1})


@pytest.fixture
async def log(store, make_call):
    """Return a function that logs a call."""

    async def put(org, call_id):
        call = make_call(org=org, call_id=call_id)
        await store.calls.record(call, {"kind": "call"})
        return call

    return put


async def test_a_response_is_found_by_its_org_and_call_alone_as_it_was(store, log):
    await log("a", "c1")
    assert await store.responses.keep("a", "c1", KEPT)
    assert await store.responses.get("a", "c1") == KEPT
    assert await store.responses.get("b", "c1") is None
    assert await store.responses.get("a", "c2") is None


async def test_nothing_is_kept_of_a_call_that_the_log_has_not(store):
    assert not await store.responses.keep("a", "c1", KEPT)
    assert await store.responses.get("a", "c1") is None


async def test_the_newest_takes_the_place_of_what_was_kept(store, log):
    await log("a", "c1")
    await store.responses.keep("a", "c1", KEPT)
    await store.responses.keep("a", "c1", KeptResponse([], {}))
    assert await store.responses.get("a", "c1") == KeptResponse([], {})


async def test_it_is_as_old_as_its_call(store, log):
    at = (await log("a", "c1")).created_at
    await store.responses.keep("a", "c1", KEPT)
    assert await store.responses.get("a", "c1", at) == KEPT
    assert await store.responses.get("a", "c1", at + timedelta(seconds=1)) is None
    assert await store.responses.drop_before(at) == 0
    assert await store.responses.drop_before(at + timedelta(seconds=1)) == 1


async def test_one_can_be_dropped_by_its_org(store, log):
    await log("a", "c1")
    await store.responses.keep("a", "c1", KEPT)
    assert not await store.responses.drop("b", "c1")
    assert await store.responses.drop("a", "c1")
    assert not await store.responses.drop("a", "c1")


@pytest.mark.parametrize("by", ["call", "age", "org"])
async def test_it_goes_with_its_call_with_old_words_and_with_its_org(store, log, by):
    at = (await log("a", "c1")).created_at
    await log("b", "c1")
    for org in ("a", "b"):
        await store.responses.keep(org, "c1", KEPT)
    if by == "call":
        await store.erasure.delete("a", "c1")
    elif by == "age":
        await store.erasure.forget("a", at + timedelta(seconds=1))
    else:
        await store.erasure.delete_org("a")
    assert await store.responses.get("a", "c1") is None
    assert await store.responses.get("b", "c1") == KEPT
