import json

import httpx
import pytest

from x25.simulator.tasks import generate

TASK = generate(7, 1)[0]
BODY = {"model": "sim/tiny-1", "messages": [{"role": "user", "content": TASK.prompt}]}


def post(http: httpx.Client, fault: str = "", **options: object) -> httpx.Response:
    headers = {"X-Simulate-Fault": fault} if fault else {}
    return http.post("/chat/completions", json={**BODY, **options}, headers=headers)


def events(response: httpx.Response) -> list[dict]:
    lines = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_a_stream_spells_the_same_text_and_ends_with_usage_when_asked(http: httpx.Client) -> None:
    whole = post(http).json()
    response = post(http, stream=True, stream_options={"include_usage": True})
    *chunks, last = events(response)
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert response.headers["content-type"] == "text/event-stream"
    assert text == whole["choices"][0]["message"]["content"]
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert (last["choices"], last["usage"]) == ([], whole["usage"])
    assert all(chunk["x25_simulated"] and chunk["object"] == "chat.completion.chunk" for chunk in chunks)


def test_a_stream_tells_logprobs_once_and_a_whole_answer_the_same_ones(http: httpx.Client) -> None:
    whole = post(http, logprobs=True).json()["choices"][0]["logprobs"]
    first, *rest = [
        chunk["choices"][0]["logprobs"] for chunk in events(post(http, logprobs=True, stream=True))
    ]
    assert first == whole
    assert set(rest) == {None}
    assert post(http).json()["choices"][0]["logprobs"] is None


def test_a_stream_has_no_usage_unless_asked(http: httpx.Client) -> None:
    assert all("usage" not in chunk for chunk in events(post(http, stream=True)))


def test_a_tool_call_streams_whole(http: httpx.Client) -> None:
    tools = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
    chunks = events(post(http, stream=True, tools=tools, tool_choice="required"))
    (call,) = chunks[1]["choices"][0]["delta"]["tool_calls"]
    assert (call["index"], call["function"]["name"]) == (0, "look")


@pytest.mark.parametrize("status", [401, 402, 429, 500, 503])
def test_a_status_fault_sends_its_status_and_an_openai_error(http: httpx.Client, status: int) -> None:
    response = post(http, str(status))
    assert response.status_code == status
    assert response.json()["error"].keys() == {"message", "type", "param", "code"}
    assert response.headers["x-simulated"] == "true"
    assert "retry-after" not in response.headers


def test_retry_after_is_sent_when_the_fault_says_so(http: httpx.Client) -> None:
    assert post(http, "429;retry_after=7").headers["retry-after"] == "7"


@pytest.mark.parametrize("fault", ["refused", "timeout;seconds=0"])
def test_a_connection_is_closed_without_a_byte(http: httpx.Client, fault: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        post(http, fault)


def test_a_timeout_outlasts_the_callers_patience(http: httpx.Client) -> None:
    with pytest.raises(httpx.ReadTimeout):
        http.post("/chat/completions", json=BODY, headers={"X-Simulate-Fault": "timeout"}, timeout=0.05)


def test_a_cut_stream_breaks_after_the_stated_events(http: httpx.Client) -> None:
    headers, pieces = {"X-Simulate-Fault": "cut_stream;after=3"}, []
    request = {**BODY, "stream": True}
    with http.stream("POST", "/chat/completions", json=request, headers=headers) as response:
        text = response.iter_text()
        with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
            pieces.extend(text)
    assert "".join(pieces).count("data: ") == 3


def test_a_cut_plain_answer_breaks_halfway(http: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
        post(http, "cut_stream")


def test_a_malformed_answer_is_a_success_that_is_not_json(http: httpx.Client) -> None:
    response = post(http, "malformed")
    assert response.status_code == 200
    with pytest.raises(ValueError):
        response.json()


def test_missing_usage_keeps_the_answer(http: httpx.Client) -> None:
    said = post(http, "missing_usage").json()
    assert "usage" not in said
    assert said["choices"][0]["message"]["content"]
    streamed = events(post(http, "missing_usage", stream=True, stream_options={"include_usage": True}))
    assert all("usage" not in chunk for chunk in streamed)


@pytest.mark.parametrize("fault", ["slow_first_token;seconds=0.05", "latency;ms=50"])
def test_a_slow_answer_takes_the_stated_time_and_is_whole(http: httpx.Client, fault: str) -> None:
    response = post(http, fault)
    assert response.json()["choices"][0]["finish_reason"] == "stop"
    assert response.elapsed.total_seconds() >= 0.05
