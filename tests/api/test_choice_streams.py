"""Several answers to one request, through OpenAI's own client: whole and streamed, billed and logged each."""

import asyncio
import json
import re
from collections import defaultdict

import httpx
import openai
import pytest

from x25.api.choice_streams import streamed_choices
from x25.api.pieces import Pieces
from x25.api.surfaces.chats import ChatStream
from x25.api.surfaces.choices import Calls
from x25.state.errors import CallFailed

HELLO = [{"role": "user", "content": "Say hello."}]
DIRECT = "sim/medium-4"


@pytest.fixture
def client(gateway, org):
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.new_key(org), max_retries=0) as opened:
        yield opened


@pytest.fixture
def bills(simulator):
    before = len(simulator.bills())
    return lambda: simulator.bills()[before:]


def stats(gateway, org):
    return httpx.get(f"{gateway.url}/stats/{org}", timeout=30).json()


@pytest.mark.parametrize("model", [DIRECT, "auto", "xantly-classic"])
def test_each_choice_is_a_call_of_its_own_with_its_receipt(client, gateway, org, bills, model):
    raw = client.chat.completions.with_raw_response.create(model=model, messages=HELLO, n=3)
    said = raw.parse()
    told = said.model_extra["x25"]
    assert [choice.index for choice in said.choices] == [0, 1, 2]
    assert all(choice.message.content for choice in said.choices)
    ids = {one["call_id"] for one in told["choices"]}
    assert len(ids) == 3
    assert said.id.removeprefix("chatcmpl-") in ids
    total = sum(one["cost_usd"] for one in told["choices"])
    assert told["cost_usd"] == pytest.approx(total)
    assert float(raw.headers["x-x25-cost-usd"]) == pytest.approx(total, abs=1e-9)
    assert len(bills()) >= 3
    logged = stats(gateway, org)
    assert logged["total_calls"] == 3
    assert logged["total_cost_usd"] + logged.get("judge_cost_usd", 0) >= total - 1e-9
    assert said.usage.prompt_tokens == 3 * (said.usage.prompt_tokens // 3)


def test_streams_of_choices_come_as_one(client, gateway, org):
    texts, ends, receipts, ids = defaultdict(str), {}, {}, set()
    usage = None
    for chunk in client.chat.completions.create(
        model=DIRECT, messages=HELLO, n=3, stream=True, stream_options={"include_usage": True}
    ):
        ids.add(chunk.id)
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            if choice.finish_reason:
                ends[choice.index] = choice.finish_reason
                receipts[choice.index] = chunk.model_extra["x25"]["call_id"]
    assert len(ids) == 1
    assert texts.keys() == ends.keys() == receipts.keys() == {0, 1, 2}
    assert all(texts.values())
    assert set(ends.values()) == {"stop"}
    assert len(set(receipts.values())) == 3
    assert usage.completion_tokens >= 3


def test_a_stream_of_judged_choices_ends_whole(client):
    with client.chat.completions.stream(
        model="auto", messages=HELLO, n=2, extra_body={"x25": {"stream_mode": "judged"}}
    ) as events:
        for _ in events:
            pass
        final = events.get_final_completion()
    assert [choice.index for choice in final.choices] == [0, 1]
    assert all(choice.message.content for choice in final.choices)


CALLED = {
    "conversation_id": "t1", "model_used": "v/m", "tier": "mid", "finish_reason": "stop", "usage": {"total_tokens": 1},
    "service_tier": None, "logprobs": None, "explain": {}, "org": "lab", "cost_usd": 3e-6, "judge_cost_usd": 0.0,
    "cost_saved_usd": 4e-5, "provider": "v", "audit_hash": "a" * 64, "cascade_steps": 1, "fallbacks": 0,
    "quality_source": "estimate",
}  # fmt: skip


async def told_of(delays):
    """Return the choices that the events of a stream are of, in order.

    A call takes its delay, and fails where that is below 0.
    """

    async def call(place, delay):
        await asyncio.sleep(abs(delay))
        if delay < 0:
            raise CallFailed("no model answered")
        return {**CALLED, "call_id": f"c{place}", "message": {"role": "assistant", "content": f"{place}"}}

    calls = Calls()
    for each in enumerate(delays):
        calls.add(asyncio.create_task(call(*each)))
    await asyncio.sleep(0.01)
    dialects = [ChatStream(wants_usage=False, index=place) for place in range(len(calls))]
    while_waiting = [Pieces() for _ in calls]
    response = await streamed_choices(calls, dialects, while_waiting, wants_usage=False)
    told = b"".join([one async for one in response.body_iterator]).split(b"\n\n")
    events = [json.loads(one[6:]) for one in told if one.startswith(b"data: {")]
    return [event["choices"][0]["index"] for event in events if "choices" in event]


async def test_a_choice_that_ends_in_an_error_holds_no_other_up():
    """The head is sent after half a second; what fails later is an event, and the others are told all the same."""
    async with asyncio.timeout(5):
        assert {*await told_of((-0.7, 0.05, 0.1))} == {1, 2}


@pytest.mark.parametrize("delays", [(0.1, 0.05, 0.02), (0.05, 0.1, 0.02), (0.02, 0.05, 0.1)])
async def test_choices_begin_in_their_order_whichever_call_is_faster(delays):
    seen = await told_of(delays)
    assert list(dict.fromkeys(seen)) == [0, 1, 2]


def test_a_failure_of_one_fails_them_all(client, fault):
    fault("500", DIRECT)
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model=DIRECT, messages=HELLO, n=2)
    with pytest.raises((openai.InternalServerError, openai.APIError)):
        list(client.chat.completions.create(model=DIRECT, messages=HELLO, n=2, stream=True))


