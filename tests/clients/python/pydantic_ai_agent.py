"""pydantic-ai: an agent with a tool and a structured answer, over chats and over responses."""

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
print(json.dumps({"pydantic-ai": version("pydantic-ai-slim")}))
