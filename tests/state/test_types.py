from typing import get_args, get_type_hints

from x25.state.types import TASK_TYPES, TIERS, CascadeState, Context, Reply, Request, TaskType, Tier


def test_the_ladder_and_the_task_types_list_every_word_of_their_type():
    assert get_args(Tier) == TIERS
    assert get_args(TaskType) == TASK_TYPES


def test_the_ladder_climbs_from_cheap_to_strong():
    assert TIERS == ("slm", "mid", "frontier")


def test_working_memory_holds_the_whole_request_beside_the_nouns_of_the_call():
    memory = get_type_hints(CascadeState)
    assert set(get_type_hints(Request)) <= set(memory)
    # The reply's fields are channels of their own, by the graph's output schema.
    assert {"org", "call_id", "conversation_id"} == set(get_type_hints(Reply)) & set(memory)


def test_reply_promises_its_ten_fields():
    promised = {
        "text", "model_used", "provider", "task_type", "cost_usd", "latency_ms", "quality_score",
        "cascade_steps", "audit_hash", "goal_match",
    }  # fmt: skip
    assert promised <= Reply.__required_keys__


def test_context_has_a_default_for_every_knob():
    assert Context().max_escalations == 2
    assert Context().explain is True
