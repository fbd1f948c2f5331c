import asyncio

import pytest

from x25.api.pieces import Pieces
from x25.state.errors import CallFailed, StreamBroken
from x25.state.types import Context

DIRECT = Context(max_escalations=0)


def text_of(pieces):
    return "".join(piece.delta.get("content") or "" for piece in pieces.unread())


@pytest.fixture(params=["direct", "langgraph"])
async def streaming(request, open_gateway):
    return await open_gateway(executor=request.param)


async def test_an_answer_that_stands_is_read_while_it_is_written(streaming):
    for request, context in (
        ({"prompt": "What is 17 * 23?", "router": "sim/small-2"}, Context()),
        ({"prompt": "What is 17 * 23?"}, DIRECT),
        ({"prompt": "What is 17 * 23?", "router": "xrouter-classic"}, Context()),
        ({"prompt": "What is 17 * 23?", "policy": {"allowed_providers": ["sim-a"]}}, Context()),
    ):
        pieces = Pieces()
        reply = await streaming.begin(request, context, pieces)
        assert pieces.source.model_id == reply["model_used"]
        assert pieces.ending.finish_reason == reply["finish_reason"]
        assert pieces.ending.usage == reply["usage"]
        assert len(pieces._unread) > 3
        assert text_of(pieces) == reply["text"]


async def test_one_that_may_be_replaced_is_kept_until_it_stands(streaming):
    pieces = Pieces()
    reply = await streaming.begin({"prompt": "What is 17 * 23?"}, Context(), pieces)
    assert reply["text"]
    assert (pieces.source, pieces.ending, pieces.unread()) == (None, None, [])


async def test_a_model_that_fails_before_its_first_word_is_replaced_in_silence(streaming, fault):
    for kind in ("500", "garbage_frame;after=0", "cut_stream;after=1", "malformed"):
        fault(kind, "sim/*", every=1)
        first = await first_model_of(streaming)
        fault(kind, first)
        pieces = Pieces()
        reply = await streaming.begin({"prompt": "What is 17 * 23?"}, DIRECT, pieces)
        assert reply["model_used"] == pieces.source.model_id
        assert text_of(pieces) == reply["text"]


async def first_model_of(cascade):
    with pytest.raises(CallFailed) as failed:
        await cascade.begin({"prompt": "What is 17 * 23?"}, DIRECT, Pieces())
    return failed.value.attempts[0]["model_id"]


async def test_one_that_fails_after_its_first_word_ends_the_call_with_what_it_cost(streaming, fault):
    fault("cut_stream;after=3")
    pieces = Pieces()
    with pytest.raises(
        StreamBroken, match=r"broke off after [12] pieces"
    ) as broken:  # the last may go with it
        await streaming.begin({"prompt": "What is 17 * 23?", "call_id": "b1"}, DIRECT, pieces)
    assert text_of(pieces)
    assert len(broken.value.attempts) == 1
    (attempt,) = await streaming.services.store.attempts.for_call("default", "b1")
    assert (attempt.status, attempt.cost_source) == ("failed", "estimated")
    assert 0 < attempt.cost_nusd < attempt.reserved_nusd
    assert (await streaming.services.store.calls.get("default", "b1")).status == "failed"


async def test_a_vendor_that_refuses_to_count_is_asked_again_and_its_bill_flagged(streaming, fault):
    fault("refuse_usage")
    await streaming.begin(
        {"prompt": "What is 17 * 23?", "router": "sim/small-2", "call_id": "u1"}, None, Pieces()
    )
    refused, paid = await streaming.services.store.attempts.for_call("default", "u1")
    assert (refused.status, refused.spent_nusd, refused.error) == ("failed", 0, "stream_refused")
    assert (paid.status, paid.cost_source) == ("finished", "estimated")
    assert paid.cost_nusd > 0


async def test_twenty_readers_who_leave_leave_nothing_open(streaming, fault):
    fault("slow_tokens;ms=100")
    ids = [f"left-{number}" for number in range(20)]

    async def leave(number, call_id):
        pieces = Pieces()
        call = streaming.begin(
            {"prompt": "What is 17 * 23?", "router": "sim/small-2", "call_id": call_id}, None, pieces
        )
        if number % 2:
            assert await pieces.news(10.0)
        else:
            await asyncio.sleep(0.02 * number)
        pieces.leave()
        with pytest.raises(CallFailed, match="the client left"):
            await call

    await asyncio.gather(*(leave(number, call_id) for number, call_id in enumerate(ids)))
    store = streaming.services.store
    for number, call_id in enumerate(ids):
        row = await store.calls.get("default", call_id)
        assert row.status == "cancelled"
        made = await store.attempts.for_call("default", call_id)
        assert len(made) == 1
        assert (made[0].status, made[0].error, made[0].cost_source) == ("failed", "client_left", "estimated")
        assert row.cost_nusd == made[0].cost_nusd
        assert (made[0].cost_nusd > 0) or not number % 2
    assert await store.open_calls.list() == []
    assert streaming.services.gateway._providers["openai"]._client._session.connector._acquired == set()


async def test_a_first_word_that_does_not_come_counts_as_a_failure(open_gateway, fault):
    hurried = await open_gateway(first_token_timeout_s=0.3)
    fault("slow_first_token;seconds=30", "sim/*", nth=1)
    pieces = Pieces()
    call = hurried.begin({"prompt": "What is 17 * 23?"}, DIRECT, pieces)
    reply = await asyncio.wait_for(call, 10)
    assert text_of(pieces) == reply["text"]
    assert reply["latency_ms"] > 300


async def test_whoever_follows_the_custom_stream_reads_words_as_they_come(cascade, fault):
    fault("slow_tokens;ms=40")
    given = {"prompt": "What is 17 * 23?", "router": "sim/small-2"}
    config = {"configurable": {"thread_id": "t1"}}
    clock, at, said = asyncio.get_running_loop().time, [], []
    async for event in cascade.graph.astream(given, config, stream_mode="custom"):
        at.append(clock())
        said.append(event)
    assert len(said) > 5
    assert [one["index"] for one in said] == list(range(len(said)))
    assert [one["is_last"] for one in said] == [False] * (len(said) - 1) + [True]
    assert at[-1] - at[0] > 0.04 * (len(said) - 3)
    assert "".join(one["text"] for one in said).startswith("This is a simulated answer. sim/small-2")
