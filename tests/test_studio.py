import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

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
ONE_ANSWER = {"max_escalations": 0, "explain": False}
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
    """`langgraph dev` as a newcomer starts it: no key, no `.env`, blocking calls refused."""
    folder = tmp_path_factory.mktemp("studio")
    shutil.copy(ROOT / "langgraph.json", folder)
    foreign = ("X25_", "LANGSMITH_", "LANGCHAIN_", "LANGGRAPH_")
    hidden = [key for key in os.environ if key.startswith(foreign) or key.endswith("_API_KEY")]
    environ = {key: value for key, value in os.environ.items() if key not in hidden}
    port, log = a_free_port(), folder / "log"
    program = Path(sys.executable).with_name("langgraph")
    command = [program, "dev", "--no-browser", "--no-reload", "--port", str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=environ, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(server, url, log)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(timeout=10)


@pytest.fixture
async def client(studio: str) -> LangGraphClient:
    return get_client(url=studio)


async def assistant_id(client: LangGraphClient) -> str:
    (assistant,) = await client.assistants.search()
    return assistant["assistant_id"]


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
    assert [node["id"] for node in drawing["nodes"]] == ["__start__", *NODES, "__end__"]
    edges = {(edge["source"], edge["target"]) for edge in drawing["edges"] if not edge.get("conditional")}
    forked = {(edge["source"], edge["target"]) for edge in drawing["edges"] if edge.get("conditional")}
    assert forked == {("judge", "dispatch"), ("judge", "update_posterior")}
    chain = ["__start__", *NODES, "__end__"]
    assert edges | forked == {*pairwise(chain), ("judge", "dispatch")}
    networked = [node["id"] for node in drawing["nodes"] if node.get("metadata", {}).get("network")]
    assert networked == ["dispatch", "judge"]


async def test_a_run_is_answered_by_a_simulated_model_within_its_context(client: LangGraphClient) -> None:
    thread_id = (await client.threads.create())["thread_id"]
    request = {"prompt": "What is 17 * 23?", "hint": "reasoning"}
    reply = await client.runs.wait(thread_id, "x25", input=request, context=ONE_ANSWER)
    assert reply["simulated"] is True
    assert reply["model_used"].startswith("sim/")
    assert (reply["task_type"], reply["escalations"], reply["cascade_steps"]) == ("reasoning", 0, 1)
    assert reply["explain"] == {}

    state = await client.threads.get_state(thread_id)
    assert (state["values"]["max_escalations"], state["next"]) == (0, [])
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
