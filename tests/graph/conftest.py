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

CHILD = """
import asyncio, json, sys
from pathlib import Path
from x25.graph.run import open_cascade
from x25.graph.settings import load_settings

async def main():
    given = json.loads(sys.argv[1])
    async with open_cascade(load_settings({}, **given["settings"])) as cascade:
        await cascade.route(given["request"])

asyncio.run(main())
"""


class KillingProxy:
    """Stands before the simulator, and kills the client's process when a request for `victim` has been billed."""

    def __init__(self, target: str) -> None:
        self.target, self.victim, self.pid = target, "", 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                sent = {"Idempotency-Key": self.headers["Idempotency-Key"], "Content-Type": "application/json"}
                reply = httpx.post(f"{proxy.target}/chat/completions", content=raw, headers=sent)
                if json.loads(raw)["model"].startswith(proxy.victim):
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


@pytest.fixture
def crash(killing_proxy: KillingProxy, settings: Any) -> Callable[..., None]:
    """Return a function that routes a request in another process, killed while a request for `victim` is out."""

    def run(victim: str, request: dict[str, Any], **changes: Any) -> None:
        given = {"data_dir": str(settings.data_dir), "upstream": "simulator", "seed": 25, "checkpoints": "sync",
                 "simulator_url": killing_proxy.url, **changes}  # fmt: skip
        killing_proxy.victim = victim
        # The proxy may only learn the pid before the child asks: the child waits for a line on stdin.
        code = "import sys; sys.stdin.readline()\n" + CHILD
        arguments = [sys.executable, "-c", code, json.dumps({"settings": given, "request": request})]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE) as child:
            killing_proxy.pid = child.pid
            child.communicate(b"\n", timeout=30)
            assert child.returncode == -signal.SIGKILL

    return run


@pytest.fixture
def chat_models() -> dict[str, Any]:
    """Return an agent's own models: each answers with its tier and the question."""
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatGeneration, ChatResult

    class Echo(BaseChatModel):
        model: str

        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
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
    """Return a function that writes one simulated model a file, the bundled tiny one with changes."""
    from x25.graph.bootstrap import SIMULATED_MODELS

    def write(*changes: dict[str, Any]) -> Path:
        folder = tmp_path / "models"
        folder.mkdir(exist_ok=True)
        whole = yaml.safe_load((SIMULATED_MODELS / "sim--tiny-1.yaml").read_text())
        for index, change in enumerate(changes):
            (folder / f"{index}.yaml").write_text(yaml.safe_dump(whole | change))
        return folder

    return write
