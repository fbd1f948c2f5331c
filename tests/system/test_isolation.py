"""Twenty orgs with names that resemble each other, their traffic interleaved at random, over HTTP on one store.

Every table that has a column `org` is looked at, whichever it is: a new one is covered by having it, or must be
explained below.
"""

import asyncio
import random
import re
import sqlite3
from hashlib import sha256

import httpx
import pytest
from sqlalchemy import select

from x25.state.schema import metadata
from x25.state.store import open_store

WITHOUT_ORG = {
    "account_sessions": "who is signed in to the pages: an account, of one org, several, or all",
    "account_setups": "the link that makes the first account, which is nobody's yet",
    "accounts": "people who sign in to the pages: `orgs` says whose they may see",
    "leases": "which processes are alive: a process serves every org",
}
"""Tables without a column `org`, with the reason."""
ORGS = [
    "a", "a-", "a_", "a--b", "a__b", "a-b", "a_b", "ab", "0", "00", "default", "null", "org", "orgs", "x25-memory",
    "select", "drop-table-calls", "user-ann", "z" * 64, "z" * 63,
]  # fmt: skip
WORDS = re.findall(
    r"\w+",
    "amber basil cedar delta ember fjord grape hazel indigo jasper kelp lemon maple nectar onyx pearl quartz raven "
    "sable topaz",
)
SECRET = {org: f"{word}{word[::-1]}" for org, word in zip(ORGS, WORDS, strict=True)}
"""A word that its org alone ever says."""


def requests_of(org: str) -> list[dict]:
    """Return calls of an org: ids, conversations, users and openings are those of every other org."""
    word = SECRET[org]
    on = {"enabled": True}
    shared = [
        {"role": "user", "content": "Calculate 2 + 2. Give the number."},
        {"role": "assistant", "content": "4"},
    ]
    return [
        {
            "prompt": f"The colour of Falcon is {word}.",
            "memory": on,
            "call_id": "call-1",
            "conversation_id": "talk",
        },
        {"prompt": f"The access code of Heron is {word}.", "memory": on, "options": {"user": "ann"}},
        {"prompt": "Calculate 2 + 2. Give the number.", "call_id": "call-2"},
        {"messages": [*shared, {"role": "user", "content": f"And with {word}?"}], "conversation_id": "talk"},
        {"prompt": "What is the colour of Falcon? Give the value.", "memory": on, "conversation_id": "talk"},
        {
            "prompt": "What is the access code of Heron? Give the value.",
            "memory": on,
            "options": {"user": "ann"},
        },
        {"prompt": "What is the colour of Falcon? Give the value.", "memory": {"enabled": False}},
    ]


async def rows_by_org(store) -> dict[str, dict[str, list[str]]]:
    """Return what every table holds of every org, a text a row: packed columns are read as what they stand for."""
    found: dict[str, dict[str, list[str]]] = {}
    for table in metadata.sorted_tables:
        if "org" not in table.c:
            continue
        query = select(table)
        rows = await store.query(lambda connection, query=query: connection.execute(query).mappings().all())
        for row in rows:
            found.setdefault(row["org"], {}).setdefault(table.name, []).append(repr(sorted(row.items())))
    return {org: {name: sorted(rows) for name, rows in tables.items()} for org, tables in found.items()}


async def settled(store) -> dict[str, dict[str, list[str]]]:
    """Return the same once nothing is written any more: outcomes of attempts follow an answer by some milliseconds."""
    before, after = None, await rows_by_org(store)
    while before != after:
        await asyncio.sleep(0.1)
        before, after = after, await rows_by_org(store)
    return after


def digest(tables: dict[str, list[str]]) -> str:
    return sha256(repr(sorted(tables.items())).encode()).hexdigest()


async def send(client: httpx.AsyncClient, org: str, body: dict) -> dict:
    reply = await client.post("/route", json={**body, "org": org})
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_a_table_without_an_org_is_explained():
    without = {table.name for table in metadata.sorted_tables if "org" not in table.c}
    assert without == WITHOUT_ORG.keys()


