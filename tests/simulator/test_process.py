import asyncio
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from x25.simulator.process import SimulatorProcess


def is_gone(url: str, within_s: float = 5.0) -> bool:
    """Return whether nothing answers at the URL any more, asking until the time is over."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            httpx.get(f"{url}/models", timeout=1)
        except httpx.TransportError:
            return True
    return False


async def test_async_start_leaves_the_event_loop_free_and_stop_ends_it() -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.005)

    counting = asyncio.create_task(count_turns())
    async with SimulatorProcess(latency=False) as sim:
        url = sim.url
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{url}/models")).json()["x25_simulated"] is True
    counting.cancel()
    assert turns > 20
    assert is_gone(url)
    await sim.stop()


def test_a_killed_parent_leaves_no_simulator_behind() -> None:
    script = (
        "import os; from x25.simulator.process import SimulatorProcess\n"
        "sim = SimulatorProcess(); sim.__enter__(); print(sim.url, flush=True); os.kill(os.getpid(), 9)"
    )
    parent = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, timeout=20, check=False)
    assert parent.returncode == -9
    assert is_gone(parent.stdout.decode().strip())


def test_a_simulator_that_cannot_start_shows_its_stderr() -> None:
    with pytest.raises(RuntimeError, match=r"did not listen(.|\n)*judge AUC must be") as failed:
        SimulatorProcess(judge_auc=0.2).__enter__()
    assert str(os.getpid()) not in str(failed.value)


def test_a_simulator_that_is_not_running_has_no_bills() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        SimulatorProcess().bills()


def test_starting_twice_is_refused(running: SimulatorProcess) -> None:
    with pytest.raises(RuntimeError, match="already runs at http"):
        running.__enter__()


def test_a_refused_scenario_raises_the_reason(sim: SimulatorProcess) -> None:
    with pytest.raises(ValueError, match="unknown fault 'oops'"):
        sim.set_scenario([{"fault": "oops"}])


async def test_another_takes_the_place_of_one_that_dies() -> None:
    async with SimulatorProcess(latency=False) as sim:
        url, died = sim.url, sim.pid
        watch = asyncio.create_task(sim.replace_when_it_ends(every_s=0.02))
        os.kill(died, signal.SIGKILL)
        async with asyncio.timeout(30), httpx.AsyncClient() as client:
            while True:
                try:
                    answer = await client.get(f"{url}/models")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.02)
        watch.cancel()
        assert answer.json()["x25_simulated"] is True
        assert (sim.url, sim.pid != died, sim.has_ended()) == (url, True, False)
    assert is_gone(url)


def test_one_whose_port_was_taken_is_tried_again() -> None:
    with SimulatorProcess(latency=False) as sim:
        port = httpx.URL(sim.url).port
        sim._process.kill()
        sim._process.wait()
        with socket.create_server(("127.0.0.1", port)):
            sim.replace_or_complain()
            assert sim.has_ended()
        sim.replace_or_complain()
        assert not sim.has_ended()
        assert httpx.get(f"{sim.url}/models").status_code == 200
