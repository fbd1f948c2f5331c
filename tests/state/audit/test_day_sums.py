from x25.state.audit.day_sums import (
    CHOICE_FIGURES,
    CHOICE_KEYS,
    DAY_FIGURES,
    DAY_KEYS,
    LATENCY_KEYS,
    figures_of,
)
from x25.state.schema import choice_sums, day_latencies, day_sums


def test_the_tables_hold_these_names_and_no_others():
    assert {column.name for column in day_sums.c} == {*DAY_KEYS, *DAY_FIGURES}
    assert {column.name for column in day_latencies.c} == {*LATENCY_KEYS, "total_calls"}
    assert {column.name for column in choice_sums.c} == {*CHOICE_KEYS, *CHOICE_FIGURES}


def test_a_call_counts_on_its_utc_day_with_its_tokens_and_squares(make_call):
    found = figures_of(make_call(decision={"tokens": [10, 4, 3]}, cost_nusd=2 * 10**9, judge_cost_nusd=10**9))
    assert (found["day"], found["judged"], found["rated"], found["timed"]) == ("2025-01-01", 1, 1, 1)
    assert (found["prompt_tokens"], found["cached_tokens"], found["completion_tokens"]) == (10, 4, 3)
    assert (found["counted_calls"], found["counted_paid_nusd"], found["paid_sq"]) == (1, 3 * 10**9, 9.0)


def test_a_call_whose_tokens_nobody_knows_is_compared_with_no_model(make_call):
    found = figures_of(
        make_call(model_id=None, tier=None, quality_score=None, quality_source="none", status="interrupted")
    )
    assert (found["model_id"], found["tier"], found["rated"], found["judged"], found["timed"]) == (
        "none",
        "none",
        0,
        0,
        0,
    )
    assert (found["counted_calls"], found["counted_paid_nusd"], found["latency_ms"]) == (0, 0, 0.0)
