"""The direct walk and LangGraph's own executor give the same replies, rows, records and checkpoints."""

import asyncio
import json
import os
import random
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from x25.graph import build
from x25.graph.checkpoints import thread_config
from x25.graph.run import Cascade, open_cascade
from x25.graph.settings import load_settings
from x25.state.types import Context

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
OF_A_PROCESS = frozenset({"leases"})
"""Tables that tell who writes, not what."""
OF_A_MOMENT = frozenset({"created_at", "updated_at", "holder"})
"""Columns that tell when a row was written, by the store's own clock, and by whom."""
UNTOLD = frozenset({"id", "ts"})
"""Of a checkpoint: its own name and moment."""


Make = Callable[[int], tuple[Any, Context]]


class Clock:
    """Goes on a millisecond whenever it is read: equal readings for equal steps."""

    def __init__(self) -> None:
        self.readings = 0

    def seconds(self) -> float:
        self.readings += 1
        return self.readings / 1e3

    def now(self) -> datetime:
        return MOMENT + timedelta(seconds=self.seconds())


class Vendor:
    """Answers each model and question in one of many ways, the same way whenever it is asked."""

    def __init__(self) -> None:
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or a body waits 40 ms for its head to be acknowledged

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                vendor.reached.set()
                status, sent = vendor.answer(json.loads(raw))
                self.send_response(status)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self.reached = threading.Event()
        self.holds = threading.Event()
        self.holds.set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, body: Any) -> tuple[int, bytes]:
        self.holds.wait()
        text = json.dumps(body)
        number = text[text.rindex("question ") + 9 :][:5]
        chance = random.Random(f"{number} {body['model']} {'judge' in body['model']}")
        if "judge" in body["model"]:
            said = chance.choice(['{"score": 9, "reason": "ok"}', '{"score": 2, "reason": "no"}', "?", ""])
        else:
            said = chance.choice(
                ["Paris.", "Paris, as far as I know.", "I cannot help with that.", "", "a" * 50]
            )
        status = chance.choice([200] * 9 + [400, 401, 403, 404, 413, 429, 500, 503])
        if status != 200:
            return status, json.dumps({"error": {"message": "no", "code": "x"}}).encode()
        if chance.random() < 0.05:
            return 200, chance.choice([b"{", b"<html>", b'{"choices": []}'])
        message: dict[str, Any] = {"role": "assistant", "content": said}
        usage = {"prompt_tokens": 40, "completion_tokens": len(said) // 4 + 1}
        reason = chance.choice(["stop"] * 8 + ["length", "content_filter"])
        return 200, json.dumps(
            {"choices": [{"message": message, "finish_reason": reason}], "usage": usage}
        ).encode()


@pytest.fixture(scope="module")
def vendor() -> Any:
    vendor = Vendor()
    yield vendor
    vendor.server.shutdown()
    vendor.server.server_close()


def request_of(number: int) -> tuple[dict[str, Any], Context]:
    """Return a request and its context; one in a dozen is refused."""
    chance = random.Random(number)
    asked: dict[str, Any] = {
        "org": chance.choice(["one", "two", "three"]),
        "call_id": f"call-{number:05}",
        "router": chance.choice(["auto", "auto", "x25-classic", "xrouter-classic", "nowhere"]),
    }
    question = f"What is the capital of France? (question {number:05})"
    if chance.random() < 0.5:
        asked["prompt"] = question
    else:
        asked["messages"] = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": question},
        ]
    asked |= chance.choice(
        [{}, {}, {}, {"hint": "code"}, {"hint": "nonsense"}, {"optimize_for": {"quality": 1, "cost": 0, "latency": 0}},
         {"optimize_for": "cheap"}, {"options": {"temperature": 0.5, "max_tokens": 50}}, {"options": {"unknown": 1}},
         {"options": {"response_format": {"type": "json_object"}}}, {"policy": {"quality_bar": 0.9}},
         {"policy": {"max_cost_per_call_usd": 0.0005}}, {"policy": {"max_cost_per_call_usd": 1e-9}},
         {"policy": {"allowed_providers": ["nobody"]}}, {"policy": {"budget_usd_per_day": 0.01}},
         {"policy": {"judged_share": 1}}]
    )  # fmt: skip
    return asked, Context(max_escalations=chance.randrange(6), explain=chance.random() < 0.8)


async def asked(cascade: Cascade, number: int, make: Make = request_of) -> Any:
    """Return what a caller sees of a call."""
    request, context = make(number)
    try:
        return await cascade.route(request, context)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever it is, both executors raise it
        return type(error), str(error), getattr(error, "code", None)


