"""What memory and the call log's conversations promise on every database."""

from datetime import UTC, datetime, timedelta

import numpy as np

from x25.state.memories import OrgMemory, Probe
from x25.state.recalled import Memory
from x25.state.records import Call

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
VECTORS = np.eye(3, dtype=np.float32)


def said(memory_id: str, *, conversation_id: str = "talk", hours: int = 0) -> Memory:
    return Memory(
        memory_id,
        conversation_id,
        "call1",
        "user",
        f"text of {memory_id} \x00",
        NOON + timedelta(hours=hours),
        ("a",),
    )


async def test_passages_are_kept_found_paged_and_forgotten_by_org(store):
    for org in ("acme", "acme_2"):
        passages = [said("m0"), said("m1", conversation_id="walk", hours=1), said("m2", hours=2)]
        await store.memories.keep(org, "org", passages, VECTORS, "e")
    memories = store.memories
    found = await memories.nearest("acme", "org", Probe(VECTORS[1], "e"), 2, NOON)
    assert [(one.memory_id, round(one.similarity or 0.0, 3)) for one in found] == [("m1", 1.0), ("m2", 0.0)]
    assert found[0].text == "text of m1 \ufffd"
    assert found[0].allowed_providers == ("a",)
    assert [one.memory_id for _, one in (await memories.page("acme"))[0]] == ["m2", "m1", "m0"]
    await memories.keep("acme", "org", [said("m0", hours=9)], VECTORS[:1], "e")
    assert (await memories.get("acme", "org", "m0")).said_at == NOON + timedelta(hours=9)
    assert await memories.forget("acme", conversation_id="walk") == 1
    assert await memories.nearest("acme", "org", Probe(VECTORS[1], "e"), 2, NOON + timedelta(hours=9)) != []
    assert await memories.forget("acme") == 2
    assert (await memories.page("acme_2"))[1] == 3
    assert await memories.drop_before(NOON + timedelta(hours=2)) == 2


async def test_a_setting_is_one_row_an_org(store):
    for budget in (1, 2):
        await store.memories.settle(OrgMemory("acme", True, budget, None), NOON)
    assert await store.memories.settings() == [OrgMemory("acme", True, 2, None)]


async def test_the_log_knows_the_conversation_of_the_newest_turn_it_has(store):
    for number in range(3):
        call = Call(
            call_id=f"c{number}", org="acme", created_at=NOON + timedelta(hours=number), status="answered",
            task_type="qa", task_cell="qa", difficulty=0.0, model_id="v/m", provider="v", tier="mid", cost_nusd=1,
            judge_cost_nusd=0, reference_cost_nusd=1, quality_score=None, quality_source="none", latency_ms=1.0,
            cascade_steps=1, escalations=0, fallbacks=0, propensity=1.0, router="auto", simulated=True,
            record_hash="", conversation_id=f"talk{number}", turn_key=bytes([number % 2]) * 16,
        )  # fmt: skip
        await store.calls.record(call, {"kind": "call"})
    key, other, unknown = bytes(16), b"\x01" * 16, b"\x07" * 16
    assert await store.calls.conversation_after("acme", [unknown, other, key]) == "talk1"
    assert await store.calls.conversation_after("acme", [key]) == "talk2"
    assert await store.calls.conversation_after("acme", [unknown]) is None
    assert await store.calls.conversation_after("acme-2", [key]) is None