def test_the_cost_cap_is_shared_and_never_passed(client, gateway, org):
    capped = {"x25": {"policy": {"max_cost_per_call_usd": 0.001}}}
    told = client.chat.completions.create(model=DIRECT, messages=HELLO, n=4, extra_body=capped)
    assert told.model_extra["x25"]["cost_usd"] <= 0.001
    with pytest.raises(openai.UnprocessableEntityError, match="max_cost_per_call_usd"):
        client.chat.completions.create(
            model=DIRECT, messages=HELLO, n=4, extra_body={"x25": {"policy": {"max_cost_per_call_usd": 1e-9}}}
        )
    assert stats(gateway, org)["total_calls"] == 4


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 0}, "n"),
        ({"n": 9}, "n"),
        ({"n": True}, "n"),
        ({"n": "2"}, "n"),
        ({"n": 2, "x25": {"call_id": "mine"}}, "x25.call_id"),
        ({"n": 2, "x25": {"cache": "exact"}}, "x25.cache"),
        (
            {"n": 2, "routing_hints": {"chain_id": "c", "max_chain_steps": 3}},
            "routing_hints.max_chain_steps",
        ),
    ],
)
def test_what_cannot_be_had_of_several_is_refused_by_name_and_buys_nothing(http, org, bills, more, param):
    body = {"model": DIRECT, "messages": HELLO, **more}
    body["x25"] = {"org": org, **body.get("x25", {})}
    answer = http.post("/v1/chat/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)
    assert bills() == []


def test_older_completions_answer_each_prompt_n_times(client, bills):
    said = client.completions.create(
        model=DIRECT, prompt=["Say one.", "Say two."], n=2, echo=True, extra_body={"seed": 5}
    )
    assert [choice.index for choice in said.choices] == [0, 1, 2, 3]
    assert [choice.text[:8] for choice in said.choices] == ["Say one."] * 2 + ["Say two."] * 2
    assert len(bills()) == 4
    texts = defaultdict(str)
    for chunk in client.completions.create(model=DIRECT, prompt=["Say one.", "Say two."], stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.text
    assert texts.keys() == {0, 1}
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        client.completions.create(model=DIRECT, prompt=["x"] * 9)
    assert refused.value.param == "prompt"


def test_a_client_that_leaves_ends_every_request(http, org, gateway):
    body = {"model": DIRECT, "messages": HELLO, "n": 3, "stream": True, "x25": {"org": org}}
    with http.stream("POST", "/v1/chat/completions", json=body) as answer:
        next(answer.iter_bytes())
    assert httpx.get(f"{gateway.url}/healthz", timeout=30).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_a_budget_that_does_not_suffice_for_all_buys_none(http, org, bills, stream):
    asked = {"model": "sim/large-5", "messages": HELLO, "max_tokens": 60}
    tight = {"org": f"{org}-tight", "budgets": {"usd_per_day": 1e-9}}
    poor = {"X-API-KEY": http.post("/keys/create", json=tight).json()["api_key"]}
    told = http.post("/v1/chat/completions", json=asked, headers=poor).json()["error"]["message"]
    bound = float(re.search(r"may cost \$([0-9.]+)", told)[1])  # the most that one of them can cost
    made = {"org": org, "budgets": {"usd_per_day": 2.5 * bound}}
    mine = {"X-API-KEY": http.post("/keys/create", json=made).raise_for_status().json()["api_key"]}
    for _ in range(3):
        refused = http.post("/v1/chat/completions", json={**asked, "n": 4, "stream": stream}, headers=mine)
        assert (refused.status_code, refused.json()["error"]["code"]) == (402, "budget_exceeded")
    assert bills() == []
    assert not http.get("/keys/me", headers=mine).json()["spent_today_usd"]
    both = http.post("/v1/chat/completions", json={**asked, "n": 2}, headers=mine).raise_for_status().json()
    assert len(both["choices"]) == 2
    assert len(bills()) == 2