@pytest.fixture
def open_one(tmp_path: Path, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a function that opens a cascade in which nothing but the executor differs from another's."""
    monkeypatch.setattr("time.perf_counter", lambda: 0.0)
    monkeypatch.setattr("x25.graph.execution.binding.perf_counter", lambda: 0.0)
    # By the clock of the test its calls are ancient, and would be settled while they run.
    monkeypatch.setattr("x25.graph.recovery.Recovery.look_for_ever", never)
    names = count()
    monkeypatch.setattr("x25.graph.memory.turns.uuid4", lambda: UUID(int=next(names)))

    @asynccontextmanager
    async def opened(executor: str, **changes: Any) -> AsyncIterator[Cascade]:
        nonlocal names
        names = count()
        settings = load_settings(
            {}, data_dir=tmp_path / executor, upstream="simulator", simulator_url=vendor.url, seed=7,
            auto_train=False, lease_s=3600, executor=executor, **changes,
        )  # fmt: skip
        async with open_cascade(settings) as cascade:
            yield frozen(cascade)
            await cascade.drain()

    return opened


async def never(*_: object) -> None:
    await asyncio.Event().wait()


def frozen(cascade: Cascade) -> Cascade:
    """Return the cascade on a clock of its own, whose services neither wait nor draw by chance."""
    clock, services = Clock(), cascade.services
    patience = services.gateway._patience

    async def at_once(_: float) -> None:
        return None

    services.gateway._patience = replace(patience, clock=clock.seconds, sleep=at_once, rng=random.Random(7))
    if services.judge is not None:
        services.judge._procedure = replace(
            services.judge._procedure, clock=clock.seconds, nonce=lambda: "0" * 16
        )
    services = replace(services, clock_s=clock.seconds, now=clock.now)
    return Cascade(services, cascade.settings, cascade.saver)


def rows_of(database: Path) -> dict[str, list[Any]]:
    """Return every row of a store, by table."""
    found = {}
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            if table in OF_A_PROCESS:
                continue
            rows = [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')]
            found[table] = sorted(
                json.dumps(
                    {name: value for name, value in row.items() if name not in OF_A_MOMENT}, default=repr
                )
                for row in rows
            )
    return found


def told(saved: Any) -> dict[str, Any]:
    """Return what a stored checkpoint says, with its random version numbers cut to their counts."""
    checkpoint = {key: value for key, value in saved.checkpoint.items() if key not in UNTOLD}

    def counts(versions: dict[str, Any]) -> dict[str, int]:
        return {channel: int(str(version).split(".")[0]) for channel, version in versions.items()}

    checkpoint["channel_versions"] = counts(checkpoint["channel_versions"])
    checkpoint["versions_seen"] = {node: counts(seen) for node, seen in checkpoint["versions_seen"].items()}
    writes = [(channel, repr(value)) for _, channel, value in saved.pending_writes]
    return {
        "checkpoint": checkpoint, "metadata": saved.metadata, "parent": saved.parent_config,
        "config": {**saved.config["configurable"], "checkpoint_id": ""}, "writes": writes,
    }  # fmt: skip


async def checkpoints_of(cascade: Cascade, numbers: range) -> list[Any]:
    """Return the stored checkpoint of each call, and where LangGraph would go on from it."""
    found = []
    for number in numbers:
        request, _ = request_of(number)
        config = thread_config(request["org"], request["call_id"])
        saved = await cascade.saver.aget_tuple(config)
        snapshot = await cascade.graph.aget_state(config)
        steps = [(one.next, one.metadata) async for one in cascade.graph.aget_state_history(config)]
        found.append((saved and told(saved), snapshot.next, [task.name for task in snapshot.tasks], steps))
    return found


async def assert_alike(
    open_one: Callable[..., Any], numbers: range, make: Make = request_of, **changes: Any
) -> list[Any]:
    outcomes = []
    for executor in ("langgraph", "direct"):
        async with open_one(executor, **changes) as cascade:
            assert (cascade._walk is not None) == (executor == "direct")
            replies = [await asked(cascade, number, make) for number in numbers]
            await cascade.drain()
            kept = await checkpoints_of(cascade, numbers) if cascade.saver is not None else []
            outcomes.append((replies, kept, rows_of(cascade.settings.data_dir / "x25.db")))
    (replies, kept, rows), (direct_replies, direct_kept, direct_rows) = outcomes
    for number, reply, direct in zip(numbers, replies, direct_replies, strict=True):
        assert reply == direct, f"reply of call {number}"
    for number, one, other in zip(numbers, kept, direct_kept, strict=False):
        assert one == other, f"checkpoint of call {number}"
    assert rows == direct_rows
    return replies


def kinds_of(replies: list[Any]) -> set[Any]:
    return {"answered" if isinstance(reply, dict) else reply[0].__name__ for reply in replies}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        *(
            pytest.param(one, marks=pytest.mark.slow)
            for one in ({"store_prompts": True}, {"checkpoints": "off"})
        ),
    ],
    ids=str,
)
async def test_both_executors_do_the_same(open_one, changes):
    replies = await assert_alike(open_one, range(40), **changes)
    assert {"answered", "InvalidRequest"} <= kinds_of(replies)


