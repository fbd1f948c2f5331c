"""What the store costs a served call: `python -m x25.bench.store [--calls 5000]`.

The store is driven alone, as a call without a judge does: evidence is read, one attempt reserved and settled, the call
logged with its audit entry. Printed are milliseconds a call, of a clock and of the processor time of all threads of
this process, and bytes on disk. `--database-url` names another store, Postgres say, whose own processes are then not
counted; it is left with the calls of orgs that begin with "bench-".
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from ..state.money.budgets import Budget, Charge
from ..state.records import Attempt, Call
from ..state.store import Store, open_store
from ..state.types import JSONObject

BATCH = 250
"""Calls a reading of the processor's clock."""
ORGS = 10
INPUTS = bytes(range(256)) * 2 + bytes(128)
"""As long as the vector kept of a prompt."""
MODEL: dict[str, Any] = {"model_id": "sim/small-2", "tier": "slm"}


def decision_of(call_id: str) -> JSONObject:
    """Return as many facts of a decision as a call keeps."""
    return {
        "allowances": {}, "audited": False, "baseline_prob": None, "chance_judge_prob": 0.323493356395605,
        "difficulty": 0.0262, "expected_cost_nusd": 27_000, "explored": False,
        "first_verdict": {
            "source": "checks", "outcome": "unseen", "bin": None, "score": 0.569432, "judge_model": None,
            "seen_prob": 0.0,
        },
        "inputs_id": "e19c225392ebcae8", "is_judged": False, "judge_prob": 0.0, "memory_hit": False,
        "optimize_for": {"cost": 0.33, "latency": 0.33, "quality": 0.34}, "propensity": 0.7719381335113309,
        "reason": f"slm: best expected value 0.{len(call_id)} (draw 0.623); the answer is not judged",
        "strategy": "plan", "theta": 0.6230570882608497, "value": 0.7657418925462878, "verification": None,
        "tier_to_model": {"frontier": "sim/xlarge-6", "mid": "sim/medium-4", "slm": "sim/small-2"}, **MODEL,
    }  # fmt: skip


def record_of(call: Call, attempt: Attempt) -> JSONObject:
    """Return an audit record as long as that of a call."""
    words, answer = (sha256(f"{call.call_id} {what}".encode()).hexdigest() for what in ("prompt", "answer"))
    facts = ("propensity", "judge_prob", "explored", "strategy")
    return {
        "kind": "call", "call_id": call.call_id, "at": call.created_at.isoformat(), "status": call.status,
        "task": {"type": "qa", "cell": "qa", "source": "classifier"}, "router": "auto", "policy": {},
        "optimize_for": call.decision["optimize_for"],
        "decision": {name: call.decision[name] for name in facts} | MODEL,
        "attempts": [{
            "attempt_id": attempt.attempt_id, "kind": "answer", "model_id": MODEL["model_id"], "status": "finished",
            "error": None, "spent_nusd": 15_000, "cost_source": "reported", "disputed_nusd": 0,
        }],
        "verdicts": [{"model_id": MODEL["model_id"], "source": "checks", "score": 0.57, "failed_check": None}],
        "answer": {"model_id": MODEL["model_id"], "sha256": answer}, "prompt_sha256": words,
        "cost_nusd": 15_000, "judge_cost_nusd": 0,
    }  # fmt: skip


async def serve(store: Store, org: str, call_id: str) -> None:
    """Ask of the store what a call without a judge asks."""
    now = datetime.now(UTC)
    await store.posteriors.read_levels(org, "qa")
    attempt = Attempt(
        attempt_id=f"{sha256(f'{org}/{call_id}'.encode()).hexdigest()[:24]}-a0-0", org=org, call_id=call_id, step=0,
        kind="answer", deployment="simulator", status="started", reserved_nusd=102_780, started_at=now, **MODEL,
    )  # fmt: skip
    charge = Charge((Budget.per_day(None, now),))
    await store.attempts.start(attempt, charge, opens_call=True)
    settled = replace(
        attempt, status="finished", cost_nusd=15_000, cost_source="reported", prompt_tokens=587, completion_tokens=24,
        latency_ms=7.358, finished_at=now,
    )  # fmt: skip
    await store.attempts.finish_later(settled, charge)
    call = Call(
        call_id=call_id, org=org, created_at=now, status="answered", task_type="qa", task_cell="qa", difficulty=0.0262,
        provider="sim-b", cost_nusd=15_000, judge_cost_nusd=0, reference_cost_nusd=450_000, quality_score=0.569432,
        quality_source="checks", latency_ms=22.769, cascade_steps=1, escalations=0, fallbacks=0,
        propensity=0.7719381335113309, router="auto", simulated=True, record_hash="", decision=decision_of(call_id),
        inputs=INPUTS, **MODEL,
    )  # fmt: skip
    await store.calls.record(call, record_of(call, attempt))


async def measure(calls: int, folder: Path, at_once: int, database_url: str = "") -> dict[str, float]:
    """Return median milliseconds a call, `at_once` of them under way, and bytes a call on disk, 0 of another store."""
    path, cpu_ms, clock_ms = folder / "x25.db", list[float](), list[float]()
    async with await open_store(database_url or f"sqlite+aiosqlite:///{path}") as store:
        batches = max(1, calls // BATCH) + 1  # the first one is not counted
        names, run = iter(range(batches * BATCH)), uuid4().hex[:8]

        async def serve_some(number: int) -> None:
            for _ in range(number):
                mine = next(names)
                await serve(store, f"bench-{mine % ORGS}", f"01a2{run}{mine:016x}")

        for _ in range(batches):
            began, began_cpu = time.perf_counter(), time.process_time()
            shares = [BATCH // at_once + (one < BATCH % at_once) for one in range(at_once)]
            await asyncio.gather(*map(serve_some, shares))
            cpu_ms.append((time.process_time() - began_cpu) * 1e3 / BATCH)
            clock_ms.append((time.perf_counter() - began) * 1e3 / BATCH)
    written = batches * BATCH
    return {
        "calls": written,
        "cpu_ms": statistics.median(cpu_ms[1:]),
        "clock_ms": statistics.median(clock_ms[1:]),
        "bytes": 0.0 if database_url else path.stat().st_size / written,
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m x25.bench.store", description=__doc__)
    parser.add_argument("--calls", type=int, default=5_000)
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 16])
    parser.add_argument(
        "--database-url", default="", help="as X25_DATABASE_URL; empty = SQLite in a new folder"
    )
    options = parser.parse_args(arguments)
    for at_once in options.at_once:
        with tempfile.TemporaryDirectory(prefix="x25-bench-") as folder:
            figures = asyncio.run(measure(options.calls, Path(folder), at_once, options.database_url))
        on_disk = f", {figures['bytes']:,.0f} bytes on disk" if figures["bytes"] else ""
        print(
            f"{figures['calls']:,} calls, {at_once} at once: {figures['cpu_ms']:.2f} ms of processor time, "
            f"{figures['clock_ms']:.2f} ms by the clock{on_disk} a call"
        )


if __name__ == "__main__":
    main()
