"""What becomes of calls when more come than the gateway can serve: `python -m x25.bench.overload`.

A stub stands for every model: it answers after a fixed time and costs next to nothing. A closed loop finds the capacity
of the gateway with nobody refused. Then calls come at a fixed rate, whoever is answered or not (an open loop):
moderately many, several times the capacity, and moderately many again. Stub, gateway and load generator are three
processes.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from ..demo.gateway import gateway_process
from ..graph.settings import Settings
from ..simulator.child import ChildServer

ORG = "bench"
MAX_QUEUE_MS = str(Settings.model_fields["max_queue_ms"].default)
MODEL = "stub/model"
ROUTER = {"name": "bench", "strategy": "plan", "max_escalations": 0, "epsilon": 0.0, "audit_rate": 0.0}
TIMEOUT_S = 60.0
STUB = """
import asyncio, json
from x25.bench.overload import stub
asyncio.run(stub({delay_s}))
"""


@dataclass(slots=True)
class Phase:
    """What came of the calls of one phase; times in milliseconds from when a call was due."""

    name: str
    per_s: float
    seconds: float
    statuses: dict[int, int] = field(default_factory=dict)
    answered_ms: list[float] = field(default_factory=list)
    settled_ms: list[float] = field(default_factory=list)
    """Of those answered that came after the first second: before, an overload cannot be told from a burst."""
    refused_ms: list[float] = field(default_factory=list)
    last_refused_s: float = 0.0
    """When the last call was refused that came in this phase, seconds from its beginning."""
    rss_mb: list[float] = field(default_factory=list)

    def note(self, due_s: float, began_s: float, status: int, headers: bytes) -> None:
        """Take in one answer."""
        took_ms = (time.perf_counter() - began_s - due_s) * 1e3
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status == 200:
            self.answered_ms.append(took_ms)
            if due_s > 1.0:
                self.settled_ms.append(took_ms)
        elif status == 503 and b"retry-after" in headers.lower():
            self.refused_ms.append(took_ms)
            self.last_refused_s = max(self.last_refused_s, due_s)

    @property
    def figures(self) -> dict[str, Any]:
        """Return what is reported."""
        told = {name: value for name, value in asdict(self).items() if not name.endswith("_ms")}
        for name in ("answered_ms", "settled_ms", "refused_ms"):
            values = getattr(self, name)
            for percent in (50, 95, 99):
                told[f"{name[:-3]}_p{percent}_ms"] = (
                    round(float(np.percentile(values, percent)), 1) if values else None
                )
        return told


async def stub(delay_s: float) -> None:
    """Serve one completion for every request, `delay_s` after it came, until standard input ends."""
    message = {"role": "assistant", "content": "391 is the answer."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 12, "completion_tokens": 6, "total_tokens": 18}
    body = json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice],
                       "usage": usage}).encode()  # fmt: skip
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readexactly(_length(await reader.readuntil(b"\r\n\r\n")))
                await asyncio.sleep(delay_s)
                writer.write(head + body)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=2048)
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"}) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


class Caller:
    """Calls one gateway over connections that are kept."""

    def __init__(self, url: str) -> None:
        self._host, port = url.removeprefix("http://").split(":")
        self._port = int(port)
        body = json.dumps({"prompt": "What is 17 * 23?", "org": ORG, "router": "bench"}).encode()
        kind = "Content-Type: application/json"
        head = f"POST /route HTTP/1.1\r\nHost: localhost\r\n{kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._request = head.encode() + body
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def call(self) -> tuple[int, bytes]:
        """Return status and head of the reply to one call; 0 where the connection broke or nothing came."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while self._idle and self._idle[-1][0].at_eof():  # closed meanwhile, since nobody asked on it
                    self._idle.pop()[1].close()
                pair = (
                    self._idle.pop() if self._idle else await asyncio.open_connection(self._host, self._port)
                )
                pair[1].write(self._request)
                head = await pair[0].readuntil(b"\r\n\r\n")
                await pair[0].readexactly(_length(head))
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            return 0, b""
        self._idle.append(pair)
        return int(head[9:12]), head

    def close(self) -> None:
        """Close what is kept."""
        for _, writer in self._idle:
            writer.close()


