"""An org whose calls are in a store and in checkpoints, as a gateway that keeps words leaves them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver

from x25.graph.checkpoints import thread_config
from x25.state.records import Call
from x25.state.store import Store, open_store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CALL = Call(
    call_id="c", org="acme", created_at=NOON, status="answered", task_type="qa", task_cell="qa", difficulty=0.5,
    model_id="v/m", provider="v", tier="mid", cost_nusd=100, judge_cost_nusd=10, reference_cost_nusd=900,
    quality_score=0.9, quality_source="judge", latency_ms=2.0, cascade_steps=1, escalations=0, fallbacks=0,
    propensity=1.0, router="auto", simulated=False, record_hash="", prompt="kept",
)  # fmt: skip


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    async with await open_store("sqlite+aiosqlite://") as opened:
        yield opened


@pytest.fixture
def saver() -> InMemorySaver:
    return InMemorySaver()


@pytest.fixture
def answered(store: Store, saver: InMemorySaver) -> Callable[..., Awaitable[str]]:
    """Return a function that logs a call, with its words in a checkpoint, and returns its id."""
    count = iter(range(10_000))

    async def log(
        asked: str | list[dict[str, Any]] = "What is it?",
        answer: str | dict[str, Any] = "It is that.",
        options: dict[str, Any] | None = None,
        finish_reason: str = "stop",
        *,
        keeps_words: bool = True,
        **changes: Any,
    ) -> str:
        number = next(count)
        call = replace(CALL, call_id=f"c{number}", created_at=NOON + timedelta(minutes=number), **changes)
        await store.calls.record(call, {"kind": "call", "call_id": call.call_id})
        if not keeps_words:
            return call.call_id
        messages = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
        message = {"role": "assistant", "content": answer} if isinstance(answer, str) else answer
        values = {
            "messages": [*messages, AIMessage(content=message.get("content") or "")], "message": message,
            "options": options or {}, "finish_reason": finish_reason,
        }  # fmt: skip
        checkpoint = empty_checkpoint() | {
            "channel_values": values,
            "channel_versions": dict.fromkeys(values, 1),
        }
        config = thread_config(call.org, call.call_id)
        config["configurable"]["checkpoint_ns"] = ""
        saver.put(config, checkpoint, {}, dict.fromkeys(values, 1))
        return call.call_id

    return log


@pytest.fixture
def quiet() -> Callable[..., Awaitable[None]]:
    async def note(phase: str, done: int, total: int) -> None:
        assert 0 <= done <= total, phase

    return note
