from decimal import Decimal

import pytest

from x25.state.usage import Usage


def test_missing_details_count_as_none_used():
    usage = Usage.from_openai({"prompt_tokens": 7, "completion_tokens": 3})
    assert usage == Usage(prompt_tokens=7, completion_tokens=3)
    assert usage.reported_cost_usd is None


def test_all_details_are_read_and_written_back():
    sent = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 80},
        "completion_tokens_details": {"reasoning_tokens": 30},
        "cost": 0.000123,
    }
    usage = Usage.from_openai(sent)
    assert usage == Usage(100, 50, 80, 30, Decimal("0.000123"))
    assert usage.to_openai() == sent


def test_parts_never_exceed_their_whole():
    usage = Usage.from_openai(
        {
            "prompt_tokens": 5,
            "completion_tokens": 4,
            "prompt_tokens_details": {"cached_tokens": 9},
            "completion_tokens_details": {"reasoning_tokens": 9},
        }
    )
    assert (usage.cached_tokens, usage.reasoning_tokens) == (5, 4)


def test_thinking_left_out_of_completion_tokens_is_still_charged():
    details = {"completion_tokens_details": {"reasoning_tokens": 94}}
    usage = Usage.from_openai({"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135} | details)
    assert (usage.completion_tokens, usage.reasoning_tokens) == (103, 94)


def test_deepseeks_own_name_for_cached_tokens_is_understood():
    usage = Usage.from_openai({"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 6})
    assert usage.cached_tokens == 6


@pytest.mark.parametrize(
    "change",
    [
        {"prompt_tokens": None},
        {"prompt_tokens": "seven"},
        {"prompt_tokens": -1},
        {"prompt_tokens": 10**12},
        {"completion_tokens": None},
        {"completion_tokens": True},
        {"completion_tokens": 1.5},
        {"prompt_tokens": 0, "completion_tokens": 0},
    ],
)
def test_what_does_not_say_what_was_used_is_unknown(change):
    assert Usage.from_openai({"prompt_tokens": 1, "completion_tokens": 1} | change) is None


@pytest.mark.parametrize(
    "usage", [{"input_tokens": 100, "output_tokens": 10}, {"prompt_tokens": "100", "completion_tokens": "10"}]
)
def test_counts_under_the_other_names_or_as_text_are_counts(usage):
    assert Usage.from_openai(usage) == Usage(100, 10)


WRITTEN = Usage(100, 10, cached_tokens=20, cache_write_tokens=60, cache_write_1h_tokens=10)
CHAT = {"prompt_tokens": 100, "completion_tokens": 10}


@pytest.mark.parametrize(
    "usage",
    [
        WRITTEN.to_openai(),
        {
            "input_tokens": 20,
            "output_tokens": 10,
            "cache_read_input_tokens": 20,
            "cache_creation_input_tokens": 60,
            "cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 10},
        },
        CHAT
        | {
            "cache_creation_input_tokens": 60,
            "prompt_tokens_details": {
                "cached_tokens": 20,
                "cache_creation_token_details": {"ephemeral_1h_input_tokens": 10},
            },
        },
        CHAT
        | {
            "prompt_tokens_details": {
                "cached_tokens": 20,
                "cache_write_tokens": 60,
                "cache_write_1h_tokens": 10,
            }
        },
    ],
)
def test_what_was_written_to_a_cache_is_understood_in_every_vendors_words(usage):
    assert Usage.from_openai(usage) == WRITTEN


def test_no_more_was_written_to_a_cache_than_was_read_anew():
    details = {"cached_tokens": 90, "cache_write_tokens": 60, "cache_write_1h_tokens": 70}
    usage = Usage.from_openai(CHAT | {"prompt_tokens_details": details})
    assert (usage.cache_write_tokens, usage.cache_write_1h_tokens) == (10, 10)


@pytest.mark.parametrize("usage", [None, {}, [], "12", 3])
def test_what_is_no_usage_is_unknown(usage):
    assert Usage.from_openai(usage) is None


@pytest.mark.parametrize(
    "change",
    [
        {"total_tokens": "many"},
        {"total_tokens": 1},
        {"prompt_tokens_details": 3},
        {"completion_tokens_details": {"reasoning_tokens": -2}},
        {"prompt_tokens": 1.0},
        {"cost": "cheap"},
        {"cost": -0.1},
        {"cost": float("nan")},
        {"cost_details": [], "is_byok": 1},
    ],
)
def test_details_without_sense_leave_the_counts(change):
    assert Usage.from_openai({"prompt_tokens": 1, "completion_tokens": 1} | change) == Usage(1, 1)


def test_a_surplus_that_the_vendors_own_count_of_thinking_does_not_explain_is_not_billed_as_output():
    counted = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 900}
    known = counted | {"completion_tokens_details": {"reasoning_tokens": 4}}
    assert Usage.from_openai(known).completion_tokens == 10
    assert Usage.from_openai(counted).completion_tokens == 800  # hidden thinking


def test_completion_tokens_follow_from_the_total_where_they_are_missing():
    assert Usage.from_openai({"prompt_tokens": 11, "total_tokens": 15}) == Usage(11, 4)
    assert Usage.from_openai({"prompt_tokens": 11, "total_tokens": 11}) is None


@pytest.mark.parametrize(
    ("reported", "cost"),
    [
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.015}}, "0.015"),
        ({"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}}, "0.021"),
        ({"cost": "0.002"}, "0.002"),
        ({"cost": {"input_tokens_cost": 0.001, "request_cost": 0.005, "total_cost": 0.007}}, "0.007"),
        ({"cost_in_usd_ticks": 37_756_000}, "0.0037756"),
        ({"cost": 0.02, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.02}}, "0.02"),
        ({"cost": 0.02, "cost_details": {"upstream_inference_cost": None}}, "0.02"),
    ],
)
def test_a_bill_for_the_callers_own_key_is_fee_and_vendor_together(reported, cost):
    usage = Usage.from_openai({"prompt_tokens": 1, "completion_tokens": 1} | reported)
    assert usage.reported_cost_usd == Decimal(cost)


def test_a_cost_is_only_written_where_the_provider_reported_one():
    assert "cost" not in Usage(1, 1).to_openai()


@pytest.mark.parametrize(
    "told",
    [
        {"cached_tokens": 9, "reasoning_tokens": 2},
        {"input_tokens_details": {"cached_tokens": 9}, "output_tokens_details": {"reasoning_tokens": 2}},
        {"prompt_tokens_details": {"cached_tokens": 9}, "completion_tokens_details": {"reasoning_tokens": 2}},
        {
            "prompt_tokens_details": None,
            "cached_tokens": 9,
            "completion_tokens_details": {},
            "reasoning_tokens": 2,
        },
    ],
)
def test_details_are_found_in_each_vendors_place(told):
    usage = Usage.from_openai({"prompt_tokens": 10, "completion_tokens": 4, **told})
    assert (usage.cached_tokens, usage.reasoning_tokens) == (9, 2)


def test_a_prompt_that_was_not_counted_follows_from_the_total():
    usage = Usage.from_openai({"prompt_tokens": None, "completion_tokens": 10, "total_tokens": 110})
    assert (usage.prompt_tokens, usage.completion_tokens) == (100, 10)
    assert Usage.from_openai({"completion_tokens": 10, "total_tokens": 10}) is None
