import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from x25.simulator.process import SimulatorProcess

# Imports once, then forks a process for each call it reads: the fork stops until it is told to go on.
CALLER = """
import asyncio, json, os, signal, sys
import aiosqlite, langgraph.checkpoint.sqlite.aio
from x25.graph.run import open_cascade
from x25.graph.settings import load_settings

async def call(given):
    async with open_cascade(load_settings({}, **given["settings"])) as cascade:
        await cascade.route(given["request"])

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
        asyncio.run(call(json.loads(line)))
        os._exit(0)
    os.waitpid(pid, os.WUNTRACED)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class KillingProxy:
    """Stands before the simulator; kills the client when its nth request for `victim` was billed."""

    def __init__(self, target: str) -> None:
        self.target, self.victim, self.pid, self.kill_at = target, "", 0, 1
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                sent = {
                    "Idempotency-Key": self.headers["Idempotency-Key"],
                    "Content-Type": "application/json",
                }
                reply = httpx.post(f"{proxy.target}/chat/completions", content=raw, headers=sent)
                proxy.kill_at -= json.loads(raw)["model"].startswith(proxy.victim)
                if proxy.kill_at == 0:
                    os.kill(proxy.pid, signal.SIGKILL)
                    return
                self.send_response(reply.status_code)
                self.send_header("Content-Length", str(len(reply.content)))
                self.end_headers()
                self.wfile.write(reply.content)

            def log_message(self, *args: object) -> None:
                return

        return Handler


@pytest.fixture
def killing_proxy(simulator: SimulatorProcess) -> Iterator[KillingProxy]:
    proxy = KillingProxy(simulator.url)
    yield proxy
    proxy.server.shutdown()
    proxy.server.server_close()


@pytest.fixture(scope="session")
def caller() -> Iterator[subprocess.Popen[str]]:
    arguments = [sys.executable, "-c", CALLER]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


@pytest.fixture
def crash(caller: subprocess.Popen[str], killing_proxy: KillingProxy, settings: Any) -> Callable[..., None]:
    """Return a function that routes a request in a process killed while it asks `victim`."""
    assert caller.stdin is not None
    assert caller.stdout is not None

    def run(victim: str, request: dict[str, Any], *, kill_at: int = 1, **changes: Any) -> None:
        given = {"data_dir": str(settings.data_dir), "upstream": "simulator", "seed": 25}
        given |= {"checkpoints": "sync", "simulator_url": killing_proxy.url, **changes}
        caller.stdin.write(json.dumps({"settings": given, "request": request}) + "\n")
        caller.stdin.flush()
        killing_proxy.victim, killing_proxy.kill_at = victim, kill_at
        killing_proxy.pid = int(caller.stdout.readline())
        os.kill(killing_proxy.pid, signal.SIGCONT)
        assert int(caller.stdout.readline()) == -signal.SIGKILL

    return run


@pytest.fixture
def chat_models() -> dict[str, Any]:
    """Return an agent's own models: each answers with its tier and the question."""
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatGeneration, ChatResult

    class Echo(BaseChatModel):
        model: str

        def _generate(
            self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
        ) -> ChatResult:
            counted = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
            text = f"{self.model} says: {messages[-1].content}"
            answer = AIMessage(text, usage_metadata=counted, response_metadata={"finish_reason": "stop"})
            return ChatResult(generations=[ChatGeneration(message=answer)])

        @property
        def _llm_type(self) -> str:
            return "echo"

    return {tier: Echo(model=f"echo-{tier}") for tier in ("slm", "mid", "frontier")}


@pytest.fixture
def model_folder(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes the bundled tiny model with changes, None removing a key."""
    from x25.graph.bootstrap import SIMULATED_MODELS

    def write(*changes: dict[str, Any]) -> Path:
        folder = tmp_path / "models"
        folder.mkdir(exist_ok=True)
        whole = yaml.safe_load((SIMULATED_MODELS / "sim--tiny-1.yaml").read_text())
        for index, change in enumerate(changes):
            (folder / f"{index}.yaml").write_text(
                yaml.safe_dump({key: value for key, value in (whole | change).items() if value is not None})
            )
        return folder

    return write
