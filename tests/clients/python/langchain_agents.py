"""langchain-openai, a LangChain agent with tools, and LangGraph's prebuilt agent."""

import json
import os
from functools import reduce
from importlib.metadata import version
from operator import add

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langgraph.prebuilt import create_react_agent
from pydantic import BaseModel


class City(BaseModel):
    """A city."""

    city: str


@tool
def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"sunny in {city}"


@tool
def get_time(zone: str) -> str:
    """Time in a zone."""
    return f"noon in {zone}"


ASKED = "What is the weather in Paris?"
for responses in (False, True):
    llm = ChatOpenAI(model="auto", use_responses_api=responses)
    assert llm.invoke("Say hello.").text
    assert "".join(chunk.text for chunk in llm.stream("Say hello."))
    assert llm.bind_tools([get_weather]).invoke(ASKED).tool_calls[0]["args"] == {"city": "Paris"}
    assert isinstance(llm.with_structured_output(City).invoke(ASKED), City)
    for agent in (create_agent(llm, [get_weather]), create_react_agent(llm, [get_weather])):
        messages = agent.invoke({"messages": [("user", ASKED)]})["messages"]
        assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
        assert "sunny in Paris" in messages[-1].text
    for model in os.environ["PARALLEL_MODELS"].split(","):
        at = {"base_url": os.environ["PARALLEL_BASE_URL"], "use_responses_api": responses}
        llm, tools = ChatOpenAI(model=model, streaming=True, **at), [get_weather, get_time]
        said = reduce(add, llm.bind_tools(tools).stream(ASKED))
        calls = [[call["name"], call["args"]] for call in said.tool_calls]
        assert calls == json.loads(os.environ["PARALLEL_CALLS"]), model
        messages = create_agent(llm, tools).invoke({"messages": [("user", ASKED)]})["messages"]
        assert [message.type for message in messages] == ["human", "ai", "tool", "tool", "tool", "ai"]
        assert messages[-1].text == "All done."
vectors = OpenAIEmbeddings(model="x25-embed", check_embedding_ctx_length=False).embed_documents(["a", "b"])
assert [len(vector) for vector in vectors] == [256, 256]
print(json.dumps({name: version(name) for name in ("langchain-openai", "langchain", "langgraph")}))
