"""Kept answers, on every kind of database."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from x25.state.cached_answers import TRIMS_EVERY, VECTOR, Entry, NearQuestion
from x25.state.hits import KeptAnswer
from x25.state.store import open_store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEPT = KeptAnswer(
    {"role": "assistant", "content": "Zürich \ud83d"}, "stop", None, {"prompt_tokens": 3}, "v/m", "v",
        "mid", True, "qa",
    "qa", 0.1, 0.9, {"score": 0.9}, 100,
)  # fmt: skip
EAST = np.array([1, 0], VECTOR).tobytes()
ENTRY = Entry(
    "acme", "k1", "c1", NOON, NOON + timedelta(hours=1), KEPT, 1_000, NearQuestion("x", "Where?", EAST, "e")
)
WIDE = {"most_org_bytes": 10**9, "most_bytes": 10**9}


async def test_what_one_process_keeps_another_gives_again(database_url):
    async with await open_store(database_url) as one, await open_store(database_url) as other:
        await one.cached_answers.keep(ENTRY, **WIDE)
        assert (await other.cached_answers.get("acme", "k1")).call_id == "c1"
        found = await other.cached_answers.near("acme", "x", "e", NOON)
        assert (found.keys, found.vectors.tolist()) == (["k1"], [[1.0, 0.0]])
        assert await other.cached_answers.drop("acme", "c1") == 1
        assert await one.cached_answers.get("acme", "k1") is None


async def test_many_keep_at_once_and_the_bounds_hold(database_url):
    async with await open_store(database_url) as store:
        entries = [
            replace(ENTRY, key=f"k{number % 40}", created_at=NOON + timedelta(seconds=number))
            for number in range(120)
        ]
        await asyncio.gather(
            *(store.cached_answers.keep(one, most_org_bytes=20_000, most_bytes=10**9) for one in entries)
        )
        kept = [key for key in range(40) if await store.cached_answers.get("acme", f"k{key}")]
        assert 0 < len(kept) <= 20 + TRIMS_EVERY
        assert await store.cached_answers.drop_expired(NOON + timedelta(days=1)) == len(kept)
