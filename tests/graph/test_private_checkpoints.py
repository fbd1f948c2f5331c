"""No word of a caller or of a model stands in any table of checkpoints.db, however a call ends."""

import sqlite3
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.types import Command

from x25.graph.build import build_cascade
from x25.graph.checkpoints import DICTIONARY
from x25.graph.memory.privacy import without_words
from x25.state.errors import (
    AttemptTaken,
    CallFailed,
    ChainBroken,
    ConfigError,
    InvalidRequest,
    NoEligibleModel,
    NotFound,
    ProviderServer,
    StoreError,
)  # fmt: skip

WORD = "marmaladezeppelin"
NODES = [
    "lookup_cache", "classify", "estimate_difficulty", "thompson_select", "dispatch", "judge", "update_posterior",
    "audit", "stage_check",
]  # fmt: skip
TOOL = {
    "type": "function",
    "function": {
        "name": f"look_{WORD}", "description": f"Looks for {WORD}.",
        "parameters": {"type": "object", "properties": {WORD: {"type": "string", "description": WORD}}},
    },
}  # fmt: skip
CALLED = {"id": "1", "type": "function", "function": {"name": "look", "arguments": f'{{"what": "{WORD}"}}'}}
REQUEST = {
    "messages": [
        {"role": "system", "content": f"You know {WORD}."},
        {"role": "user", "content": f"Find {WORD}.", "name": WORD},
        {"role": "assistant", "content": None, "tool_calls": [CALLED]},
        {"role": "tool", "tool_call_id": "1", "content": f"It is {WORD}."},
    ],
    "options": {"tools": [TOOL], "stop": [f"no {WORD}"], "user": WORD},
}
FAILURES = [
    InvalidRequest(f"no {WORD}", field=f"field.{WORD}"), NoEligibleModel(f"no {WORD}", removed={"m": WORD}),
    StoreError(f"no {WORD}"), AttemptTaken(f"no {WORD}"), ChainBroken(f"no {WORD}"), ConfigError(f"no {WORD}"),
    NotFound(f"no {WORD}"), ProviderServer(f"no {WORD}"), CallFailed(f"no {WORD}", attempts=[{"error": WORD}]),
    RuntimeError(f"no {WORD}"), KeyError(WORD), ValueError({"messages": [WORD]}),
]  # fmt: skip


def rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table."""
    with sqlite3.connect(path) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            name: [tuple(map(inflated, row)) for row in connection.execute(f"SELECT * FROM {name}")]
            for name in tables
        }


def inflated(cell: Any) -> Any:
    """Return a cell as it was before it was deflated: words would hide in there."""
    try:
        return zlib.decompressobj(zdict=DICTIONARY.read_bytes()).decompress(cell)
    except (TypeError, zlib.error):
        return cell


def assert_wordless(path: Path, word: str = WORD) -> dict[str, list[tuple[Any, ...]]]:
    """Assert that neither a row nor a byte of the database or its log holds the word; return the rows."""
    found = rows(path)
    for table, held in found.items():
        for row in held:
            assert word.encode() not in b"".join(
                cell if isinstance(cell, bytes) else str(cell).encode() for cell in row
            ), table
    for file in path.parent.glob(f"{path.name}*"):
        assert word.encode() not in file.read_bytes()
    return found


@pytest.fixture
def file(settings: Any) -> Path:
    return Path(settings.data_dir) / "checkpoints.db"


def make_fail(graph: Any, node: str, error: BaseException) -> None:
    """Make one node of a compiled graph raise."""

    async def fail(*_: Any) -> Any:
        raise error

    graph.nodes[node].bound._node = fail


async def test_a_call_that_is_answered_leaves_one_row_without_a_word(cascade, file):
    options = {**REQUEST["options"], "logprobs": True, "top_logprobs": 2}
    reply = await cascade.route({**REQUEST, "options": options})
    assert WORD in str(reply["explain"]) + reply["text"]
    assert "<simulated 1>" in str(reply["logprobs"])
    await cascade.drain()
    assert_wordless(file, "<simulated 1>")
    found = assert_wordless(file)
    assert len(found["checkpoints"]) == 1
    assert found["writes"] == []
    assert_wordless(file, "did not read")  # what the model said
    assert_wordless(file, "Simulated judge")  # what the judge said


@pytest.mark.parametrize("node", NODES)
async def test_a_failure_in_a_node_leaves_its_class_and_code_and_no_word(cascade, file, node):
    for error in FAILURES:
        make_fail(cascade.graph, node, error)
        with pytest.raises(type(error)):
            await cascade.route(REQUEST)
    await cascade.drain()
    found = assert_wordless(file)
    failures = [b"".join(cell for cell in row if isinstance(cell, bytes)) for row in found["writes"]]
    assert len(failures) == len(FAILURES)
    for error in FAILURES:
        assert any(without_words(error).encode() in failure for failure in failures)


async def test_an_edge_that_fails_leaves_no_word_of_what_its_node_wrote(open_gateway, file, monkeypatch):
    async def escalate(_: Any) -> Any:
        raise RuntimeError(WORD)

    monkeypatch.setattr("x25.graph.build.escalate", escalate)
    cascade = await open_gateway()
    with pytest.raises(RuntimeError):
        await cascade.route(REQUEST)
    await cascade.drain()
    found = assert_wordless(file)
    assert found["writes"], "what may be stored is stored"
    assert_wordless(file, "did not read")


@pytest.mark.parametrize(
    "request_",
    [
        {"prompt": " ", "messages": [{"role": WORD, "content": WORD}]},
        {"prompt": "hi", "hint": WORD}, {"prompt": "hi", "router": WORD}, {"prompt": "hi", "policy": {WORD: WORD}},
        {"prompt": "hi", "optimize_for": {WORD: 1}}, {"prompt": "hi", "options": {"max_tokens": WORD}},
        {"messages": WORD, "options": {"max_tokens": 0}}, {"messages": [HumanMessage(WORD), SystemMessage(WORD), 42]},
    ],
)  # fmt: skip
async def test_a_request_that_is_refused_leaves_no_word(cascade, file, request_):
    with pytest.raises(InvalidRequest):
        await cascade.route(request_)
    await cascade.drain()
    assert_wordless(file)


@pytest.mark.parametrize("kind", ["500", "401", "429", "malformed", "empty", "refused"])
async def test_what_a_provider_says_leaves_no_word(cascade, fault, file, kind):
    fault(kind)
    with suppress(CallFailed):
        await cascade.route(REQUEST)
    await cascade.drain()
    assert_wordless(file)


async def test_a_providers_error_that_quotes_the_prompt_leaves_no_word(tmp_path):
    said = [AIMessage(f"I cannot help with {WORD}."), RuntimeError(f"bad prompt: {WORD}")] * 3
    models = {"slm": GenericFakeChatModel(messages=iter(said), model="fake")}
    file = tmp_path / "own.db"
    async with AsyncSqliteSaver.from_conn_string(str(file)) as saver:
        graph = build_cascade(models, keep_text=False).compile(checkpointer=saver)
        for thread, durability in enumerate(("exit", "sync", "async")):
            config = {"configurable": {"thread_id": str(thread)}}
            reply = await graph.ainvoke({"prompt": WORD}, config, durability=durability)
            assert WORD in reply["verdict"]["reason"]
            with pytest.raises(CallFailed, match="no model answered"):
                await graph.ainvoke({"prompt": WORD}, config, durability=durability)
        assert_wordless(file)


@pytest.mark.parametrize("durability", ["exit", "sync", "async"])
async def test_a_private_graph_leaves_no_word_in_a_savers_rows_whatever_that_saver_is(
    cascade, tmp_path, durability
):
    for node in NODES:
        builder = build_cascade(cascade.services, keep_text=False)
        await use_and_look(builder, tmp_path / f"{node}.db", node, durability)


async def use_and_look(builder: Any, file: Path, node: str, durability: Any) -> None:
    """Interrupt at a node, fail in it, and edit by hand, over a saver of LangGraph's own."""
    async with AsyncSqliteSaver.from_conn_string(str(file)) as saver:
        config = {"configurable": {"thread_id": "t"}}
        paused = builder.compile(checkpointer=saver, interrupt_before=[node])
        await paused.ainvoke(REQUEST, config, durability=durability)
        assert_wordless(file)
        failing = builder.compile(checkpointer=saver)
        make_fail(failing, node, RuntimeError(WORD))
        with pytest.raises(RuntimeError, match=WORD):
            await failing.ainvoke(REQUEST, config, durability=durability)
        assert_wordless(file)
        await paused.aupdate_state(config, {"prompt": WORD, "messages": [WORD], "hint": WORD, "text": WORD})
        await paused.aupdate_state(config, {"messages": [WORD]}, as_node="lookup_cache")
        with suppress(Exception):
            await paused.ainvoke(
                Command(update={"prompt": WORD, "turn": [WORD]}), config, durability=durability
            )
        assert_wordless(file)


@pytest.mark.parametrize("durability", ["exit", "sync"])
async def test_a_run_whose_reader_leaves_in_the_middle_leaves_no_word(cascade, tmp_path, durability):
    file = tmp_path / "own.db"
    async with AsyncSqliteSaver.from_conn_string(str(file)) as saver:
        graph = build_cascade(cascade.services, keep_text=False).compile(checkpointer=saver)
        for steps in range(1, 10):
            config = {"configurable": {"thread_id": str(steps)}}
            stream = graph.astream(REQUEST, config, stream_mode="updates", durability=durability)
            for _ in range(steps):
                await anext(stream)
            await stream.aclose()
        assert_wordless(file)


@pytest.mark.parametrize("changes", [{"store_prompts": True}, {"checkpoints": "sync"}])
async def test_words_are_kept_where_the_settings_say_so(open_gateway, file, changes):
    cascade = await open_gateway(**changes)
    await cascade.route(REQUEST)
    await cascade.drain()
    with pytest.raises(AssertionError):
        assert_wordless(file)
