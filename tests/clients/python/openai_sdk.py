"""The official OpenAI client: chat, streams, parsing, tools, responses, embeddings, models."""

import json
import os
from unittest import TestCase

import openai
from pydantic import BaseModel


class City(BaseModel):
    city: str


TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city.",
        "parameters": City.model_json_schema(),
    },
}
ASKED = [{"role": "user", "content": "What is the weather in Paris?"}]
client = openai.OpenAI()

assert client.chat.completions.create(model="auto", messages=ASKED).choices[0].message.content
with client.chat.completions.stream(model="auto", messages=ASKED) as stream:
    assert [event.type for event in stream][-1] in {"content.done", "chunk"}
    assert stream.get_final_completion().choices[0].message.content
parsed = client.chat.completions.parse(model="auto", messages=ASKED, response_format=City)
assert isinstance(parsed.choices[0].message.parsed, City)
called = client.chat.completions.parse(
    model="auto",
    messages=ASKED,
    tools=[openai.pydantic_function_tool(City, name="get_weather", description="Weather of a city.")],
)
assert called.choices[0].message.tool_calls[0].function.parsed_arguments
call = client.chat.completions.create(model="auto", messages=ASKED, tools=[TOOL]).choices[0].message
result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "sunny"}
last = client.chat.completions.create(model="auto", messages=[*ASKED, call, result], tools=[TOOL])
assert "sunny" in last.choices[0].message.content
several = client.chat.completions.create(model="auto", messages=ASKED, n=2)
assert [choice.index for choice in several.choices] == [0, 1]
with client.chat.completions.stream(model="sim/medium-4", messages=ASKED, n=2) as stream:
    assert (
        len(
            {
                event.chunk.choices[0].index
                for event in stream
                if event.type == "chunk" and event.chunk.choices
            }
        )
        == 2
    )
    assert all(choice.message.content for choice in stream.get_final_completion().choices)

said = client.responses.create(model="auto", input="Say hello.")
assert said.output_text
assert client.responses.create(model="auto", input="Again.", previous_response_id=said.id).output_text
assert isinstance(client.responses.parse(model="auto", input="x", text_format=City).output_parsed, City)
with client.responses.stream(model="sim/medium-4", input="Say hello.") as stream:
    kinds = [event.type for event in stream]
    assert kinds.count("response.output_text.delta") > 3  # read while it is written
    straight = stream.get_final_response()
assert client.responses.retrieve(straight.id).output_text == straight.output_text
client.responses.delete(straight.id)
with client.responses.stream(model="auto", input="Say hello.") as stream:
    kinds = [event.type for event in stream]
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
flat = {"type": "function", **TOOL["function"]}
(wanted,) = client.responses.create(model="auto", input=ASKED, tools=[flat]).output
output = {"type": "function_call_output", "call_id": wanted.call_id, "output": "sunny"}
assert (
    "sunny" in client.responses.create(model="auto", input=[*ASKED, wanted, output], tools=[flat]).output_text
)

assert client.completions.create(model="auto", prompt="Say hello.").choices[0].text
assert len(client.completions.create(model="auto", prompt=["Say one.", "Say two."], n=2).choices) == 4
assert len(client.embeddings.create(model="x25-embed", input=["a", "b"]).data) == 2
assert "auto" in {model.id for model in client.models.list()}
raw = client.chat.completions.with_raw_response.create(
    model="auto", messages=ASKED, extra_body={"routing_hints": {"mode": "fast"}}
)
assert raw.headers["x-x25-call-id"]
with TestCase().assertRaises(openai.NotFoundError) as unknown:
    client.chat.completions.create(model="gpt-nope", messages=ASKED)
assert unknown.exception.code == "model_not_found"

# Several tools called at once, however their vendor cuts the stream.
wanted_calls = json.loads(os.environ["PARALLEL_CALLS"])
parallel = openai.OpenAI(base_url=os.environ["PARALLEL_BASE_URL"])
flat_tools = [{"type": "function", "name": name, "parameters": {}} for name in ("get_weather", "get_time")]
tools = [{"type": "function", "function": {"name": tool["name"], "parameters": {}}} for tool in flat_tools]
for model in os.environ["PARALLEL_MODELS"].split(","):
    with parallel.chat.completions.stream(model=model, messages=ASKED, tools=tools) as stream:
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
        message = stream.get_final_completion().choices[0].message
    for calls in (done, [call.function for call in message.tool_calls]):
        assert [[call.name, json.loads(call.arguments)] for call in calls] == wanted_calls, model
    with parallel.responses.stream(model=model, input=ASKED, tools=flat_tools) as stream:
        done = [event for event in stream if event.type == "response.function_call_arguments.done"]
        final = stream.get_final_response()
    items = [item for item in final.output if item.type == "function_call"]
    for calls in (done, items):
        assert [[call.name, json.loads(call.arguments)] for call in calls] == wanted_calls, model
    outputs = [{"type": "function_call_output", "call_id": item.call_id, "output": "1"} for item in items]
    told = parallel.responses.create(
        model=model, input=outputs, tools=flat_tools, previous_response_id=final.id
    )
    assert told.output_text == "All done."
print(json.dumps({"openai": openai.__version__}))