@pytest.mark.slow
async def test_no_read_and_no_write_crosses_from_one_org_to_another(quick_simulator, make_gateway, tmp_path):
    chance = random.Random(20)
    plans = {org: iter(requests_of(org)) for org in ORGS}
    turns = [org for org in ORGS for _ in requests_of(org)]
    chance.shuffle(turns)
    replies: dict[str, list[dict]] = {org: [] for org in ORGS}
    locks = {org: asyncio.Lock() for org in ORGS}
    with make_gateway(quick_simulator, store_prompts="true", seed="3") as gateway:
        async with (
            httpx.AsyncClient(base_url=gateway.url, timeout=60) as client,
            await open_store(f"sqlite+aiosqlite:///{tmp_path}/state/x25.db") as store,
        ):

            async def take(org: str) -> None:
                async with locks[org]:  # an org's own calls follow each other; those of two orgs do not
                    replies[org].append(await send(client, org, next(plans[org])))

            for start in range(0, len(turns), 8):
                await asyncio.gather(*(take(org) for org in turns[start : start + 8]))
            await _check_replies(client, replies)
            before = await settled(store)
            _check_rows(before, replies)

            # The traffic of one changes nothing of any other, in any table.
            for actor in chance.sample(ORGS, 3):
                for number in range(4):
                    await send(
                        client, actor, {"prompt": f"Calculate {number} + 7.", "memory": {"enabled": True}}
                    )
                after = await settled(store)
                changed = {org for org in after if digest(after[org]) != digest(before.get(org, {}))}
                assert changed == {actor}
                before = after

            # What one forgets stays with all others.
            deleted = (await client.delete(f"/memory/{ORGS[0]}", params={"all": True})).json()["deleted"]
            assert deleted > 0
            after = await settled(store)
            assert {org for org in after if digest(after[org]) != digest(before[org])} == {ORGS[0]}
    _check_checkpoints(tmp_path / "state" / "checkpoints.db")


async def _check_replies(client: httpx.AsyncClient, replies: dict[str, list[dict]]) -> None:
    kept = {
        org: {one for reply in told for one in (reply["remembered"] or {}).get("kept", ())}
        for org, told in replies.items()
    }
    # Simulated models are wrong now and then, so not every answer has to have it right.
    assert sum(SECRET[org] in told[4]["text"] for org, told in replies.items()) >= 0.75 * len(ORGS)
    for org, told in replies.items():
        others = [word for other, word in SECRET.items() if other != org]
        for reply in told:
            assert reply["org"] == org
            assert not any(word in repr(reply) for word in others), (org, reply)
            for item in (reply["remembered"] or {}).get("items", ()):
                assert item["id"] in kept[org]
        assert told[4]["remembered"]["items"]
        assert told[5]["remembered"]["items"]
        assert SECRET[org] not in told[6]["text"]
        assert (await client.get(f"/stats/{org}")).json()["total_calls"] == len(told)
        assert (await client.get(f"/stage/{org}")).json()["total_calls"] == len(told)
        memory = (await client.get(f"/memory/{org}", params={"limit": 1000})).json()
        assert memory["total"] > 0
        assert not any(word in repr(memory) for word in others)
        chain = (await client.get("/verify", params={"org": org})).json()
        assert (chain["intact"], chain["calls"]) == (True, len(told))


def _check_rows(found: dict[str, dict[str, list[str]]], replies: dict[str, list[dict]]) -> None:
    assert found.keys() == set(ORGS)
    seen = set()
    for org, tables in found.items():
        others = [word for other, word in SECRET.items() if other != org]
        for name, rows in tables.items():
            seen.add(name)
            assert not any(word in row for row in rows for word in others), (org, name)
        assert len(tables["calls"]) == len(replies[org])
        assert any(SECRET[org] in row for row in tables["prompts"])
        assert any(SECRET[org] in row for row in tables["memories"])
    assert {
        "calls",
        "attempts",
        "audit",
        "orgs",
        "call_sums",
        "memories",
        "call_claims",
        "posteriors",
    } <= seen


def _check_checkpoints(path) -> None:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT thread_id, metadata FROM checkpoints").fetchall()
    assert {thread.split("/")[0] for thread, _ in rows} == set(ORGS)
    for thread, told in rows:
        text = told.decode() if isinstance(told, bytes) else told
        assert f'"org": "{thread.split("/")[0]}"' in text or f'"org":"{thread.split("/")[0]}"' in text
