"""Several worker processes on one store: what was answered is logged, whoever answered it and whoever died."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from x25.demo.gateway import gateway_process
from x25.simulator.process import SimulatorProcess

pytestmark = pytest.mark.slow

ORG, WORKERS = "crowd", 3


@pytest.fixture
def serve(tmp_path: Path, database_url: str) -> Iterator[Callable[..., str]]:
    with ExitStack() as stack:

        def start(**settings: str) -> tuple[str, int]:
            simulator = stack.enter_context(SimulatorProcess(latency=settings.pop("latency", False)))
            server = gateway_process(
                tmp_path / "state", simulator.url, database_url=database_url, workers=str(WORKERS), **settings
            )
            stack.enter_context(server)
            return server.url, server._process.pid

        yield start


def workers_of(parent: int) -> set[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(pid) for pid in children}


def call(url: str, number: int) -> httpx.Response:
    body = {"prompt": f"What is {number} + 17?", "org": ORG}
    return httpx.post(f"{url}/route", json=body, timeout=60)


def logged(url: str) -> tuple[dict, dict]:
    stats = httpx.get(f"{url}/stats/{ORG}", timeout=60).json()
    return stats, httpx.get(f"{url}/verify", params={"org": ORG, "full": "true"}, timeout=60).json()


def test_two_hundred_callers_at_once_are_all_answered_and_counted_once(serve, tmp_path: Path) -> None:
    url, parent = serve()
    assert len(workers_of(parent)) == WORKERS
    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda number: call(url, number), range(200)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["audit_hash"] for answer in answers}) == 200
    stats, chain = logged(url)
    assert (stats["total_calls"], chain["calls"], chain["intact"]) == (200, 200, True)
    billed = sum(answer.json()["cost_usd"] for answer in answers)
    assert stats["total_cost_usd"] == pytest.approx(billed, abs=1e-9)
    uptimes = {httpx.get(f"{url}/healthz").json()["uptime_s"] for _ in range(60)}
    assert len(uptimes) > 1, "one process answers, or another"


def test_a_worker_that_is_killed_loses_no_answer_and_is_replaced(serve) -> None:
    url, parent = serve(latency=True, lease_s="3")
    first = workers_of(parent)
    victim = sorted(first)[1]
    answered: list[str] = []

    def keep_calling(number: int) -> int:
        lost = 0
        for turn in range(12):
            try:
                answer = call(url, number * 100 + turn)
            except httpx.TransportError:  # the worker that had it is gone
                lost += 1
                continue
            assert answer.status_code == 200, answer.text
            answered.append(answer.json()["call_id"])
            if len(answered) == 60:
                os.kill(victim, signal.SIGKILL)
        return lost

    with ThreadPoolExecutor(24) as pool:
        lost = sum(pool.map(keep_calling, range(24)))
    assert len(answered) + lost == 24 * 12
    until_s = time.monotonic() + 60
    while len(workers_of(parent)) < WORKERS and time.monotonic() < until_s:
        time.sleep(0.2)
    assert victim not in workers_of(parent)
    assert len(workers_of(parent) - first) == 1
    assert call(url, 7).status_code == 200
    # What the dead one was at is settled by the others once its lease has run out.
    while time.monotonic() < until_s:
        stats, chain = logged(url)
        if chain["calls"] >= len(answered) + 1 and stats["total_calls"] == chain["calls"]:
            break
        time.sleep(0.5)
    assert chain["intact"] is True
    assert len(set(answered)) == len(answered)
    assert len(answered) + 1 <= chain["calls"] <= len(answered) + 1 + lost


def assert_the_port_closes(url: str) -> None:
    """Assert that connections are refused, soon, and not left waiting for somebody to take them."""
    address = httpx.URL(url)
    give_up_at_s = time.monotonic() + 5
    while time.monotonic() < give_up_at_s:
        try:
            socket.create_connection((address.host, address.port or 80), timeout=1).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.02)
    raise AssertionError("the port still takes connections")


def test_a_signal_lets_every_worker_finish_what_it_has(serve) -> None:
    url, parent = serve(latency=True)
    with ThreadPoolExecutor(40) as pool:
        calls = [pool.submit(call, url, number) for number in range(40)]
        while sum(one.done() for one in calls) < 3:
            time.sleep(0.01)
        under_way = workers_of(parent)
        os.kill(parent, signal.SIGTERM)
        assert_the_port_closes(url)
        answers = []
        for one in calls:
            try:
                answers.append(one.result())
            except httpx.TransportError:  # it came after the door was shut
                continue
    assert len(under_way) == WORKERS
    assert len(answers) >= 3
    assert {answer.status_code for answer in answers} == {200}
    assert all(json.loads(answer.content)["audit_hash"] for answer in answers)
