import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep

import httpx
import pytest

from x25.graph.bootstrap import open_services
from x25.graph.recovery import MOST_RESUMES, MOST_TRIES, Recovery, close_interrupted_call, holding
from x25.state.errors import StoreError
from x25.state.records import Attempt
from x25.state.store import open_store


def orphan(call_id, *, age_s=900.0, attempt_id=None, **changes):
    attempt = Attempt(
        attempt_id=attempt_id or call_id,
        org="acme",
        call_id=call_id,
        step=0,
        kind="answer",
        model_id="sim/tiny-1",
        tier="slm",
        deployment="simulator",
        status="started",
        reserved_nusd=700,
        started_at=datetime.now(UTC) - timedelta(seconds=age_s),
    )
    return replace(attempt, **changes)


def recovery(services, **changes):
    known = {"resume": None, "is_under_way": lambda *_: False, "own_after_s": 180.0}
    return Recovery(services, **{**known, **changes})


@pytest.fixture
async def services(settings):
    async with open_services(settings, {}) as opened:
        yield opened


@pytest.fixture
def store(services):
    return services.store


@pytest.fixture
async def dead(settings):
    """A store of a process that holds no lease any more: what it began is left behind."""
    async with await open_store(settings.store_url) as opened:
        yield opened


async def test_an_orphan_becomes_an_interrupted_call_with_its_money_and_an_entry(services, store, dead):
    finished = orphan("dead", age_s=901, attempt_id="a0")
    await dead.attempts.start(finished)
    await dead.attempts.finish(replace(finished, status="finished", cost_nusd=40, cost_source="computed"))
    await dead.attempts.start(orphan("dead", attempt_id="j0", kind="judge", reserved_nusd=9))
    await dead.attempts.start(orphan("dead", attempt_id="a1", step=1))
    assert await recovery(services).settle_interrupted() == [("acme", "dead")]
    call = await store.calls.get("acme", "dead")
    assert (call.status, call.cost_nusd, call.judge_cost_nusd, call.model_id) == ("interrupted", 740, 9, None)
    assert call.simulated
    stats = await store.calls.stats("acme")
    assert (stats.cost_nusd, stats.saved_nusd, stats.avg_latency_ms) == (740, -749, None)
    assert stats.model_distribution == stats.tier_distribution == {"none": 1}
    (entry,) = await store.audit.tail("acme", 9)
    assert (entry.record["status"], entry.record["cost_nusd"]) == ("interrupted", 740)
    assert call.record_hash == entry.record_hash
    assert (await store.audit.verify("acme")).intact
    assert await recovery(services).settle_interrupted() == []


async def test_no_attempt_of_a_dead_process_stays_started(services, store, dead):
    await dead.attempts.start(orphan("dead"))
    await recovery(services).settle_interrupted()
    (attempt,) = await store.attempts.for_call("acme", "dead")
    assert (attempt.status, attempt.error, attempt.cost_nusd) == ("interrupted", "interrupted", 700)
    assert attempt.finished_at is not None
    assert await store.attempts.spent_nusd("acme") == 700


async def test_what_is_under_way_here_or_alive_elsewhere_is_left_alone(services, store, settings):
    await store.attempts.start(orphan("running", age_s=7_199))
    looking = recovery(services, is_under_way=lambda _, call_id: call_id == "running", own_after_s=0.0)
    async with await open_store(settings.store_url) as other, holding(other.lease, 30.0):
        await other.attempts.start(orphan("theirs", age_s=7_199))
        assert await looking.settle_interrupted() == []
    assert await looking.settle_interrupted() == [("acme", "theirs")]  # it gave its lease up


async def test_a_call_this_process_left_behind_itself_is_settled_after_the_longest_time_a_call_may_take(
    services, store
):
    await store.attempts.start(orphan("left", age_s=100))
    assert await recovery(services, own_after_s=180.0).settle_interrupted() == []
    assert await recovery(services, own_after_s=90.0).settle_interrupted() == [("acme", "left")]


async def test_a_call_logged_in_the_meantime_is_only_forgotten(services, store, dead):
    await dead.attempts.start(orphan("dead"))
    assert await close_interrupted_call(services, "acme", "dead")
    await dead.attempts.start(orphan("dead", attempt_id="late"))
    assert not await close_interrupted_call(services, "acme", "dead")
    assert await store.open_calls.list() == []


async def test_one_call_that_cannot_be_finished_stops_no_other_and_is_logged_in_the_end(
    services, store, dead
):
    for call_id in ("a", "poison", "z"):
        await dead.attempts.start(orphan(call_id))
    resumed = []

    async def resume(_, call_id):
        resumed.append(call_id)
        if call_id == "poison":
            raise KeyError("v/gone")

    looking = recovery(services, resume=resume)
    assert sorted(await looking.settle_interrupted()) == [("acme", "a"), ("acme", "z")]
    ((call, _),) = await store.open_calls.list()
    assert (call.call_id, call.tries, call.reason, call.set_aside_at) == ("poison", 1, "KeyError", None)
    while not await looking.settle_interrupted():
        pass
    assert resumed.count("poison") == MOST_RESUMES
    assert (await store.calls.get("acme", "poison")).status == "interrupted"


