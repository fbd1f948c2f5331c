import asyncio
import json
from pathlib import Path

import pytest

from x25.bench import overload
from x25.bench.overload import Caller, Phase, send
from x25.simulator.child import ChildServer


def options(**changes: float | list[str]):
    asked = [f"--{name.replace('_', '-')}={value}" for name, value in changes.items()]
    given = overload._parser().parse_args(asked)
    given.settings = {}
    return given


@pytest.mark.slow
def test_three_times_as_many_calls_as_can_be_served_slow_down_nobody_who_is_let_in(tmp_path: Path) -> None:
    report = overload.run(options(seconds=8, burst=20), tmp_path)
    _, burst, after = report["phases"]
    told = json.dumps(report, indent=1)
    assert report["logged"] == report["answered"], told
    for phase in report["phases"]:
        assert set(phase["statuses"]) <= {200, 503}, told
    # Generator, stub and gateway share the machine with other tests: that something is served and that nobody waits
    # without a bound is all that is sure (offered three times its capacity, a queue without one ends at 40 s).
    # The promised ratio of three, and that all are let in again within five seconds, are bench.overload's to measure.
    assert burst["statuses"][200] > 0.2 * report["capacity_per_s"] * burst["seconds"], told
    assert burst["statuses"][503] > 0, told
    assert burst["settled_p95_ms"] < 5_000, told
    assert burst["refused_p50_ms"] < 500, told
    # The calls that are let in take their room in the first seconds; from then on it stays the same.
    memory = burst["rss_mb"]
    assert max(memory) - memory[0] < 60, told
    assert memory[-1] - memory[len(memory) // 4] < 10, told
    assert after["statuses"][200] > 0.2 * report["capacity_per_s"] * after["seconds"], told
    assert after["settled_p95_ms"] < 5_000, told


@pytest.fixture
def stub():
    with ChildServer("stub", ["-c", overload.STUB.format(delay_s=0.05)]) as server:
        yield server.url.removesuffix("/v1")


async def test_calls_come_at_their_rate_whoever_is_answered(stub: str) -> None:
    caller, phase = Caller(stub), Phase("one", per_s=100, seconds=0.5)
    began = asyncio.get_running_loop().time()
    await send(caller, phase, lambda: 1.0)
    took_s = asyncio.get_running_loop().time() - began
    caller.close()
    assert phase.statuses == {200: 50}
    assert took_s > 0.5
    assert phase.figures["answered_p50_ms"] >= 50
    assert phase.figures["refused_p50_ms"] is None
    assert phase.rss_mb == [1.0]


async def test_a_closed_loop_has_one_call_a_client_under_way(stub: str) -> None:
    caller = Caller(stub)
    per_s = await overload.capacity(caller, clients=3, seconds=0.4)
    caller.close()
    assert 5 < per_s <= 60


async def test_nobody_there_is_no_answer() -> None:
    assert await Caller("http://127.0.0.1:9").call() == (0, b"")


def test_only_what_says_when_to_come_back_counts_as_refused() -> None:
    phase = Phase("one", 1.0, 1.0)
    phase.note(0.5, 0.0, 503, b"Retry-After: 1")
    phase.note(0.7, 0.0, 503, b"")
    assert (phase.statuses, len(phase.refused_ms), phase.last_refused_s) == ({503: 2}, 1, 0.5)
