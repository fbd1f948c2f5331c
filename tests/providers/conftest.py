import json
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from x25.providers.model_files import parse_model
from x25.providers.wire.client import VendorClient

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def make_answer(content: str = "Paris", usage: dict[str, Any] | None = USAGE, **extra: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "up/model", "choices": [choice],
            **({} if usage is None else {"usage": usage}), **extra}  # fmt: skip


@dataclass
class Scripted:
    status: int = 200
    body: Any = field(default_factory=make_answer)
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    hang_up: bool = False


class Upstream:
    """A real HTTP server that gives its scripted replies in order, then keeps answering "Paris"."""

    def __init__(self) -> None:
        self.script: deque[Scripted] = deque()
        self.requests: list[dict[str, Any]] = []
        self.released = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def reply(self, *replies: Scripted) -> None:
        self.script.extend(replies)

    def keys(self) -> list[str | None]:
        sent = (request["headers"].get("authorization", "") for request in self.requests)
        return [value.removeprefix("Bearer ") or None for value in sent]

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or a body waits 40 ms for its head to be acknowledged

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                upstream.requests.append({"path": self.path, "headers": headers, "body": json.loads(raw)})
                reply = upstream.script.popleft() if upstream.script else Scripted()
                if reply.hang:
                    upstream.released.wait()
                if reply.hang or reply.hang_up:
                    self.close_connection = True
                    return
                sent = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(sent)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *args: object) -> None:
                return

        return Handler


def make_mapping(**changes: Any) -> dict[str, Any]:
    """Return a registry file's content; a change to None removes the key."""
    whole = {
        "model_id": "acme/small",
        "provider": "acme",
        "tier": "slm",
        "prices": {"input_usd_per_mtok": 0.5, "cached_input_usd_per_mtok": 0.05, "output_usd_per_mtok": 2},
        "context_tokens": 32000,
        "max_output_tokens": 4096,
        "modalities": ["text", "image"],
        "capabilities": ["tools"],
        "benchmarks": {"gpqa_diamond": 60, "livecodebench": 40, "mmlu_pro": None},
        "expected": {"latency_ms": 800, "output_tokens": 200},
        "deployments": [{"name": "main", "base_url": "https://acme.example/v1", "key_env": "ACME_API_KEY"}],
        "sources": [{"url": "https://acme.example/prices", "date": "2026-11-01", "what": "prices"}],
        "as_of": "2026-11-01",
    } | changes
    return {key: value for key, value in whole.items() if value is not None}


def make_model(**changes: Any):
    return parse_model(make_mapping(**changes), "test.yaml")


def make_deployed(*urls: str, **changes: Any):
    """Return a model with one deployment per URL, named d0, d1 …; `changes` apply to every deployment."""
    spec = make_model()
    one = replace(spec.deployments[0], **({"key_envs": ()} | changes))
    return replace(
        spec, deployments=tuple(replace(one, name=f"d{i}", base_url=url) for i, url in enumerate(urls))
    )


@pytest.fixture
def upstream():
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def second():
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
async def client():
    async with VendorClient() as shared:
        yield shared


@pytest.fixture
def scripted():
    return Scripted


@pytest.fixture
def answer():
    return make_answer


@pytest.fixture
def mapping():
    return make_mapping


@pytest.fixture
def model():
    return make_model


@pytest.fixture
def deployed():
    return make_deployed
