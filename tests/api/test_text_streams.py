"""Streams of the doors beside chat, read as their clients read them."""

import json
import threading
import time

import httpx
import openai
import pytest

ASKED = "What is 17 * 23?"
TALK = [{"role": "user", "content": ASKED}]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = "What is the weather in Paris?"
DOORS = {
    "/v1/responses": {"input": ASKED},
    "/v1/completions": {"prompt": ASKED},
    "/v1/messages": {"max_tokens": 400, "messages": TALK},
}
SMALL = {"model": "sim/small-2", "stream": True}


def events_of(text):
    """Return the events of a stream that a client finds, keep-alives passed over."""
    found = []
    for block in text.split("\n\n"):
        data = [line[6:] for line in block.splitlines() if line.startswith("data: ")]
        if data:
            found.append(data[0] if data[0] == "[DONE]" else json.loads(data[0]))
    return found


def words_of(events):
    """Return the pieces of the text, whichever door they came through."""
    found = []
    for one in events:
        if one == "[DONE]" or "error" in one:
            continue
        if one.get("object") == "text_completion":
            found += [choice["text"] for choice in one["choices"]]
        elif one["type"] == "response.output_text.delta":
            found.append(one["delta"])
        elif one["type"] == "content_block_delta":
            found.append(one["delta"].get("text", ""))
    return [word for word in found if word]


def receipt_of(events):
    """Return the receipt in the event that ends an answer."""
    ends = [one for one in events if one != "[DONE]" and ("x25" in one or "x25" in one.get("response", ()))]
    (end,) = ends
    return end.get("x25") or end["response"]["x25"]


@pytest.mark.parametrize("path", DOORS)
async def test_a_model_asked_for_directly_is_passed_on_word_by_word(open_app, path):
    async with open_app() as client:
        answer = await client.post(path, json={**DOORS[path], **SMALL})
        whole = await client.post(path, json={**DOORS[path], **SMALL, "x25": {"stream_mode": "judged"}})
        told, judged = events_of(answer.text), events_of(whole.text)
        assert len(words_of(told)) > 6 > len(words_of(judged))
        assert len("".join(words_of(told))) > 20
        assert (answer.headers["x-x25-model"], answer.headers["x-x25-tier-used"]) == ("sim/small-2", "T3")
        assert receipt_of(told)["cost_usd"] > 0
        assert receipt_of(told)["call_id"] == answer.headers["x-x25-call-id"]
        assert answer.text.count("[DONE]") == (path == "/v1/completions")


@pytest.mark.parametrize("path", DOORS)
async def test_the_mode_is_honoured_or_refused_by_name(open_app, path):
    async with open_app() as client:
        direct = await client.post(
            path, json={**DOORS[path], "stream": True, "x25": {"stream_mode": "direct"}}
        )
        assert len(words_of(events_of(direct.text))) > 3
        for more in ({"x25": {"stream_mode": "direct"}}, {"stream": True, "x25": {"stream_mode": "fast"}}):
            refused = await client.post(path, json={**DOORS[path], **more})
            assert (refused.status_code, refused.json()["error"]["field"]) == (422, "x25.stream_mode")


@pytest.mark.parametrize("path", DOORS)
async def test_what_breaks_off_ends_with_a_typed_error_and_no_end(open_app, fault, path):
    fault("error_frame;after=4")
    async with open_app() as client:
        answer = await client.post(path, json={**DOORS[path], **SMALL})
        told = events_of(answer.text)
        assert answer.status_code == 200
        assert words_of(told)
        last = told[-1]
        if path == "/v1/responses":
            assert (last["type"], last["response"]["error"]["code"]) == ("response.failed", "server_error")
            assert "broke off" in last["response"]["error"]["message"]
        else:
            assert last["error"]["code"] == "stream_broken"
            assert last["error"]["type"] == ("api_error" if path == "/v1/messages" else "upstream_error")
        assert not any(end in answer.text for end in ("[DONE]", "message_stop", "response.completed"))
        fault("500")
        assert (await client.post(path, json={**DOORS[path], **SMALL})).status_code == 502


