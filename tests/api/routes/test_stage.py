from collections.abc import Callable

import httpx
import pytest


def test_a_new_org_begins_to_explore(http: httpx.Client, org: str) -> None:
    assert http.get(f"/stage/{org}").json() == {
        "stage": 1, "stage_name": "Explore", "total_calls": 0, "calls_to_next_stage": 50,
        "progress_in_stage": 0.0, "improvement_available": False,
    }  # fmt: skip


def test_every_call_counts(http: httpx.Client, route: Callable[..., dict], org: str) -> None:
    for count in range(1, 4):
        assert route()["stage"] == http.get(f"/stage/{org}").json()
        assert http.get(f"/stage/{org}").json()["total_calls"] == count
    assert http.get(f"/stage/{org}").json()["progress_in_stage"] == pytest.approx(3 / 50)


async def test_the_fiftieth_call_ends_exploring(open_app) -> None:
    async with open_app(judge="none", checkpoints="off") as client:
        for _ in range(49):
            (await client.post("/route", json={"prompt": "hello", "org": "busy"})).raise_for_status()
        before = (await client.get("/stage/busy")).json()
        (await client.post("/route", json={"prompt": "hello", "org": "busy"})).raise_for_status()
        after = (await client.get("/stage/busy")).json()
    assert (before["stage_name"], before["calls_to_next_stage"]) == ("Explore", 1)
    assert (after["stage"], after["stage_name"], after["calls_to_next_stage"]) == (2, "Exploit", 150)


def test_a_key_reads_its_own_org_only(http: httpx.Client, org: str, gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.new_key(org)}"}
    assert http.get(f"/stage/{org}", headers=headers).status_code == 200
    assert http.get("/stage/other", headers=headers).status_code == 403