async def test_a_call_that_cannot_even_be_logged_is_set_aside_with_its_reason(services, store, dead):
    await dead.attempts.start(orphan("poison"))
    await dead.attempts.start(orphan("fine", attempt_id="b"))
    # A cell that no version of ours writes.
    await store.transact(
        lambda connection: (
            connection.exec_driver_sql("UPDATE attempts SET response = '{' WHERE call_id = 'poison'").rowcount
        )
    )
    looking = recovery(services)
    assert await looking.settle_interrupted() == [("acme", "fine")]
    for _ in range(2 * MOST_TRIES):
        assert await looking.settle_interrupted() == []
    ((call, _),) = await store.open_calls.list()
    assert (call.call_id, call.tries, call.reason) == ("poison", MOST_TRIES, "JSONDecodeError")
    assert call.set_aside_at is not None
    assert looking.set_aside == 1
    assert (await store.audit.verify("acme")).intact


async def test_a_call_that_kills_every_process_that_takes_it_up_is_bounded_too(services, store, dead):
    await dead.attempts.start(orphan("poison"))
    for _ in range(MOST_RESUMES):
        (call,) = await store.open_calls.due(180.0)
        assert await store.open_calls.take_over(call)  # and then it is gone
    asked = []

    async def resume(*name):
        asked.append(name)

    assert await recovery(services, resume=resume).settle_interrupted() == [("acme", "poison")]
    assert asked == []


async def test_two_processes_that_look_at_once_log_a_call_once(services, store, dead, settings):
    for number in range(10):
        await dead.attempts.start(orphan(f"c{number}"))
    async with open_services(settings, {}) as others:
        found = await asyncio.gather(
            recovery(services).settle_interrupted(), recovery(others).settle_interrupted()
        )
    assert sorted(found[0] + found[1]) == sorted(("acme", f"c{number}") for number in range(10))
    assert (await store.audit.verify("acme")).total_records == 10


async def test_the_loop_goes_on_whatever_a_look_meets(services, store, dead, monkeypatch):
    fails = iter([StoreError("locked"), RuntimeError("bug"), KeyError("x")])
    due = store.open_calls.due

    async def failing_due(own_after_s):
        for error in fails:
            raise error
        return await due(own_after_s)

    monkeypatch.setattr(store.open_calls, "due", failing_due)
    await dead.attempts.start(orphan("dead"))
    looking = asyncio.create_task(recovery(services).look_for_ever(0.01))
    while await store.calls.get("acme", "dead") is None:
        assert not looking.done()
        await asyncio.sleep(0.01)
    looking.cancel()


async def test_a_lease_is_renewed_while_it_is_held_and_gone_afterwards(store, settings):
    async with await open_store(settings.store_url) as other:
        await other.attempts.start(orphan("theirs"))
        async with holding(other.lease, 0.3):
            for _ in range(10):
                await asyncio.sleep(0.1)
                assert await store.open_calls.due(0.0) == []
        assert [call.call_id for call in await store.open_calls.due(0.0)] == ["theirs"]


class Holding:
    """An upstream before the simulator that lets nobody through until it is told to."""

    def __init__(self, target):
        self.asked, self.let_through = [], threading.Event()
        holding = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                holding.asked.append(json.loads(raw))
                holding.let_through.wait(60)
                reply = httpx.post(f"{target}/chat/completions", content=raw, headers=dict(self.headers))
                self.send_response(reply.status_code)
                self.send_header("Content-Length", str(len(reply.content)))
                self.end_headers()
                self.wfile.write(reply.content)

            def log_message(self, *args):
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"


@contextmanager
def serving(folder, upstream, **settings):
    """A gateway in a process of its own; yields the process and its URL."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("X25_")}
    environ |= {
        "X25_DATA_DIR": str(folder), "X25_UPSTREAM": "simulator", "X25_SIMULATOR_URL": upstream,
        "X25_JUDGE": "none", "X25_AUTO_TRAIN": "false", "X25_LEASE_S": "2", **settings,
    }  # fmt: skip
    command = [sys.executable, "-m", "x25", "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        try:
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()


@pytest.mark.slow
def test_of_two_gateways_one_of_which_is_killed_only_that_ones_calls_are_settled_and_soon(
    simulator, tmp_path
):
    upstream = Holding(simulator.url)
    answers = {}

    def ask(url, call_id):
        with httpx.Client(timeout=60) as client:
            try:
                answers[call_id] = client.post(
                    f"{url}/route", json={"prompt": "hi", "call_id": call_id}
                ).status_code
            except httpx.HTTPError as error:
                answers[call_id] = error

    def logged(call_id):
        async def read():
            async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:
                call = await store.calls.get("default", call_id)
                attempts = await store.attempts.for_call("default", call_id)
                return None if call is None else call.status, {one.status for one in attempts}

        return asyncio.run(read())

    with (
        serving(tmp_path, upstream.url, X25_CALL_DEADLINE_S="0.5") as (_, short),
        serving(tmp_path, upstream.url, X25_CALL_DEADLINE_S="600") as (doomed, its_url),
        serving(tmp_path, upstream.url, X25_CALL_DEADLINE_S="900") as (_, alive),
    ):
        threads = [
            threading.Thread(target=ask, args=arguments, daemon=True)
            for arguments in ((its_url, "doomed"), (alive, "alive"))
        ]
        for thread in threads:
            thread.start()
        while len(upstream.asked) < 2:
            sleep(0.05)
        sleep(4)  # two leases and eight deadlines of the first gateway
        assert logged("doomed") == logged("alive") == (None, {"started"})
        doomed.send_signal(signal.SIGKILL)
        killed_s = monotonic()
        while logged("doomed") == (None, {"started"}):
            assert monotonic() - killed_s < 15
            sleep(0.1)
        assert logged("doomed") == ("interrupted", {"interrupted"})
        assert logged("alive") == (None, {"started"})
        upstream.let_through.set()
        threads[1].join(30)
        assert answers["alive"] == 200
        assert logged("alive") == ("answered", {"finished"})
        assert httpx.get(f"{short}/verify").json()["intact"]
