"""litellm as a client: chat, stream, tools, responses, embeddings."""

import json
import os
from importlib.metadata import version

import litellm

ASKED = [{"role": "user", "content": "What is the weather in Paris?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
at = {
    "model": "openai/auto",
    "api_base": os.environ["OPENAI_BASE_URL"],
    "api_key": os.environ["OPENAI_API_KEY"],
}
assert litellm.completion(messages=ASKED, **at).choices[0].message.content
chunks = litellm.completion(messages=ASKED, stream=True, **at)
assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
assert litellm.completion(messages=ASKED, tools=[TOOL], **at).choices[0].message.tool_calls
assert litellm.responses(input="Say hello.", **at).output
assert litellm.embedding(input=["a"], **{**at, "model": "openai/x25-embed"}).data

# Several tools called at once, however their vendor cuts the stream, over chats and over messages.
names = ("get_weather", "get_time")
tools = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in names]
for model in os.environ["PARALLEL_MODELS"].split(","):
    for dialect, base in (("openai", ""), ("anthropic", "/v1")):
        chunks = litellm.completion(
            model=f"{dialect}/{model}",
            messages=ASKED,
            tools=tools,
            stream=True,
            api_base=os.environ["PARALLEL_BASE_URL"].removesuffix(base),
            api_key="none",
        )
        said = litellm.stream_chunk_builder(list(chunks), messages=ASKED).choices[0].message
        calls = [[call.function.name, json.loads(call.function.arguments)] for call in said.tool_calls]
        assert calls == json.loads(os.environ["PARALLEL_CALLS"]), (model, dialect)
print(json.dumps({"litellm": version("litellm")}))
