"""No request and no reply, however long, keeps the other calls of a gateway waiting."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from x25.demo.gateway import gateway_process

LONGEST_MS = 250.0

PHOTO = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo" + "A" * 1_900_000}}
TOOLS = [
    {"type": "function", "function": {"name": f"f{n}", "parameters": {"type": "object", "properties": {
        f"p{m}": {"type": "string"} for m in range(20)
    }}}}
    for n in range(700)
]  # fmt: skip
SCHEMA = {"type": "object", "properties": {f"p{n}": {"enum": ["a", "b"]} for n in range(8_000)}}
CODE = "```python\ndef f(x):\n    return [x + 1]\n```\n"


def user(content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


REQUESTS = {
    "a long text": {"messages": user("word and more. " * 20_000)},
    "a text that is too long": {"messages": user("word and more. " * 600_000)},
    "code": {"messages": user(CODE * 7_000)},
    "brackets": {"messages": user("(([[{{" * 50_000)},
    "one word": {"messages": user("é" * 300_000)},
    "a long conversation": {
        "messages": [{"role": ("user", "assistant")[n % 2], "content": f"message {n}"} for n in range(5_001)]
    },
    "too many messages": {"messages": user("x") * 60_000},
    "parts": {"messages": user([{"type": "text", "text": "a"}] * 15_000)},
    "photos": {"messages": user([{"type": "text", "text": "what is it?"}, *[PHOTO] * 4])},
    "tools": {"messages": user("hello"), "tools": TOOLS},
    "a schema": {
        "messages": user("hello"),
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
    },
    "too many values": {"messages": user("hello"), "metadata": {"a": [1] * 400_000}},
}
ANSWERS = {
    "a long text": "A sentence of an answer. " * 80_000,
    "code": CODE * 40_000,
    "one block of code": "```python\n" + "def f(x):\n    return [x + 1]\n" * 60_000 + "```",
    "nested code": "```python\n" + "(" * 200_000 + "\n```",
    "JSON": json.dumps([{"a": n, "b": [n, str(n)]} for n in range(60_000)]),
    "brackets": "[" * 1_000_000,
    "backticks": "`" * 1_000_000,
    "other letters": "日本語 " * 400_000,
    "the same again": "no " * 600_000,
}


@pytest.fixture(scope="module")
def gateway(module_vendor: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder: Path = tmp_path_factory.mktemp("loop")
    with (
        gateway_process(folder, module_vendor.url) as process,
        httpx.Client(base_url=process.url, timeout=120) as client,
    ):
        client.post("/v1/chat/completions", json={"model": "auto", "messages": user("hello")})
        yield client


def says(text: str) -> Any:
    reply = {
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 9},
    }
    return lambda _: (200, {}, json.dumps(reply).encode())


def assert_nothing_waited(gateway: httpx.Client) -> None:
    assert gateway.get("/healthz").json()["longest_pause_ms"] < LONGEST_MS


@pytest.mark.slow
@pytest.mark.parametrize("name", REQUESTS)
def test_a_long_request_keeps_nobody_waiting(gateway: httpx.Client, module_vendor: Any, name: str) -> None:
    module_vendor.answer = says("Paris")
    for router in ("auto", "x25-classic"):
        answer = gateway.post("/v1/chat/completions", json={"model": router, **REQUESTS[name]})
        assert answer.status_code in {200, 413, 422}, answer.text
    assert_nothing_waited(gateway)


@pytest.mark.slow
@pytest.mark.parametrize("wish", [{}, {"response_format": {"type": "json_object"}}])
@pytest.mark.parametrize("name", ANSWERS)
def test_a_long_answer_keeps_nobody_waiting(
    gateway: httpx.Client, module_vendor: Any, name: str, wish: dict[str, Any]
) -> None:
    module_vendor.answer = says(ANSWERS[name])
    for router in ("auto", "x25-classic"):
        answer = gateway.post(
            "/v1/chat/completions", json={"model": router, "messages": user("Write it."), **wish}
        )
        assert answer.status_code in {200, 502}, answer.text
    assert_nothing_waited(gateway)
