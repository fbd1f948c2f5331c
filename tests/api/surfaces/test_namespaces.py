import json

import httpx
import pytest

from x25.api.surfaces.namespaces import MOST_NAME, joined, members, named, names_of, one_name
from x25.api.surfaces.response_tools import tool_choice_of, tools_of
from x25.state.errors import InvalidRequest

ANY = {"type": "object", "properties": {}}
SPACE = {
    "type": "namespace", "name": "agents", "description": "Sub-agents.",
    "tools": [
        {"type": "function", "name": "close", "description": "Closes one.", "strict": False, "parameters": ANY},
        {"type": "custom", "name": "patch"},
    ],
}  # fmt: skip


def test_tools_of_a_namespace_are_offered_under_one_name_each_and_told_apart_again():
    first, second = tools_of([SPACE])
    assert first["function"]["name"] == "agents__close"
    assert first["function"]["description"] == "Sub-agents.\nCloses one."
    assert second["custom"] == {"name": "agents__patch", "description": "Sub-agents."}
    names = names_of([SPACE, {"type": "function", "name": "plain"}])
    assert named("agents__close", names) == {"name": "close", "namespace": "agents"}
    assert named("plain", names) == {"name": "plain"}
    assert one_name({"name": "close", "namespace": "agents"}) == "agents__close"
    assert one_name({"name": "plain", "namespace": None}) == "plain"
    chosen = tool_choice_of({"type": "function", "name": "close", "namespace": "agents"})
    assert chosen == {"type": "function", "function": {"name": "agents__close"}}


def test_one_name_is_as_long_as_vendors_take_and_no_two_are_alike():
    assert joined("mcp__files__", "read") == "mcp__files__read"
    long = {joined("n" * 60, f"{'x' * 60}{number}") for number in range(100)}
    assert len(long) == 100
    assert {len(one) for one in long} == {MOST_NAME}


@pytest.mark.parametrize(
    ("space", "field"),
    [
        ({"tools": []}, "t.name"),
        ({"name": "n"}, "t.tools"),
        ({"name": "n", "tools": ["x"]}, "t.tools"),
        ({"name": "n", "tools": [{"type": "function"}]}, "t.tools[0].name"),
    ],
)
def test_a_namespace_that_is_none_is_refused_by_name(space, field):
    with pytest.raises(InvalidRequest) as refused:
        list(members(space, "t"))
    assert refused.value.field == field


@pytest.mark.parametrize(
    "other",
    [
        {"type": "function", "name": "agents__close", "parameters": ANY},
        {"type": "namespace", "name": "agents", "tools": [{"type": "function", "name": "close"}]},
    ],
)
def test_two_tools_of_one_name_could_not_be_told_apart(other):
    with pytest.raises(InvalidRequest, match="another tool goes by 'agents__close'"):
        tools_of([SPACE, other])


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_of_such_a_tool_carries_name_and_namespace_at_the_door(http: httpx.Client, stream) -> None:
    call = {
        "type": "function_call",
        "call_id": "c1",
        "name": "close",
        "namespace": "agents",
        "arguments": "{}",
    }
    asked = {
        "model": "auto",
        "input": [
            {"role": "user", "content": "Close the agent."},
            call,
            {"type": "function_call_output", "call_id": "c1", "output": "closed"},
            {"role": "user", "content": "Close the other one."},
        ],
        "tools": [SPACE],
        "tool_choice": {"type": "function", "name": "close", "namespace": "agents"},
        "client_metadata": {"session": "s"},
        "stream": stream,
    }
    answer = http.post("/v1/responses", json=asked)
    assert answer.status_code == 200, answer.text
    if stream:
        events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
        told = events[-1]["response"]
        done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
        assert done == told["output"]
    else:
        told = answer.json()
    (item,) = [item for item in told["output"] if item["type"] == "function_call"]
    assert (item["name"], item["namespace"]) == ("close", "agents")
    assert told["tools"] == [SPACE]
    kept = http.get(f"/v1/responses/{told['id']}/input_items?order=asc").json()["data"]
    assert [one.get("namespace") for one in kept if one["type"] == "function_call"] == ["agents"]