async def test_arguments_of_tools_come_in_fragments(open_app):
    function = {"name": "get_weather", "description": "w", "parameters": CITY}
    async with open_app() as client:
        answer = await client.post(
            "/v1/responses", json={"input": WEATHER, "tools": [{"type": "function", **function}], **SMALL}
        )
        told = events_of(answer.text)
        parts = [one["delta"] for one in told if one["type"] == "response.function_call_arguments.delta"]
        assert len(parts) > 1
        assert json.loads("".join(parts)) == json.loads(told[-1]["response"]["output"][0]["arguments"])
        tool = {"name": "get_weather", "description": "w", "input_schema": CITY}
        body = {
            "max_tokens": 99,
            "messages": [{"role": "user", "content": WEATHER}],
            "tools": [tool],
            **SMALL,
        }
        told = events_of((await client.post("/v1/messages", json=body)).text)
        parts = [one["delta"]["partial_json"] for one in told if "partial_json" in one.get("delta", ())]
        assert len(parts) > 1
        assert json.loads("".join(parts))["city"]
        assert told[-2]["delta"]["stop_reason"] == "tool_use"


async def test_a_response_can_be_gone_on_from_while_a_judge_is_at_work(open_app, fault):
    fault("latency;ms=900", "sim/judge-*")
    asked = {
        "input": ASKED,
        "stream": True,
        "x25": {"stream_mode": "direct", "policy": {"judged_share": 1.0}},
    }
    async with open_app() as client:
        told = events_of((await client.post("/v1/responses", json=asked)).text)
        response = told[-1]["response"]
        assert response["x25"]["quality_source"] == "pending"
        kept = await client.get(f"/v1/responses/{response['id']}")
        assert kept.json() == response
        more = {"input": "And twice that?", "model": "sim/small-2", "previous_response_id": response["id"]}
        assert (await client.post("/v1/responses", json=more)).status_code == 200


async def test_probabilities_of_tokens_and_the_prompt_come_with_a_completion(open_app):
    asked = {"prompt": ASKED, "model": "sim/large-5", "stream": True, "echo": True, "logprobs": 1}
    async with open_app() as client:
        told = events_of((await client.post("/v1/completions", json=asked)).text)
    first, *rest = told
    assert first["choices"][0]["text"] == ASKED
    likely = [
        one["choices"][0]["logprobs"] for one in rest if one != "[DONE]" and one["choices"][0]["logprobs"]
    ]
    tokens = [token for one in likely for token in one["tokens"]]
    offsets = [offset for one in likely for offset in one["text_offset"]]
    assert "".join(tokens) == "".join(words_of(rest))
    assert offsets == [len(ASKED) + len("".join(tokens[:place])) for place in range(len(tokens))]


@pytest.mark.slow
def test_the_official_client_reads_words_as_they_come_and_raises_what_broke(rows, fault):
    with openai.OpenAI(base_url=f"{rows.url}/v1", api_key="none", max_retries=0) as client:
        fault("slow_tokens;ms=60")
        began, at = time.monotonic(), []
        with client.responses.stream(model="sim/small-2", input=ASKED) as stream:
            at += [time.monotonic() - began for event in stream if event.type == "response.output_text.delta"]
            final = stream.get_final_response()
        assert at[0] < 0.5 * at[-1]
        assert (final.status, len(final.output_text) > 20) == ("completed", True)
        at.clear()
        began = time.monotonic()
        for chunk in client.completions.create(model="sim/small-2", prompt=ASKED, stream=True):
            assert chunk.choices is not None
            at.append(time.monotonic() - began)
        assert at[0] < 0.5 * at[-1]
        fault("cut_stream;after=4")
        with pytest.raises(openai.APIError, match="broke off"):
            list(client.completions.create(model="sim/small-2", prompt=ASKED, stream=True))
        *_, last = client.responses.create(model="sim/small-2", input=ASKED, stream=True)
        assert (last.type, last.response.error.code) == ("response.failed", "server_error")


@pytest.mark.slow
@pytest.mark.parametrize("path", DOORS)
def test_clients_that_hang_up_end_the_request_and_are_settled_once(rows, fault, path):
    fault("slow_tokens;ms=200")

    def hang_up():
        with httpx.stream("POST", rows.url + path, json={**DOORS[path], **SMALL}, timeout=20) as answer:
            for line in answer.iter_lines():
                if "delta" in line or '"text"' in line:
                    return

    threads = [threading.Thread(target=hang_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(50):
        if rows("SELECT count(*) FROM calls WHERE status = 'cancelled'") == [(8,)]:
            break
        time.sleep(0.1)
    assert rows("SELECT status, count(*) FROM calls GROUP BY status") == [("cancelled", 8)]
    assert rows("SELECT status, cost_source, count(*) FROM attempts GROUP BY 1, 2") == [
        ("failed", "estimated", 8)
    ]
    assert rows("SELECT count(*) FROM open_calls") == [(0,)]
    assert httpx.get(f"{rows.url}/verify").json()["intact"]