CALLS = int(os.environ.get("X25_PARITY_CALLS", "400"))
"""Of each of two kinds; a change of the walk or of LangGraph's version is worth X25_PARITY_CALLS=1000."""


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"store_prompts": True, "judge": "none"}], ids=str)
async def test_both_executors_do_the_same_in_hundreds_of_calls(open_one, changes):
    replies = await assert_alike(open_one, range(CALLS), **changes)
    assert {"answered", "InvalidRequest", "CallFailed", "NoEligibleModel"} <= kinds_of(replies)
    answered = [reply for reply in replies if isinstance(reply, dict)]
    assert sum(reply["escalations"] > 0 for reply in answered) > 20 or changes
    assert sum(reply["fallbacks"] > 0 for reply in answered) > 20


@pytest.mark.parametrize(
    "changes", [{"store_prompts": True}, pytest.param({}, marks=pytest.mark.slow)], ids=str
)
async def test_both_executors_give_kept_answers_alike(open_one, changes):
    """Two of three requests are the very one before them, under call ids of their own."""

    def again(number: int) -> tuple[Any, Context]:
        asked, context = request_of(number - number % 3)
        return {**asked, "call_id": request_of(number)[0]["call_id"]}, context

    replies = await assert_alike(open_one, range(36), make=again, cache="exact", **changes)
    hits = [one for one in replies if isinstance(one, dict) and one["cached"] and one["cached"]["hit"]]
    assert len(hits) > 5


NODES = (
    "lookup_cache", "classify", "estimate_difficulty", "thompson_select", "dispatch", "judge", "update_posterior",
    "audit", "stage_check",
)  # fmt: skip


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError,
        *(pytest.param(one, marks=pytest.mark.slow) for one in (KeyError, asyncio.CancelledError)),
    ],
    ids=lambda one: one.__name__,
)
@pytest.mark.parametrize(
    "node",
    [
        pytest.param(one, marks=() if one in {"lookup_cache", "dispatch", "judge"} else pytest.mark.slow)
        for one in (*NODES, "escalate", "reuse")
    ],
)
async def test_what_a_node_raises_ends_both_in_the_same_way(open_one, monkeypatch, node, error):
    async def raising(*_: Any) -> Any:
        raise error("broken")

    raising.__name__ = node
    # The types of a node's parameters say what it is given.
    raising.__annotations__ = getattr(build, node).__annotations__
    raising.__wrapped__ = getattr(build, node)
    monkeypatch.setattr(build, node, raising)
    await assert_alike(open_one, range(2, 3), store_prompts=True)


async def test_a_call_that_is_cancelled_leaves_the_same_behind(open_one, vendor):
    outcomes = []
    for executor in ("langgraph", "direct"):
        async with open_one(executor, store_prompts=True) as cascade:
            vendor.reached.clear()
            vendor.holds.clear()
            request, context = request_of(2)
            call = cascade.begin(request, context)
            await asyncio.to_thread(vendor.reached.wait)
            call.cancel()
            vendor.holds.set()
            await asyncio.wait([call])
            await cascade.drain()
            assert call.cancelled()
            kept = await checkpoints_of(cascade, range(2, 3))
            outcomes.append((kept, rows_of(cascade.settings.data_dir / "x25.db")))
    assert outcomes[0] == outcomes[1]


async def test_the_walk_follows_an_edge_that_the_graph_was_given(open_one, monkeypatch):
    """A fork of the picture is walked as it stands, not as it was once."""
    from x25.graph.memory.thread_graph import ThreadGraph

    plain = ThreadGraph.add_edge

    def short(self: ThreadGraph, start: str, end: str) -> ThreadGraph:
        return plain(self, start, "audit" if end == "update_posterior" else end)

    monkeypatch.setattr(ThreadGraph, "add_edge", short)
    monkeypatch.setattr(build, "escalate", escalate_to_the_end)
    await assert_alike(open_one, range(2, 6), store_prompts=True)


async def escalate_to_the_end(state: Any) -> str:
    return "update_posterior"
