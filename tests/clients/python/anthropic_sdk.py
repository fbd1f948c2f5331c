"""The official Anthropic client at /v1/messages: messages, streams, tools, counting, errors."""

import json
import os
from unittest import TestCase

import anthropic

client = anthropic.Anthropic(
    base_url=os.environ["OPENAI_BASE_URL"].removesuffix("/v1"), api_key=os.environ["OPENAI_API_KEY"]
)
ASKED = [{"role": "user", "content": "What is the weather in Paris?"}]
TOOL = {
    "name": "get_weather",
    "description": "Weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
assert (
    client.messages.create(model="auto", max_tokens=500, system="Be brief.", messages=ASKED).content[0].text
)
with client.messages.stream(model="auto", max_tokens=500, messages=ASKED) as stream:
    assert "".join(stream.text_stream)
    assert stream.get_final_message().usage.output_tokens
said = client.messages.create(model="auto", max_tokens=500, messages=ASKED, tools=[TOOL])
(use,) = said.content
assert (said.stop_reason, use.input) == ("tool_use", {"city": "Paris"})
result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "sunny"}]}
talk = [*ASKED, {"role": "assistant", "content": said.content}, result]
assert (
    "sunny"
    in client.messages.create(model="auto", max_tokens=500, messages=talk, tools=[TOOL]).content[0].text
)
for model in ("auto", "sim/medium-4"):  # the second is read while it is written
    with client.messages.stream(model=model, max_tokens=500, messages=ASKED, tools=[TOOL]) as stream:
        assert stream.get_final_message().content[0].input == {"city": "Paris"}
with client.messages.stream(model="sim/medium-4", max_tokens=500, messages=ASKED) as stream:
    assert len(list(stream.text_stream)) > 3
    assert stream.get_final_message().usage.input_tokens
parallel = anthropic.Anthropic(
    base_url=os.environ["PARALLEL_BASE_URL"].removesuffix("/v1"), api_key=os.environ["OPENAI_API_KEY"]
)
tools = [{"name": name, "input_schema": {"type": "object"}} for name in ("get_weather", "get_time")]
for model in os.environ["PARALLEL_MODELS"].split(","):  # several tools called at once, however they are cut
    is_open = False
    with parallel.messages.stream(model=model, max_tokens=500, messages=ASKED, tools=tools) as stream:
        for event in stream:
            if event.type in {"content_block_start", "content_block_stop"}:
                assert is_open == (event.type == "content_block_stop"), "blocks overlap"
                is_open = not is_open
        message = stream.get_final_message()
    uses = [block for block in message.content if block.type == "tool_use"]
    assert [[use.name, use.input] for use in uses] == json.loads(os.environ["PARALLEL_CALLS"]), model
    results = [{"type": "tool_result", "tool_use_id": use.id, "content": "1"} for use in uses]
    talk = [*ASKED, {"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
    told = parallel.messages.create(model=model, max_tokens=500, messages=talk, tools=tools)
    assert told.content[0].text == "All done."
assert client.messages.count_tokens(model="auto", messages=ASKED).input_tokens > 0
with TestCase().assertRaises(anthropic.NotFoundError) as unknown:
    client.messages.create(model="claude-nope", max_tokens=5, messages=ASKED)
assert unknown.exception.body["error"]["type"] == "not_found_error"
print(json.dumps({"anthropic": anthropic.__version__}))
