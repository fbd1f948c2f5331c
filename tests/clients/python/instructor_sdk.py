"""instructor: structured answers by tools and by JSON schema."""

import json
from importlib.metadata import version

import instructor
import openai
from pydantic import BaseModel


class City(BaseModel):
    """A city."""

    city: str


ASKED = [{"role": "user", "content": "What is the weather in Paris?"}]
for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA):
    client = instructor.from_openai(openai.OpenAI(), mode=mode)
    assert client.chat.completions.create(model="auto", messages=ASKED, response_model=City).city
print(json.dumps({"instructor": version("instructor")}))
