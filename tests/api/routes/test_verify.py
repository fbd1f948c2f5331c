import asyncio
import sqlite3
from collections.abc import Callable

import httpx
import pytest

from x25.graph.signing import Head, PublicKey
from x25.state.store import open_store


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


@pytest.mark.slow
def test_an_old_entry_that_was_edited_is_found_by_a_full_verification_and_ever_after(start_gateway) -> None:
    gateway = start_gateway()
    with httpx.Client(base_url=gateway.url, timeout=30) as http:

        def call() -> None:
            http.post("/route", json={"prompt": "hello", "org": "acme"}).raise_for_status()

        for _ in range(3):
            call()
        assert http.get("/verify").json()["checked_records"] == 3
        call()
        with sqlite3.connect(gateway.database) as database:
            database.execute("UPDATE audit SET record = record || ' ' WHERE org = 'acme' AND idx = 1")
        quick, full, after = (
            http.get(path).json() for path in ("/verify", "/verify?full=true", "/verify?org=acme")
        )
    assert (quick["intact"], quick["total_records"], quick["checked_records"]) == (True, 4, 2)
    for found in (full, after):
        assert (found["intact"], found["first_broken_index"], found["reason"]) == (False, 1, "acme: edited")


def test_entries_that_are_no_calls_are_told_apart(
    http: httpx.Client, route: Callable[..., dict], org: str, gateway
) -> None:
    route()

    async def drift() -> None:
        async with await open_store(f"sqlite+aiosqlite:///{gateway.database}") as store:
            await store.audit.append(org, {"kind": "drift"})

    asyncio.run(drift())
    for full in (False, True):
        found = http.get("/verify", params={"org": org, "full": full}).json()
        assert (found["total_records"], found["calls"], found["orgs"][0]["calls"]) == (2, 1, 1)


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


def test_a_signed_head_is_of_the_chain_as_it_stands_and_its_key_can_be_had(http, route, org) -> None:
    last = [route() for _ in range(2)][-1]
    head = http.get(f"/verify/{org}/head").raise_for_status().json()
    key = http.get("/verify/key").raise_for_status().json()
    assert (head["org"], head["length"], head["head_hash"]) == (org, 2, last["audit_hash"])
    assert (key["algorithm"], key["public_key"], key["key_id"]) == (
        "Ed25519",
        head["public_key"],
        head["key_id"],
    )
    assert Head.parse(head).is_signed_by(PublicKey.parse(key["public_key"]))


def test_a_head_of_no_org_is_refused(http) -> None:
    assert http.get("/verify/All/head").status_code == 422
