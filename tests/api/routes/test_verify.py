import sqlite3
from collections.abc import Callable

import httpx
import pytest


def test_an_untouched_chain_is_intact(http: httpx.Client, route: Callable[..., dict], org: str) -> None:
    last = [route() for _ in range(3)][-1]
    found = http.get("/verify", params={"org": org}).json()
    assert (found["intact"], found["total_records"], found["first_broken_index"]) == (True, 3, None)
    assert found["orgs"][0]["head_hash"] == last["audit_hash"]


@pytest.mark.slow
def test_an_edit_of_the_database_is_found_with_its_index(start_gateway, simulator) -> None:
    gateway = start_gateway()
    with httpx.Client(base_url=gateway.url, timeout=30) as http:
        for org in ("edited", "edited", "edited", "good"):
            http.post("/route", json={"prompt": "hello", "org": org}).raise_for_status()
        with sqlite3.connect(gateway.database) as database:
            edit = "UPDATE audit SET record = record || ' ' WHERE org = 'edited' AND idx = 1"
            assert database.execute(edit).rowcount == 1
        one, everything, good = (
            http.get(path).json() for path in ("/verify?org=edited", "/verify", "/verify?org=good")
        )
    assert (one["intact"], one["first_broken_index"], one["reason"]) == (False, 1, "edited: edited")
    assert (everything["intact"], everything["first_broken_index"]) == (False, 1)
    assert [(chain["org"], chain["intact"]) for chain in everything["orgs"]] == [
        ("edited", False),
        ("good", True),
    ]
    assert good["intact"] is True


def test_an_org_without_calls_is_intact(http: httpx.Client, org: str) -> None:
    found = http.get("/verify", params={"org": org}).json()
    assert (found["intact"], found["total_records"]) == (True, 0)


def test_a_key_sees_its_own_chain_only(
    http: httpx.Client, route: Callable[..., dict], org: str, gateway
) -> None:
    route()
    http.post("/route", json={"prompt": "hello", "org": "somebody-else"}).raise_for_status()
    headers = {"Authorization": f"Bearer {gateway.new_key(org)}"}
    assert [chain["org"] for chain in http.get("/verify", headers=headers).json()["orgs"]] == [org]
    assert http.get("/verify", params={"org": "somebody-else"}, headers=headers).status_code == 403
