"""What a request to a vendor costs the gateway: `python -m x25.bench.provider_client`.

A stub in a process of its own answers at once, with the same answer of a few hundred tokens. Measured is this side
alone: processor time (user and system) of the process that asks, and how long a request takes. The ways take turns
within a round: the gateway's own provider from its request to the completion it makes of the answer, the provider's
HTTP client without that, and httpx with the same body and limits.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from ..providers.base import ProviderRequest
from ..providers.model_files import parse_model
from ..providers.openai_compatible import OpenAICompatible
from ..providers.wire.body import read_body
from ..providers.wire.client import VendorClient
from ..simulator.child import ChildServer

TIMEOUT_S = 60.0
BODY: dict[str, Any] = {
    "model": "stub",
    "messages": [
        {"role": "system", "content": "Answer in full sentences, and say where you are not sure. " * 10},
        {"role": "user", "content": "What is the capital of France, and since when? " * 20},
    ],
    "temperature": 0.2,
    "max_tokens": 500,
}
_CHOICE = {
    "index": 0,
    "message": {"role": "assistant", "content": "Paris is the capital of France. " * 40},
    "finish_reason": "stop",
}
_ANSWER = json.dumps(
    {
        "id": "c", "object": "chat.completion", "created": 1, "model": "stub", "choices": [_CHOICE],
        "usage": {"prompt_tokens": 310, "completion_tokens": 280, "total_tokens": 590},
    }
).encode()  # fmt: skip
_REPLY = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nserver: stub\r\nx-request-id: 1\r\n"
    b"content-length: %d\r\n\r\n" % len(_ANSWER) + _ANSWER
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request costs in one way, with so many of them under way at once; medians over the rounds."""

    way: str
    clients: int
    cpu_ms: float
    """Processor time of a request, milliseconds."""
    p50_ms: float
    """Median time from asking to the answer, milliseconds."""


class _Stub(asyncio.Protocol):
    """Answers every request on a connection with the same bytes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._received = transport, b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            _, _, rest = self._received[:end].lower().partition(b"content-length:")
            whole = end + 4 + int(rest.split(b"\r\n")[0])
            if len(self._received) < whole:
                return
            self._received = self._received[whole:]
            self._transport.write(_REPLY)


async def serve() -> None:
    """Answer requests until stdin ends; the address is printed as one JSON line."""
    server = await asyncio.get_running_loop().create_server(_Stub, "127.0.0.1", 0)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


async def measure(url: str, *, requests: int, clients: list[int], rounds: int) -> list[Cost]:
    """Return what a request to `url` costs in each way, with each number of clients; the first round warms up."""
    limits = httpx.Limits(max_connections=max(clients), max_keepalive_connections=max(clients))
    async with VendorClient() as client, httpx.AsyncClient(timeout=TIMEOUT_S, limits=limits) as other:
        ways = _ways(url, client, other)
        found = []
        for at_once in clients:
            seen: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
            for _ in range(rounds + 1):
                for way, ask in ways.items():
                    seen[way].append(await _round(ask, requests, at_once))
            for way, rounds_of_it in seen.items():
                cpu_ms, p50_ms = np.median(rounds_of_it[1:], axis=0)
                found.append(Cost(way, at_once, float(cpu_ms), float(p50_ms)))
    return found


def _ways(
    url: str, client: VendorClient, other: httpx.AsyncClient
) -> dict[str, Callable[[], Awaitable[object]]]:
    spec = parse_model(
        {
            "model_id": "stub/one", "tier": "slm", "prices": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1},
            "base_url": url,
        },
        "bench",
    )  # fmt: skip
    request = ProviderRequest(spec, spec.deployments[0], BODY, "attempt-0", TIMEOUT_S, "key")
    provider = OpenAICompatible(client)
    headers = {"Idempotency-Key": "attempt-0", "X-Request-Id": "attempt-0", "Authorization": "Bearer key"}
    chat = f"{url}/chat/completions"

    async def through_httpx() -> object:
        async with (
            asyncio.timeout(TIMEOUT_S),
            other.stream("POST", chat, json=BODY, headers=headers) as reply,
        ):
            return await read_body(reply.aiter_raw(), "", "stub")

    return {
        "provider": lambda: provider.complete(request),
        "client": lambda: client.post(chat, BODY, headers, deployment="stub", timeout_s=TIMEOUT_S),
        "httpx": through_httpx,
    }


async def _round(ask: Callable[[], Awaitable[object]], requests: int, at_once: int) -> tuple[float, float]:
    """Return processor time a request and median latency, milliseconds."""
    taken: list[float] = []

    async def work() -> None:
        for _ in range(max(1, requests // at_once)):
            began = time.perf_counter()
            await ask()
            taken.append(time.perf_counter() - began)

    began = time.process_time()
    await asyncio.gather(*[work() for _ in range(at_once)])
    return 1e3 * (time.process_time() - began) / len(taken), 1e3 * float(np.median(taken))


def show(costs: list[Cost], console: Console) -> None:
    """Print a line a way, with a pair of columns for each number of clients."""
    clients = sorted({cost.clients for cost in costs})
    table = Table("", *[f"{what}, {n} at once" for n in clients for what in ("CPU ms", "p50 ms")])
    for way in dict.fromkeys(cost.way for cost in costs):
        by_clients = {cost.clients: cost for cost in costs if cost.way == way}
        pairs = [(by_clients[n].cpu_ms, by_clients[n].p50_ms) for n in clients]
        table.add_row(way, *[f"{figure:.3f}" for pair in pairs for figure in pair])
    console.print(table)


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m x25.bench.provider_client", description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000, help="of one round in one way")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 32, 128], help="requests under way")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures there as well")
    parser.add_argument("--stub", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.stub:
        asyncio.run(serve())
        return
    with ChildServer("the stub", ["-m", "x25.bench.provider_client", "--stub"]) as stub:
        measured = measure(
            stub.url, requests=options.requests, clients=options.clients, rounds=options.rounds
        )
        costs = asyncio.run(measured)
    if options.json is not None:
        machine = {
            "cores": os.cpu_count(),
            "platform": platform.platform(),
            "python": sys.version.split()[0],
        }
        report = {"machine": machine, "costs": [asdict(cost) for cost in costs]}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    show(costs, Console())


if __name__ == "__main__":
    main()
