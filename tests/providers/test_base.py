from decimal import Decimal

import pytest

from x25.providers.base import ProviderRequest, Usage
from x25.state.errors import ProviderMalformed


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
        {"prompt_tokens": "7"},
        {"prompt_tokens": -1},
        {"completion_tokens": True},
        {"completion_tokens": 1.5},
        {"total_tokens": "many"},
        {"prompt_tokens_details": 3},
        {"completion_tokens_details": {"reasoning_tokens": -2}},
        {"cost": "cheap"},
        {"cost": -0.1},
        {"cost": float("nan")},
    ],
)
def test_what_is_not_a_count_is_refused_by_name(change):
    with pytest.raises(ProviderMalformed, match=r"usage\.\w+ must be"):
        Usage.from_openai({"prompt_tokens": 1, "completion_tokens": 1} | change)


def test_a_cost_is_only_written_where_the_provider_reported_one():
    assert "cost" not in Usage(1, 1).to_openai()


def test_a_request_does_not_show_its_key(model):
    spec = model()
    request = ProviderRequest(spec, spec.deployments[0], {}, "att-1", 5.0, api_key="sk-secret")
    assert "sk-secret" not in repr(request)
