import httpx

ASKED = "What is the weather in Paris?"
TOOL = {
    "type": "function", "name": "get_weather", "description": "Weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}  # fmt: skip


def test_messages_are_answered_streamed_and_authorised_as_anthropics_clients_do(gateway, org):
    headers = {"x-api-key": gateway.new_key(org), "anthropic-version": "2023-06-01"}
    body = {"model": "sim/medium-4", "max_tokens": 99, "messages": [{"role": "user", "content": ASKED}]}
    tool = {"name": "get_weather", "description": "Weather of a city.", "input_schema": TOOL["parameters"]}
    url = f"{gateway.url}/v1/messages"
    said = httpx.post(url, json={**body, "tools": [tool]}, headers=headers).json()
    assert (said["stop_reason"], said["content"][0]["input"], said["x25"]["org"]) == (
        "tool_use",
        {"city": "Paris"},
        org,
    )
    streamed = httpx.post(url, json={**body, "stream": True}, headers=headers).text
    assert streamed.index("event: message_start") < streamed.index("event: message_stop")


def test_a_slow_answer_is_waited_for_in_each_dialect(http, fault):
    fault("latency;ms=900", "*")
    talk = [{"role": "user", "content": "hi"}]
    for path, body, end in (
        ("/v1/responses", {"input": "hi"}, "response.completed"),
        ("/v1/messages", {"max_tokens": 9, "messages": talk}, "message_stop"),
        ("/v1/completions", {"prompt": "hi"}, "[DONE]"),
    ):
        told = http.post(path, json={**body, "model": "sim/medium-4", "stream": True})
        assert ": keep-alive" in told.text
        assert end in told.text
        assert {"x-x25-call-id", "x-x25-org-id", "x-x25-latency-ms"} <= told.headers.keys()
