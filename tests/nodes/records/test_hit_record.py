from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from x25.nodes.lookup_cache import lookup_cache
from x25.nodes.records.hit_record import hit_entry, hit_reply, hit_row
from x25.state.hits import Hit, KeptAnswer
from x25.state.types import Context
from x25.state.working_memory import Known

NOON = datetime(2026, 1, 1, tzinfo=UTC)
KEPT = KeptAnswer(
    {"role": "assistant", "content": "Oslo"}, "stop", '{"content": [], "refusal": null}', {}, "sim/small-2", "sim-a",
    "slm", True, "qa", "qa", 0.1, None, {}, 4_000,
)  # fmt: skip


@pytest.fixture
async def known(services):
    change = await lookup_cache({"prompt": "Capital of Norway?", "org": "acme"}, services, Context())
    names = Known.__dataclass_fields__.keys() & change.keys()
    return Known(**{name: change[name] for name in names}, hit=Hit("exact", "c1", NOON, KEPT))


async def test_where_tokens_are_not_known_nothing_is_claimed(known, services):
    row = hit_row(known, services, 1.0)
    assert (row.reference_cost_nusd, row.saved_nusd, row.quality_score) == (0, 0, None)
    reply = hit_reply(known, row, services, "f" * 64, NOON + timedelta(seconds=2))
    assert reply["logprobs"] == {"content": [], "refusal": None}
    assert (reply["cached"]["age_s"], reply["goal_match"]["quality"]) == (2.0, 0.0)


async def test_the_entry_names_the_call_that_bought_it_and_no_words(known, services):
    entry = hit_entry(known, hit_row(known, services, 1.0))
    assert (entry["kind"], entry["cache"]["call_id"], entry["attempts"]) == ("call", "c1", [])
    assert "Norway" not in str(entry)
    assert "Oslo" not in str(entry)


async def test_the_prompt_is_kept_where_prompts_are(known, services):
    keeps = replace(services, limits=replace(services.limits, store_prompts=True))
    assert hit_row(known, services, 1.0).prompt is None
    assert hit_row(known, keeps, 1.0).prompt == "Capital of Norway?"
