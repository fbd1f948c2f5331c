"""How many calls are answered when providers fail at random: `python -m x25.bench.availability`.

Two measurements, both simulated. Three independent models fail 30 % of their requests at a real gateway over HTTP, and
every call is made once, without a client's retry; what was billed is read from the simulator. And the waterfall alone,
with an injected clock and 1 % faults, for more decisions than HTTP has time for.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from ..providers.base import Completion, ProviderRequest
from ..providers.deltas import Sending
from ..providers.gateway import Gateway
from ..providers.keyring import Keyring
from ..providers.model_files import parse_model
from ..providers.patience import Patience
from ..providers.stream_exchange import as_delta
from ..simulator.child import ChildServer
from ..simulator.process import SimulatorProcess
from ..state.errors import (
    ProviderConnection,
    ProviderError,
    ProviderMalformed,
    ProviderRateLimit,
    ProviderServer,
    ProviderTimeout,
)
from ..state.usage import Usage
from .chaos import without_access

UPSTREAM = ("sim/tiny-1", "sim/small-2", "sim/medium-3")
FAULTS = ("500", "503", "502", "refused", "reset", "malformed", "429")
"""What a request that fails meets, evenly; each target draws for itself."""
BODY: dict[str, Any] = {"messages": [{"role": "user", "content": "What is 17 * 23?"}], "max_tokens": 64}


@dataclass(frozen=True, slots=True)
class Availability:
    """What came of some calls."""

    calls: int
    answered: int
    fault_prob: float
    attempts: int
    """Attempts written down; a repeat that cannot be billed twice shares one."""
    billed_twice: int
    """Attempts that the simulator billed more than once, and answers it billed other than once."""
    seconds: float

    @property
    def share(self) -> float:
        """The share answered."""
        return self.answered / self.calls


def through_http(calls: int, fault_prob: float, clients: int, folder: Path) -> Availability:
    """Return what came of calls to a gateway over three models that fail with a probability each."""
    with SimulatorProcess(latency=False, seed=11) as simulator:
        _write_models(folder, simulator.url)
        environ = without_access() | {
            "X25_DATA_DIR": str(folder / "data"), "X25_MODELS_DIR": str(folder / "models"), "X25_UPSTREAM": "real",
            "X25_JUDGE": "none", "X25_LOG_LEVEL": "ERROR", "X25_MAX_QUEUE_MS": "0", "X25_STORE_INPUTS": "false",
            "X25_CHECKPOINTS": "off", "X25_MEMORY": "false",
        }  # fmt: skip
        share = [fault_prob / (len(FAULTS) - place * fault_prob) for place in range(len(FAULTS))]
        simulator.set_scenario([
            {"match": {"model": name, "probability": prob}, "fault": fault}
            for name in UPSTREAM
            for fault, prob in zip(FAULTS, share, strict=True)
        ])  # fmt: skip
        arguments = ["-m", "x25", "serve", "--port", "0", "--json", "--exit-with-parent"]
        with ChildServer("gateway", arguments, environ=environ, folder=folder) as gateway:
            began_s = time.monotonic()
            asyncio.run(_warm(gateway.url))
            answered = asyncio.run(_call(gateway.url, calls, clients))
            seconds = time.monotonic() - began_s
        bills = Counter(bill["attempt_id"] for bill in simulator.bills())
        finished, made = _recorded(folder / "data" / "x25.db")
    twice = sum(count > 1 for count in bills.values()) + sum(bills[one] != 1 for one in finished)
    return Availability(calls, answered, fault_prob, made, twice, seconds)


def _write_models(folder: Path, url: str) -> None:
    (folder / "models").mkdir(parents=True)
    for place, name in enumerate(UPSTREAM):
        model = {
            "model_id": f"target/{place + 1}", "provider": "target", "tier": ("slm", "slm", "mid")[place],
            "prices": {"input_usd_per_mtok": 0.1 + place / 10, "output_usd_per_mtok": 0.1 + place / 10},
            "deployments": [{"name": f"target-{place + 1}", "base_url": url, "model": name, "idempotent": True}],
        }  # fmt: skip
        (folder / "models" / f"{place}.yaml").write_text(yaml.safe_dump(model))


async def _warm(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        await client.get("/healthz")


async def _call(url: str, calls: int, clients: int) -> int:
    """Make calls, each once, and return how many were answered with something."""
    numbers, answered = iter(range(calls)), 0

    async def work(client: httpx.AsyncClient) -> None:
        nonlocal answered
        for number in numbers:
            body = {**BODY, "model": "auto", "x25": {"org": f"org-{number % 50}"}}
            try:
                reply = await client.post("/v1/chat/completions", json=body)
            except httpx.HTTPError:
                continue
            answered += reply.status_code == 200 and bool(reply.json()["choices"][0]["message"]["content"])

    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        await asyncio.gather(*(work(client) for _ in range(clients)))
    return answered


def _recorded(database: Path) -> tuple[list[str], int]:
    """Return the attempts that brought an answer, and how many were made."""
    import sqlite3  # noqa: PLC0415

    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute("select attempt_id, status from attempts").fetchall()
    return [attempt_id for attempt_id, status in rows if status == "finished"], len(rows)


class _Flaky:
    """A provider that fails at random, and wholly now and then, in the clock's own time."""

    def __init__(self, fault_prob: float, rng: random.Random, clock: "_Clock") -> None:
        self._fault_prob, self._rng, self._clock = fault_prob, rng, clock

    async def complete(self, request: ProviderRequest) -> Completion:
        """Answer, or fail as providers do."""
        self._clock.now_s += 0.02
        if self._rng.random() < self._fault_prob:
            raise self._rng.choice([
                ProviderServer("500", status=500), ProviderConnection("reset"), ProviderTimeout("late"),
                ProviderRateLimit("busy", status=429), ProviderMalformed("not JSON"),
            ])  # fmt: skip
        message = {"role": "assistant", "content": "391"}
        return Completion(message, "stop", Usage(10, 3), "m", 20.0, request.deployment.name)

    async def stream(self, request: ProviderRequest, sending: Sending) -> Completion:
        """Send the answer as the one piece that it is."""
        completion = await self.complete(request)
        await sending.send(as_delta(completion.message))
        return completion


