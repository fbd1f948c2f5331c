import asyncio
from importlib.metadata import version

import httpx

from x25.graph.bootstrap import NO_JUDGE


def test_it_says_what_is_connected(http: httpx.Client) -> None:
    found = http.get("/healthz").json()
    assert (found["status"], found["version"], found["upstream"]) == ("ok", version("x25"), "simulated")
    assert (found["models"], found["judge"], found["judge_unreadable"]) == (6, "sim/judge-1", {})
    assert found["notices"] == []
    assert 0 < found["uptime_s"] < http.get("/healthz").json()["uptime_s"]


def test_a_load_balancer_may_ask_for_the_head_alone(http: httpx.Client) -> None:
    found = http.head("/healthz")
    assert (found.status_code, found.content) == (200, b"")


def test_it_needs_no_key(strict_gateway) -> None:
    assert httpx.get(f"{strict_gateway.url}/healthz").status_code == 200


async def test_without_a_judge_it_says_so(open_app) -> None:
    async with open_app(judge="none") as client:
        found = (await client.get("/healthz")).json()
    assert found["judge"] is None
    assert found["notices"] == [NO_JUDGE]
    assert "X25_JUDGE" in NO_JUDGE


async def test_what_is_amiss_is_named_and_calls_are_answered_all_the_same(open_app, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    async with open_app(encoder=f"st:{tmp_path}/empty") as client:
        found = (await client.get("/healthz")).json()
        assert (found["status"], list(found["degraded"])) == ("degraded", ["encoder"])
        reply = await client.post("/route", json={"prompt": "hi"})
        assert (reply.status_code, list(reply.json()["explain"]["degraded"])) == (200, ["encoder"])
        async with asyncio.timeout(5):  # a checkpoint follows its answer
            while (found := (await client.get("/healthz")).json()["checkpoints"])["written"] == 0:
                await asyncio.sleep(0.01)
        assert found == {"written": 1, "lost": 0}


def test_nothing_is_amiss_with_shipped_defaults(http: httpx.Client) -> None:
    found = http.get("/healthz").json()
    assert (found["status"], found["degraded"]) == ("ok", {})
