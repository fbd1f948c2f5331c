"""An org that is deleted leaves nothing behind but what is stated, in any table, and others keep all of theirs."""

import asyncio
import runpy
from pathlib import Path

import httpx
import pytest

from x25.graph.vault import new_master_key
from x25.state.audit.org_erasure import STAYS
from x25.state.schema import metadata
from x25.state.store import open_store

pytestmark = pytest.mark.slow

isolation = runpy.run_path(str(Path(__file__).parent / "test_isolation.py"))
WORDS = {"acme": "zebrafishinattic", "acme-b": "quillonthemoon"}


def every_byte(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


async def live(client, org):
    """Leave something of an org in as many places as its door opens."""
    word, memory = WORDS[org], {"enabled": True}
    limits = {"requests_per_minute": 1000, "tokens_per_minute": 10**8}
    settings = {"quality_bar": 0.5, "limits": limits, "budgets": {"usd_per_day": 100}}
    (await client.put(f"/orgs/{org}/settings", json=settings)).raise_for_status()
    (await client.put(f"/memory/{org}/settings", json={"enabled": True}))
    made = await client.post("/keys/create", json={"org": org, "limits": limits})
    key = {"Authorization": f"Bearer {made.raise_for_status().json()['api_key']}"}
    brought = {"provider": "simulator", "api_key": f"sk-{word}"}
    (await client.post(f"/orgs/{org}/provider-keys", json=brought)).raise_for_status()
    for number in range(6):
        body = {
            "prompt": f"The colour of {word} {number} is red.",
            "memory": memory,
            "call_id": f"call-{number}",
        }
        reply = (await client.post("/route", json=body, headers=key)).raise_for_status().json()
    (await client.post("/api/route", json={"prompt": f"Which {word}?", "org": org})).raise_for_status()
    response = await client.post("/v1/responses", json={"model": "auto", "input": word}, headers=key)
    return key, reply["call_id"], response.raise_for_status().json()["id"]


async def test_no_table_and_no_file_knows_a_deleted_org_but_by_what_is_stated(
    quick_simulator, make_gateway, tmp_path
):
    folder = tmp_path / "state"
    settings = {"store_prompts": "true", "byok_key": new_master_key(), "seed": "3"}
    with make_gateway(quick_simulator, **settings) as gateway:
        async with (
            httpx.AsyncClient(base_url=gateway.url, timeout=60) as client,
            await open_store(f"sqlite+aiosqlite:///{folder}/x25.db") as store,
        ):
            key, call_id, response_id = await live(client, "acme")
            await live(client, "acme-b")
            # A row of each table that the traffic above did not reach: whatever has the org's name in it has to go.
            await _fill_the_rest(store, "acme")
            job = folder / "improve" / "acme" / "job-1"
            job.mkdir(parents=True)
            (job / "train.jsonl").write_text(WORDS["acme"])
            await asyncio.sleep(1.5)  # checkpoints are written after the answer
            before = await isolation["settled"](store)
            named = {table.name for table in metadata.sorted_tables if "org" in table.c}
            assert before["acme"].keys() == named - {"open_calls"}
            assert WORDS["acme"].encode() in every_byte(folder)

            refused = await client.delete("/orgs/acme", headers=key)
            assert refused.status_code == 403
            told = (await client.delete("/orgs/acme")).raise_for_status().json()
            assert told["rows"]["calls"] == 7
            assert (told["calls"], told["folders"], told["calls_under_way"]) == (7, 1, 0)
            assert told["checkpoints"] >= 6
            after = await isolation["settled"](store)

            assert after["acme"].keys() == set(STAYS)
            assert after["acme-b"] == before["acme-b"]
            assert all(
                '{"kind":"erased"}' in row or "deletion" in row or "org_deleted" in row
                for row in after["acme"]["audit"]
            )
            chain = (await client.get("/verify", params={"org": "acme", "full": True})).json()
            assert chain["intact"]
            assert chain["erased"] == told["tombstones"] > 0
            assert (await client.get("/keys/me", headers=key)).status_code == 401
            assert (await client.get("/stats/acme")).json()["total_calls"] == 0
            assert (await client.get("/orgs/acme/settings")).json()["quality_bar"] is None
            again = {
                "model": "auto",
                "input": "And?",
                "previous_response_id": response_id,
                "x25": {"org": "acme"},
            }
            assert (await client.post("/v1/responses", json=again)).status_code in {404, 422}
            assert (await client.delete("/orgs/nobody-here")).status_code == 404
            # It may begin anew, under the same name and with the same ids.
            new = await client.post("/route", json={"prompt": "Hello", "org": "acme", "call_id": call_id})
            assert new.raise_for_status().json()["stage"]["stage"] == 1
            assert (await client.get("/verify", params={"org": "acme"})).json()["intact"]
    left = every_byte(folder)
    assert WORDS["acme"].encode() not in left
    assert WORDS["acme-b"].encode() in left


async def _fill_the_rest(store, org):
    def fill(connection):
        for table in metadata.sorted_tables:
            if "org" not in table.c or table.name == "open_calls":
                continue  # what is in there is waited for
            if connection.execute(table.select().where(table.c.org == org)).first() is not None:
                continue
            row = {"org": org}
            for column in table.c:
                if column.name != "org" and not column.nullable and column.server_default is None:
                    row[column.name] = _some(column)
            connection.execute(table.insert(), row)

    await store.transact(fill)


def _some(column):
    from datetime import UTC, datetime

    kind = type(column.type).__name__
    if kind == "UtcMicroseconds":
        return datetime.now(UTC)
    if kind == "CanonicalJSON":
        return {}
    if kind == "LargeBinary":
        return b"x"
    if kind in {"BigInteger", "Integer", "Double", "Boolean"}:
        return 0
    return "x"
