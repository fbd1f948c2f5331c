"""Whatever vendors answer, a call ends as an answer or a named failure, with every attempt settled, the chain whole."""

import gzip
import json
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from x25.demo.gateway import gateway_process

AT_ONCE = 40
CASES = int(os.environ.get("X25_GENERATED_CASES", "1500"))
"""Others in each run; a change of how answers are read is worth X25_GENERATED_CASES=10000."""
NAMED = {"call_failed", "request_refused", "all_models_busy", "context_length_exceeded"}
GOOD = {
    "choices": [{"message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1},
}

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
PART = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image_url", "thinking"]) | ANYTHING, "text": ANYTHING}
)
FUNCTION = st.fixed_dictionaries({"name": st.just("look") | ANYTHING, "arguments": st.just("{}") | ANYTHING})
TOOL_CALL = st.fixed_dictionaries(
    {"function": FUNCTION | ANYTHING}, optional={"id": ANYTHING, "type": ANYTHING, "index": ANYTHING}
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.just("assistant") | ANYTHING, "content": st.just("Paris") | st.lists(PART, max_size=2) | ANYTHING},
    optional={
        "tool_calls": st.lists(TOOL_CALL | ANYTHING, max_size=2) | ANYTHING,
        "function_call": FUNCTION | ANYTHING, "refusal": ANYTHING, "reasoning": ANYTHING, "audio": ANYTHING,
    },
)  # fmt: skip
REASON = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "error"]) | ANYTHING
CHOICE = st.fixed_dictionaries({"message": MESSAGE | ANYTHING, "finish_reason": REASON})
COUNT = st.integers(0, 10**13) | ANYTHING
USAGE = st.fixed_dictionaries({"prompt_tokens": COUNT, "completion_tokens": COUNT}, optional={
    "total_tokens": COUNT, "cost": ANYTHING, "cost_details": ANYTHING, "prompt_tokens_details": ANYTHING,
    "completion_tokens_details": st.fixed_dictionaries({"reasoning_tokens": COUNT}) | ANYTHING,
})  # fmt: skip
PAYLOAD = st.fixed_dictionaries(
    {"choices": st.lists(CHOICE, min_size=1, max_size=2) | ANYTHING},
    optional={"usage": USAGE | ANYTHING, "model": ANYTHING, "service_tier": ANYTHING, "error": ANYTHING},
)
BODY = PAYLOAD.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40) | st.sampled_from(
    [b"<html>busy</html>", b"[" * 200_000, b'{"a":' * 99_999, b'{"choices": NaN}', json.dumps(GOOD).encode()[:-3]]
)  # fmt: skip
HEADERS = st.fixed_dictionaries({}, optional={
    "Retry-After": st.sampled_from(["0", "-1", "9" * 30, "soon", "Fri, 31 Dec 9999 23:59:59 GMT"]),
    "X-Odd": st.sampled_from(["\xe9\xff", "a" * 500]), "Content-Type": st.sampled_from(["text/html", "\xe9"]),
})  # fmt: skip
REPLY = st.tuples(
    st.sampled_from([200] * 12 + [400, 401, 403, 404, 413, 422, 429, 500, 503]), HEADERS, BODY, st.booleans()
)


@pytest.fixture
def gateway(vendor: Any, tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        gateway_process(tmp_path, vendor.url, judge="auto") as process,
        httpx.Client(
            base_url=process.url, timeout=120, limits=httpx.Limits(max_connections=AT_ONCE)
        ) as client,
    ):
        yield client


def body_of(number: int, model: str) -> dict[str, Any]:
    """Return a request whose number the vendor finds again, in what a model is asked and in what a judge is."""
    question = f"Capital of France? (question {number:05})"
    return {"model": model, "messages": [{"role": "user", "content": question}]}


def speak(vendor: Any, replies: Sequence[Any]) -> None:
    """Let the vendor answer each request with the reply of its number."""

    def answer(body: Any) -> tuple[int, dict[str, str], bytes]:
        status, headers, sent, is_packed = replies[int(re.findall(r"question (\d{5})", str(body))[-1])]
        packed = {"Content-Encoding": "gzip"} if is_packed else {}
        return status, headers | packed, gzip.compress(sent) if is_packed else sent

    vendor.answer = answer


def ask(gateway: httpx.Client, number: int, model: str) -> None:
    answer = gateway.post("/v1/chat/completions", json=body_of(number, model))
    if answer.status_code != 200:
        assert answer.json()["error"]["code"] in NAMED, answer.text
        return
    message = answer.json()["choices"][0]["message"]
    assert message["content"] is None or isinstance(message["content"], str | list)


def assert_all_is_well(folder: Path, gateway: httpx.Client, calls: int) -> None:
    assert gateway.get("/verify", params={"org": "default"}).json()["intact"]
    with closing(sqlite3.connect(folder / "x25.db")) as store:
        (left,) = store.execute("SELECT count(*) FROM attempts WHERE status = 'started'").fetchone()
        (logged,) = store.execute("SELECT count(*) FROM calls").fetchone()
        (groundless,) = store.execute(
            "SELECT count(*) FROM evidence_log e WHERE NOT EXISTS (SELECT 1 FROM attempts a WHERE a.org = e.org"
            " AND a.call_id = e.call_id AND a.model_id = e.model_id AND a.kind = 'answer' AND a.status = 'finished')"
        ).fetchone()
    assert (left, logged, groundless) == (0, calls, 0)


def drawn(count: int, *, same_each_time: bool) -> list[Any]:
    replies: list[Any] = []

    @given(REPLY)
    @settings(
        max_examples=count, derandomize=same_each_time, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), database=None,
    )  # fmt: skip
    def draw(reply: Any) -> None:
        replies.append(reply)

    draw()
    return replies


@pytest.mark.slow
def test_whatever_a_vendor_answers_a_call_ends_well(
    vendor: Any, gateway: httpx.Client, tmp_path: Path
) -> None:
    replies = drawn(12, same_each_time=True)
    speak(vendor, replies)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda number: ask(gateway, number, "x25-classic"), range(len(replies))))
    assert_all_is_well(tmp_path, gateway, len(replies))


@pytest.mark.slow
def test_thousands_of_replies_of_a_vendor_end_well(
    vendor: Any, gateway: httpx.Client, tmp_path: Path
) -> None:
    replies = drawn(CASES, same_each_time=False)
    assert len(replies) >= 0.98 * CASES  # hypothesis stops where it has drawn all it can think of
    speak(vendor, replies)
    longest_ms = []

    def call(number: int) -> None:
        # Most go to one model, some the whole way with fallback, judge and escalation.
        ask(gateway, number, ("x25-classic", "sim/tiny-1", "sim/medium-3", "sim/large-5")[number % 4])
        if number % 100 == 0:
            longest_ms.append(gateway.get("/healthz").json()["longest_pause_ms"])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(call, range(len(replies))))
    assert_all_is_well(tmp_path, gateway, len(replies))
    assert (
        max(longest_ms) < 1_000.0
    )  # of forty calls at once: test_event_loop holds each piece of work to 250
