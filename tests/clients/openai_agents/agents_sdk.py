"""OpenAI's Agents SDK, over responses and over chats: tools, streams, structured answers, sessions, going on by id."""

import asyncio
import json
from importlib.metadata import version

from agents import Agent, Runner, SQLiteSession, function_tool, set_default_openai_api, set_tracing_disabled
from pydantic import BaseModel

ASKED = "What is the weather in Paris?"


class City(BaseModel):
    city: str


@function_tool
def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"sunny in {city}"


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


asyncio.run(main())
print(json.dumps({"openai-agents": version("openai-agents")}))
