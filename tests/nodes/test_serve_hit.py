from datetime import timedelta

import pytest

from x25.nodes.lookup_cache import lookup_cache
from x25.nodes.serve_hit import serve_hit
from x25.state.hits import Hit, KeptAnswer
from x25.state.types import Context
from x25.state.working_memory import Known

KEPT = KeptAnswer(
    {"role": "assistant", "content": "Oslo"}, "stop", None,
    {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}, "sim/small-2", "sim-a", "slm", True, "qa",
    "qa", 0.1, 0.9, {"score": 0.9}, 4_000,
)  # fmt: skip


@pytest.fixture
async def known(services):
    change = await lookup_cache(
        {"prompt": "Capital of Norway?", "org": "acme", "user_id": "ann"}, services, Context()
    )
    names = Known.__dataclass_fields__.keys() & change.keys()
    hit = Hit("semantic", "c1", services.now() - timedelta(seconds=9), KEPT, 0.97)
    return Known(**{name: change[name] for name in names}, hit=hit)


async def test_it_costs_nothing_teaches_nothing_and_stands_in_log_and_chain(known, services):
    change = await serve_hit(known, services)
    reply, row = change["reply"], await services.store.calls.get("acme", known.call_id)
    assert (reply["text"], reply["cost_usd"], reply["usage"]["total_tokens"]) == ("Oslo", 0.0, 0)
    assert reply["cost_saved_usd"] == row.reference_cost_nusd / 1e9 > 0
    cached = reply["cached"]
    assert (cached["hit"], cached["type"], cached["call_id"], cached["similarity"]) == (
        True,
        "semantic",
        "c1",
        0.97,
    )
    assert (cached["saved_usd"], cached["usage"]) == (4e-6, KEPT.usage)
    assert cached["age_s"] == pytest.approx(9, abs=5)
    assert (row.cost_nusd, row.cascade_steps, row.cache_type, row.cache_saved_nusd) == (
        0,
        0,
        "semantic",
        4_000,
    )
    assert (row.quality_source, row.user_id, row.inputs) == ("cache", "ann", None)
    assert (await services.store.audit.verify("acme")).intact
    sums = await services.store.calls.stats("acme")
    assert (sums.total_calls, sums.cache_hits, sums.cache_saved_nusd) == (1, 1, 4_000)
    assert await services.store.posteriors.read_all("acme") == []
    assert change["call_count"] == 1
    assert change["stage"]["stage"] == 1


async def test_who_answered_is_known_to_what_follows(known, services):
    await serve_hit(known, services)
    follow = [*known.messages, KEPT.message, {"role": "user", "content": "And of Sweden?"}]
    assert services.conversations.author("acme", follow).model_id == "sim/small-2"
