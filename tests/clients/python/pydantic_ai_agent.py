"""pydantic-ai: an agent with a tool and a structured answer, over chats and over responses."""

import asyncio
import json
import os
from importlib.metadata import version

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider


class City(BaseModel):
    """A city."""

    city: str


provider = OpenAIProvider(base_url=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"])
for kind in (OpenAIChatModel, OpenAIResponsesModel):
    model = kind("auto", provider=provider)
    assert Agent(model).run_sync("Say hello.").output
    agent = Agent(model)

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """Weather of a city."""
        return f"sunny in {city}"

    assert "sunny in Paris" in agent.run_sync("What is the weather in Paris?").output
    assert isinstance(Agent(model, output_type=City).run_sync("What is the weather in Paris?").output, City)


async def call_in_parallel(kind: type[OpenAIChatModel | OpenAIResponsesModel], name: str) -> None:
    """Run an agent on a stream in which three tools are called at once."""
    at = OpenAIProvider(base_url=os.environ["PARALLEL_BASE_URL"], api_key="none")
    agent, calls = Agent(kind(name, provider=at)), []

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """Weather of a city."""
        calls.append(["get_weather", {"city": city}])
        return "1"

    @agent.tool_plain
    def get_time(zone: str) -> str:
        """Time in a zone."""
        calls.append(["get_time", {"zone": zone}])
        return "2"

    async with agent.run_stream("Go on.") as said:
        text = await said.get_output()
    if name != "parallel/words-amid":  # its words are taken for the answer, whoever is the gateway
        assert text == "All done."
    wanted = json.loads(os.environ["PARALLEL_CALLS"])
    assert sorted(map(json.dumps, calls)) == sorted(map(json.dumps, wanted)), name


for kind in (OpenAIChatModel, OpenAIResponsesModel):
    for name in os.environ["PARALLEL_MODELS"].split(","):
        asyncio.run(call_in_parallel(kind, name))
print(json.dumps({"pydantic-ai": version("pydantic-ai-slim")}))
