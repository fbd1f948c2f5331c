"""OpenAI's Agents SDK, over responses and over chats: tools, streams, structured answers, sessions, going on by id."""

import asyncio
import json
import os
from importlib.metadata import version

from agents import (
    Agent,
    OpenAIProvider,
    RunConfig,
    Runner,
    SQLiteSession,
    function_tool,
    set_default_openai_api,
    set_tracing_disabled,
)  # fmt: skip
from pydantic import BaseModel

ASKED = "What is the weather in Paris?"


class City(BaseModel):
    city: str


@function_tool
def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"sunny in {city}"


@function_tool
def get_time(zone: str) -> str:
    """Time in a zone."""
    return f"noon in {zone}"


async def call_in_parallel(model: str, *, over_responses: bool) -> None:
    """Follow a stream in which three tools are called at once."""
    at = OpenAIProvider(
        base_url=os.environ["PARALLEL_BASE_URL"], api_key="none", use_responses=over_responses
    )
    agent = Agent(name="parallel", model=model, tools=[get_weather, get_time])
    streamed = Runner.run_streamed(agent, ASKED, run_config=RunConfig(model_provider=at))
    items = [event.item async for event in streamed.stream_events() if event.type == "run_item_stream_event"]
    calls = [item.raw_item for item in items if item.type == "tool_call_item"]
    wanted = json.loads(os.environ["PARALLEL_CALLS"])
    assert [[call.name, json.loads(call.arguments)] for call in calls] == wanted, model
    assert streamed.final_output == "All done."


async def converse(api: str, model: str) -> None:
    set_default_openai_api(api)
    agent = Agent(name="weather", instructions="Be brief.", model=model, tools=[get_weather])
    said = await Runner.run(agent, ASKED)
    assert "sunny in Paris" in said.final_output
    streamed = Runner.run_streamed(agent, ASKED)
    assert "run_item_stream_event" in {event.type async for event in streamed.stream_events()}
    assert "sunny in Paris" in streamed.final_output
    structured = await Runner.run(
        Agent(name="s", model=model, output_type=City), "Where is the Eiffel tower?"
    )
    assert isinstance(structured.final_output, City)
    session = SQLiteSession(f"{api}-{model}")
    for question in ("Say hello.", "And again."):
        assert (await Runner.run(agent, question, session=session)).final_output
    if api == "responses":
        by_id = await Runner.run(agent, "Say more.", previous_response_id=said.last_response_id)
        assert by_id.final_output
        chained = await Runner.run(agent, ASKED, auto_previous_response_id=True)
        assert "sunny in Paris" in chained.final_output


set_tracing_disabled(disabled=True)


async def main() -> None:
    for api in ("responses", "chat_completions"):
        for model in ("auto", "xantly-classic"):
            await converse(api, model)
    for model in os.environ["PARALLEL_MODELS"].split(","):
        for over_responses in (True, False):
            await call_in_parallel(model, over_responses=over_responses)


asyncio.run(main())
print(json.dumps({"openai-agents": version("openai-agents")}))