class _Clock:
    """A clock that moves when somebody sleeps or is asked something."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class _Ledger:
    """Counts what is begun and settled."""

    def __init__(self) -> None:
        self.begun = self.finished = 0

    async def begin(self, deployment: str, byok_key: str | None = None) -> str:  # noqa: ARG002 - the protocol's
        self.begun += 1
        return f"a{self.begun}"

    async def finish(self, attempt_id: str, completion: Completion) -> None:  # noqa: ARG002
        self.finished += 1

    async def fail(self, attempt_id: str, error: ProviderError) -> None:  # noqa: ARG002
        return


async def waterfall(calls: int, fault_prob: float, seed: int = 7) -> Availability:
    """Return what came of calls that the waterfall alone makes, over three deployments, by an injected clock."""
    rng = random.Random(seed)  # noqa: S311 - faults, not a secret
    clock, ledger = _Clock(), _Ledger()
    flaky = _Flaky(fault_prob, rng, clock)
    gateway = Gateway({"openai": flaky}, Keyring({}), Patience(clock=clock, sleep=clock.sleep, rng=rng))
    spec = parse_model(
        {
            "model_id": "target/1", "provider": "target", "tier": "slm",
            "prices": {"input_usd_per_mtok": 0.1, "output_usd_per_mtok": 0.1},
            "deployments": [{"name": f"d{place}", "base_url": f"http://{place}.example/v1"} for place in range(3)],
        },
        "the measurement",
    )  # fmt: skip
    answered, began_s = 0, time.monotonic()
    for _ in range(calls):
        try:
            await gateway.complete(spec, BODY, record=ledger, timeout_s=30, deadline_s=clock.now_s + 180)
        except ProviderError:
            continue
        answered += 1
    twice = ledger.finished - answered
    return Availability(calls, answered, fault_prob, ledger.begun, twice, time.monotonic() - began_s)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and return 1 where less was answered than is promised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=20_000, help="calls over HTTP at 30 %% faults")
    parser.add_argument(
        "--decisions", type=int, default=200_000, help="calls of the waterfall alone at 1 %% faults"
    )
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    found: dict[str, tuple[Availability, float]] = {}
    if chosen.decisions:
        found["waterfall"] = asyncio.run(waterfall(chosen.decisions, 0.01)), 0.99999
    if chosen.calls:
        with tempfile.TemporaryDirectory() as folder:
            found["http"] = through_http(chosen.calls, 0.30, chosen.clients, Path(folder)), 0.999
    for name, (one, promised) in found.items():
        if chosen.json:
            print(json.dumps({"name": name, "share": one.share, "promised": promised, **asdict(one)}))
            continue
        print(
            f"{name}: {one.answered:,} of {one.calls:,} answered ({one.share:.5%}, promised {promised:.3%}) at "
            f"{one.fault_prob:.0%} faults, {one.attempts:,} attempts, {one.billed_twice} billed other than once, "
            f"{one.seconds:.0f} s; simulated"
        )
    kept = all(one.share >= promised and not one.billed_twice for one, promised in found.values())
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
