from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from x25.graph.estimators import load_near_verifier
from x25.nodes.cache import caches as module
from x25.nodes.cache.caches import Caches
from x25.state.errors import EncoderUnavailable, StoreError
from x25.state.hits import CacheKeys, Hit, KeptAnswer

NOON = datetime(2026, 1, 1, tzinfo=UTC)
KEPT = KeptAnswer(
    {"content": "Paris"}, "stop", None, {}, "v/m", "v", "mid", True, "qa", "qa", 0.1, 0.9, {}, 100
)
KEYS = CacheKeys("a" * 64, "b" * 64, max_age_s=60.0)
QUESTION = "What is the capital of France?"


@pytest.fixture
def caches(services):
    return Caches(services.store.cached_answers, services.encoder, load_near_verifier)


@pytest.fixture
def logged(walk):
    async def log(call_id):
        await walk("audit", call_id=call_id, org="acme")
        return Hit("exact", call_id, NOON, KEPT)

    return log


@pytest.mark.parametrize("stored", [True, False])
async def test_the_very_request_and_a_rewording_find_it_and_a_near_miss_does_not(caches, logged, stored):
    hit = await logged("c1")
    assert await caches.keep("acme", KEYS, hit, QUESTION, is_stored=stored, ttl_s=100.0) is None

    async def find(keys=KEYS, question=QUESTION, org="acme", now=NOON):
        return await caches.find(org, keys, question, is_stored=stored, now=now)

    other = replace(KEYS, exact="c" * 64)
    assert await find() == hit
    semantic = await find(other, "Please tell me France's capital")
    assert (semantic.type, semantic.call_id, semantic.answer) == ("semantic", "c1", KEPT)
    assert semantic.similarity >= load_near_verifier().threshold
    assert await find(other, "What is the capital of Spain?") is None
    assert await find(other, None) is None
    assert await find(replace(other, context="d" * 64), QUESTION) is None
    assert await find(org="acme-2") is None
    assert await find(now=NOON + timedelta(seconds=61)) is None
    assert await find(replace(KEYS, max_age_s=1e6), now=NOON + timedelta(seconds=101)) is None


@pytest.mark.parametrize("stored", [True, False])
async def test_what_was_erased_is_given_to_nobody(caches, logged, services, stored):
    await caches.keep("acme", KEYS, await logged("c2"), QUESTION, is_stored=stored, ttl_s=100.0)
    assert await services.store.erasure.delete("acme", "c2")
    assert await caches.find("acme", KEYS, QUESTION, is_stored=stored, now=NOON) is None
    reworded = replace(KEYS, exact="c" * 64)
    assert await caches.find("acme", reworded, QUESTION, is_stored=stored, now=NOON) is None


@pytest.mark.parametrize("stored", [True, False])
async def test_what_a_call_bought_can_be_dropped(caches, logged, stored):
    await caches.keep("acme", KEYS, await logged("c3"), None, is_stored=stored, ttl_s=100.0)
    assert await caches.drop_call("acme", "c3") == 1
    assert await caches.find("acme", KEYS, None, is_stored=stored, now=NOON) is None


async def test_a_long_answer_is_not_kept(caches, monkeypatch):
    monkeypatch.setattr(module, "MOST_ANSWER_BYTES", 1_005)
    why = await caches.keep("acme", KEYS, Hit("exact", "c1", NOON, KEPT), None, is_stored=False, ttl_s=1.0)
    assert "more than 1,005 bytes" in why


async def test_a_store_that_fails_costs_the_cache_and_not_the_call(caches, services):
    class Broken:
        async def get(self, *_):
            raise StoreError("gone")

        async def keep(self, *_, **__):
            raise StoreError("gone")

    broken = Caches(Broken(), services.encoder, load_near_verifier)
    assert await broken.find("acme", KEYS, None, is_stored=True, now=NOON) is None
    why = await broken.keep("acme", KEYS, Hit("exact", "c1", NOON, KEPT), None, is_stored=True, ttl_s=1.0)
    assert why == "the store refuses: gone"


async def test_without_an_encoder_only_the_very_request_finds_it(services, logged):
    class Away:
        fingerprint = "e"

        async def embed(self, text):
            raise EncoderUnavailable("gone")

    caches = Caches(services.store.cached_answers, Away(), load_near_verifier)
    hit = await logged("c4")
    assert await caches.keep("acme", KEYS, hit, QUESTION, is_stored=False, ttl_s=100.0) is None
    assert await caches.find("acme", KEYS, QUESTION, is_stored=False, now=NOON) == hit
    assert (
        await caches.find("acme", replace(KEYS, exact="c" * 64), QUESTION, is_stored=False, now=NOON) is None
    )


async def test_lookups_and_room_are_counted(caches):
    assert (caches.hits, caches.misses, caches.here_bytes) == (0, 0, 0)
    for is_hit in (True, False, False):
        caches.note(is_hit=is_hit)
    assert (caches.hits, caches.misses) == (1, 2)
    assert await caches.stored(None) == (0, 0)
    assert caches.bounds.org_bytes <= caches.bounds.all_bytes
