import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from x25.state.types import Reply, Request

pytestmark = pytest.mark.studio

ROOT = Path(__file__).parent.parent
NODES = [
    "lookup_cache", "classify", "estimate_difficulty", "thompson_select", "dispatch", "judge",
    "update_posterior", "audit", "stage_check",
]  # fmt: skip
COMMAND = ["langgraph", "dev"]
"""What the documents say; a test adds a free port, and opens no browser."""
ONE_ANSWER = {"max_escalations": 0, "explain": False}
EXPLAINED = {"max_escalations": 0}
START_TIMEOUT_S = 60.0


def a_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Ask until the server answers: it announces nothing that a program can read."""
    end = time.monotonic() + START_TIMEOUT_S
    while server.poll() is None and time.monotonic() < end:
        try:
            httpx.get(f"{url}/ok", timeout=1).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"langgraph dev did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The documented command as a newcomer runs it: no key, no `.env`, blocking calls refused, reloading on."""
    folder = tmp_path_factory.mktemp("studio")
    shutil.copy(ROOT / "langgraph.json", folder)
    foreign = ("X25_", "LANGSMITH_", "LANGCHAIN_", "LANGGRAPH_")
    hidden = [key for key in os.environ if key.startswith(foreign) or key.endswith("_API_KEY")]
    environ = {key: value for key, value in os.environ.items() if key not in hidden}
    port, log = a_free_port(), folder / "log"
    program = str(Path(sys.executable).with_name(COMMAND[0]))
    command = [program, *COMMAND[1:], "--no-browser", "--port", str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=environ, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(server, url, log)
        yield url
        assert "BlockingError" not in log.read_text()
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(timeout=10)


@pytest.fixture
async def client(studio: str) -> LangGraphClient:
    return get_client(url=studio)


async def assistant_id(client: LangGraphClient) -> str:
    (assistant,) = await client.assistants.search()
    return assistant["assistant_id"]


def test_the_documents_say_the_command_that_is_tested():
    section = (ROOT / "README.md").read_text().split("### 3. In LangGraph Studio")[1].split("###")[0]
    (block,) = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    assert shlex.split(block.splitlines()[-1]) == COMMAND
    recipe = re.search(r"^studio:.*\n\t(.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert shlex.split(recipe[1].removeprefix("$(BIN)/")) == COMMAND


async def test_studio_lists_the_cascade_with_what_it_does(client: LangGraphClient) -> None:
    (assistant,) = await client.assistants.search()
    assert assistant["graph_id"] == "x25"
    assert "cheapest model that meets the quality bar" in assistant["description"]


async def test_the_input_form_explains_every_field_of_a_request(client: LangGraphClient) -> None:
    form = (await client.assistants.get_schemas(await assistant_id(client)))["input_schema"]
    assert form["properties"].keys() == Request.__annotations__.keys()
    assert [name for name, field in form["properties"].items() if not field.get("description")] == []


async def test_the_output_is_a_reply(client: LangGraphClient) -> None:
    shape = (await client.assistants.get_schemas(await assistant_id(client)))["output_schema"]
    assert shape["properties"].keys() == Reply.__annotations__.keys()
    assert shape["properties"]["cascade_steps"]["description"].startswith("Answers bought")


async def test_the_context_form_has_defaults_and_descriptions(client: LangGraphClient) -> None:
    form = (await client.assistants.get_schemas(await assistant_id(client)))["context_schema"]["properties"]
    assert {name: field["default"] for name, field in form.items()} == {"max_escalations": 2, "explain": True}
    assert all(field["description"] for field in form.values())


async def test_the_drawing_shows_the_nodes_in_story_order_and_one_way_back(client: LangGraphClient) -> None:
    drawing = await client.assistants.get_graph(await assistant_id(client))
    shown = [node["id"] for node in drawing["nodes"]]
    assert [one for one in shown if one != "serve_hit"] == ["__start__", *NODES, "__end__"]
    assert shown.index("serve_hit") == shown.index("lookup_cache") + 1
    edges = {(edge["source"], edge["target"]) for edge in drawing["edges"] if not edge.get("conditional")}
    forked = {(edge["source"], edge["target"]) for edge in drawing["edges"] if edge.get("conditional")}
    ways = {("lookup_cache", "classify"), ("lookup_cache", "serve_hit")}
    assert forked == ways | {("judge", "dispatch"), ("judge", "update_posterior")}
    chain = ["__start__", *NODES, "__end__"]
    hit = {("lookup_cache", "serve_hit"), ("serve_hit", "__end__")}
    assert edges | forked == {*pairwise(chain), ("judge", "dispatch"), *hit}
    networked = [node["id"] for node in drawing["nodes"] if node.get("metadata", {}).get("network")]
    assert networked == ["dispatch", "judge"]


async def test_an_answer_given_again_is_seen_to_take_the_short_way(client: LangGraphClient) -> None:
    came_next = []
    for _ in range(2):
        thread_id = (await client.threads.create())["thread_id"]
        request = {"prompt": "What is the capital of Malta?", "cache": "exact"}
        reply = await client.runs.wait(thread_id, "x25", input=request, context=ONE_ANSWER)
        newest_first = await client.threads.get_history(thread_id, limit=50)
        came_next.append([node for past in reversed(newest_first) for node in past["next"]])
    assert reply["cached"]["hit"] is True
    assert came_next == [["__start__", *NODES], ["__start__", "lookup_cache", "serve_hit"]]


async def test_a_run_is_answered_by_a_simulated_model_within_its_context(client: LangGraphClient) -> None:
    thread_id = (await client.threads.create())["thread_id"]
    request = {"prompt": "What is 17 * 23?", "hint": "reasoning"}
    reply = await client.runs.wait(thread_id, "x25", input=request, context=ONE_ANSWER)
    assert reply["simulated"] is True
    assert reply["model_used"].startswith("sim/")
    assert (reply["task_type"], reply["escalations"], reply["cascade_steps"]) == ("reasoning", 0, 1)
    assert reply["explain"] == {}

    state = await client.threads.get_state(thread_id)
    assert (state["values"]["opening"]["max_escalations"], state["next"]) == (0, [])
    assert state["values"]["audit_hash"] == reply["audit_hash"]
    newest_first = await client.threads.get_history(thread_id, limit=50)
    came_next = [node for past in reversed(newest_first) for node in past["next"]]
    assert came_next == ["__start__", *NODES]


async def test_a_streamed_run_shows_one_node_after_the_other(client: LangGraphClient) -> None:
    events = client.runs.stream(
        None, "x25", input={"prompt": "Reverse the string 'abc'."}, context=ONE_ANSWER, stream_mode="updates"
    )
    updates = [event.data async for event in events if event.event == "updates"]
    assert [node for update in updates for node in update] == NODES
    assert updates[-1]["stage_check"]["stage"]["total_calls"] >= 1


async def test_a_request_that_breaks_a_rule_fails_its_run_by_name(client: LangGraphClient) -> None:
    with pytest.raises(Exception, match="InvalidRequest"):
        await client.runs.wait(None, "x25", input={"prompt": "Hello", "hint": "no such kind"})


@pytest.fixture
async def thread_id(client: LangGraphClient) -> str:
    return (await client.threads.create())["thread_id"]


def contents(state: Any) -> list[str]:
    return [message["content"] for message in state["messages"]]


async def test_a_second_run_on_a_thread_goes_on_with_the_conversation(client, thread_id) -> None:
    first = await client.runs.wait(thread_id, "x25", input={"prompt": "What is 17 * 23?"}, context=ONE_ANSWER)
    second = await client.runs.wait(
        thread_id, "x25", input={"messages": [{"type": "human", "content": "And 3 * 3?"}]}, context=ONE_ANSWER
    )
    assert first["call_id"] != second["call_id"]
    assert contents(second) == ["What is 17 * 23?", first["text"], "And 3 * 3?", second["text"]]
    assert [message["type"] for message in second["messages"]] == ["human", "ai"] * 2
    assert second["messages"][-1]["usage_metadata"]["output_tokens"] > 0


async def test_a_refused_run_leaves_its_thread_usable(client, thread_id) -> None:
    with pytest.raises(Exception, match="InvalidRequest"):
        await client.runs.wait(thread_id, "x25", input={"prompt": "Hello", "hint": "no such kind"})
    reply = await client.runs.wait(thread_id, "x25", input={"prompt": "Hello"}, context=ONE_ANSWER)
    assert contents(reply) == ["Hello", reply["text"]]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("node", ["lookup_cache", "thompson_select", "dispatch", "audit"])
async def test_a_run_is_interrupted_and_resumed(client, thread_id, node, when) -> None:
    asked = {"prompt": "What is 17 * 23?"}
    given = {f"interrupt_{when}": [node], "context": EXPLAINED}
    await client.runs.wait(thread_id, "x25", input=asked, **given)
    waiting = (await client.threads.get_state(thread_id))["next"]
    assert waiting == [node if when == "before" else NODES[NODES.index(node) + 1]]
    reply = await client.runs.wait(thread_id, "x25", input=None, context=EXPLAINED)
    assert contents(reply) == ["What is 17 * 23?", reply["text"]]
    assert reply["explain"]["forked_from"] is None


async def test_a_state_is_edited_before_it_is_gone_on_from(client, thread_id) -> None:
    await client.runs.wait(
        thread_id, "x25", input={"prompt": "Hello"}, interrupt_before=["classify"], context=EXPLAINED
    )
    await client.threads.update_state(
        thread_id, {"prompt": "Name a river.", "policy": {"allowed_providers": ["sim-f", "sim-judge"]}}
    )
    reply = await client.runs.wait(thread_id, "x25", input=None, context=EXPLAINED)
    assert contents(reply) == ["Name a river.", reply["text"]]
    assert reply["provider"] == "sim-f"


async def test_earlier_checkpoints_are_replayed_and_forked(client, thread_id) -> None:
    first = await client.runs.wait(thread_id, "x25", input={"prompt": "Hello"}, context=EXPLAINED)
    history = await client.threads.get_history(thread_id, limit=50)
    node_to_checkpoint = {past["next"][0]: past["checkpoint"] for past in history if past["next"]}
    replayed = await client.runs.wait(
        thread_id, "x25", input=None, checkpoint=node_to_checkpoint["dispatch"], context=EXPLAINED
    )
    assert replayed["call_id"] != first["call_id"]
    assert replayed["explain"]["forked_from"] == first["call_id"]
    edited = await client.threads.update_state(
        thread_id, {"policy": {"allowed_providers": ["sim-e", "sim-judge"]}},
        checkpoint=node_to_checkpoint["thompson_select"],
    )  # fmt: skip
    forked = await client.runs.wait(
        thread_id, "x25", input=None, checkpoint=edited["checkpoint"], context=EXPLAINED
    )
    assert (forked["provider"], forked["explain"]["forked_from"]) == ("sim-e", first["call_id"])
    logged_once = await client.runs.wait(
        thread_id, "x25", input=None, checkpoint=node_to_checkpoint["audit"], context=EXPLAINED
    )
    assert (logged_once["call_id"], logged_once["audit_hash"]) == (first["call_id"], first["audit_hash"])


async def test_the_answer_comes_by_the_messages_stream_and_by_the_custom_one(client, thread_id) -> None:
    events = [
        event
        async for event in client.runs.stream(
            thread_id, "x25", input={"prompt": "Hello"}, context=ONE_ANSWER,
            stream_mode=["messages-tuple", "custom", "values"],
        )
    ]  # fmt: skip
    reply = [event.data for event in events if event.event == "values"][-1]
    ((message, metadata),) = [event.data for event in events if event.event == "messages"]
    assert (message["type"], message["content"]) == ("ai", reply["text"])
    assert metadata["langgraph_node"] == "audit"
    chunks = [event.data for event in events if event.event == "custom"]
    assert "".join(chunk["text"] for chunk in chunks) == reply["text"]
    assert {chunk["call_id"] for chunk in chunks} == {reply["call_id"]}