async def capacity(caller: Caller, *, clients: int, seconds: float) -> float:
    """Return the calls a second that `clients` clients get answered, each with one under way."""
    began, answered = time.perf_counter(), 0

    async def work() -> None:
        nonlocal answered
        while time.perf_counter() - began < seconds:
            status, _ = await caller.call()
            answered += status == 200

    await asyncio.gather(*(work() for _ in range(clients)))
    return answered / (time.perf_counter() - began)


async def send(
    caller: Caller,
    phase: Phase,
    rss_mb: Callable[[], float],
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Send calls at the phase's rate, evenly spaced, and wait for all that comes of them."""
    began_s, tasks = time.perf_counter(), set()

    async def one(due_s: float) -> None:
        phase.note(due_s, began_s, *await caller.call())

    for number in range(round(phase.per_s * phase.seconds)):
        due_s = number / phase.per_s
        late_s = time.perf_counter() - began_s - due_s
        if late_s < 0:
            await pause(-late_s)
        tasks.add(asyncio.create_task(one(due_s)))
        if number % max(1, round(phase.per_s)) == 0:
            phase.rss_mb.append(round(rss_mb(), 1))
    await asyncio.gather(*tasks)


async def measure(options: argparse.Namespace, url: str, unlimited_url: str, pid: int) -> dict[str, Any]:
    """Run all phases and return the report."""
    free = Caller(unlimited_url)
    await capacity(free, clients=8, seconds=2.0)
    per_s = await capacity(free, clients=options.clients, seconds=options.seconds)
    free.close()
    caller = Caller(url)
    await capacity(caller, clients=8, seconds=2.0)
    warm = logged(url)
    moderate = options.moderate * per_s
    phases = [
        Phase("moderate", moderate, options.seconds),
        Phase("overload", options.times * per_s, options.burst),
        Phase("after", moderate, options.seconds),
    ]
    for phase in phases:
        await send(caller, phase, lambda: _rss_mb(pid))
    caller.close()
    answered = sum(phase.statuses.get(200, 0) for phase in phases)
    return {
        "capacity_per_s": round(per_s, 1),
        "phases": [phase.figures for phase in phases],
        "answered": answered,
        "logged": logged(url) - warm,
    }


def logged(url: str) -> int:
    """Return how many calls the gateway has in its log."""
    return int(httpx.get(f"{url}/stats/{ORG}", timeout=TIMEOUT_S).raise_for_status().json()["total_calls"])


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Start stub and gateways, measure, and return the report."""
    for name in ("models", "routers"):
        (folder / name).mkdir()
    (folder / "routers" / "bench.yaml").write_text(json.dumps(ROUTER))  # JSON is YAML
    with ChildServer("stub", ["-c", STUB.format(delay_s=options.delay_ms / 1e3)]) as upstream:
        model = {"model_id": MODEL, "base_url": upstream.url, "tier": "slm",
                 "prices": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}}  # fmt: skip
        (folder / "models" / "stub.yaml").write_text(json.dumps(model))
        own = {"upstream": "real", "judge": "none", "routers_dir": str(folder / "routers"), "auto_train": "false",
               "models_dir": str(folder / "models"), "log_level": "ERROR"}  # fmt: skip
        bounds = {"max_queue_ms": MAX_QUEUE_MS, **options.settings}
        with (
            gateway_process(folder / "free", "", **own) as unlimited,
            gateway_process(folder / "bounded", "", **own, **bounds) as gateway,
        ):
            assert gateway._process is not None  # noqa: SLF001
            return asyncio.run(measure(options, gateway.url, unlimited.url, gateway._process.pid))  # noqa: SLF001


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0] or 0)


def _rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m x25.bench.overload", description=__doc__)
    add = parser.add_argument
    add("--delay-ms", type=float, default=200.0, help="how long the stub takes to answer")
    add("--clients", type=int, default=64, help="clients of the closed loop that finds the capacity")
    add("--seconds", type=float, default=10.0, help="length of the closed loop, and of the moderate phases")
    add("--burst", type=float, default=20.0, help="length of the overload, s")
    add("--moderate", type=float, default=0.5, help="rate of the moderate phases, in capacities")
    add("--times", type=float, default=3.0, help="rate of the overload, in capacities")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the gateway")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print the report as JSON."""
    options = _parser().parse_args(arguments)
    options.settings = dict(one.split("=", 1) for one in options.set)
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(json.dumps(run(options, Path(folder)), indent=2) + "\n")


if __name__ == "__main__":
    main()
