import pytest

from x25.routing.plan.priceable import bound_extra_output, check_priceable
from x25.routing.plan.request import check_request
from x25.state.errors import InvalidRequest

USER = [{"role": "user", "content": "Say hello."}]
USUAL = {
    "temperature": 0.2, "top_p": 1, "seed": 7, "user": "u", "metadata": {}, "stop": ["x"], "max_tokens": 9,
    "tools": [{"type": "function"}, {"type": "custom", "custom": {"name": "c"}}, {"name": "g"}],
    "tool_choice": "auto", "reasoning_effort": "low", "response_format": {"type": "json_object"}, "logprobs": None,
    "service_tier": "priority", "modalities": ["text"], "web_search_options": None, "documents": [{"text": "a"}],
}  # fmt: skip


def test_what_is_billed_by_tokens_can_be_priced():
    parts = [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": "x"},
        {"type": "refusal", "refusal": "n"},
    ]
    check_priceable([*USER, {"role": "user", "content": parts}], USUAL)


UNPRICED = {
    "options.web_search_options": {"web_search_options": {}},
    "options.plugins": {"plugins": [{"id": "web"}]},
    "options.search_parameters": {"search_parameters": {"mode": "on"}},
    "options.audio": {"audio": {"voice": "alloy", "format": "wav"}},
    "options.modalities": {"modalities": ["text", "audio"]},
    "options.best_of": {"best_of": 5},
    "options.service_tier": {"service_tier": "scale"},
    "options.tools[1].type": {"tools": [{"type": "function"}, {"type": "web_search"}]},
}


REFUSED_ALWAYS = {
    "options.web_search_options", "options.plugins", "options.search_parameters", "options.best_of",
    "options.tools[1].type",
}  # fmt: skip
"""What the door refuses whether money is bounded or not."""


@pytest.mark.parametrize("field", UNPRICED)
def test_what_is_billed_otherwise_cannot_be_priced(field):
    with pytest.raises(InvalidRequest, match="neither a cost cap nor a budget can be kept") as caught:
        check_priceable(USER, UNPRICED[field])
    assert caught.value.field == field


@pytest.mark.parametrize("field", sorted(UNPRICED.keys() - REFUSED_ALWAYS))
@pytest.mark.parametrize("bound", ["max_cost_per_call_usd", "budget_usd_per_call", "budget_usd_per_day"])
def test_what_is_billed_otherwise_is_refused_by_name_where_money_is_bounded(field, bound):
    options = (
        UNPRICED[field] | {"audio": {"voice": "alloy", "format": "wav"}}
        if field == "options.audio"
        else UNPRICED[field]
    )
    request = {"messages": USER, "options": options}
    check_request(request, routers=["auto"], max_chars=999)
    with pytest.raises(InvalidRequest, match="neither a cost cap nor a budget can be kept") as caught:
        check_request({**request, "policy": {bound: 1.0}}, routers=["auto"], max_chars=999)
    assert caught.value.field == field


def test_a_part_nobody_knows_is_refused_by_its_place():
    content = [{"type": "text", "text": "a"}, {"type": "hologram", "data": "x" * 99}]
    with pytest.raises(InvalidRequest, match="a part of type 'hologram'") as caught:
        check_priceable([*USER, {"role": "user", "content": content}], {})
    assert caught.value.field == "messages[1].content[1]"


@pytest.mark.parametrize(
    ("options", "tokens"),
    [
        ({}, 0),
        ({"reasoning_effort": "high", "reasoning": {"effort": "high"}, "thinking": {"type": "enabled"}}, 0),
        ({"reasoning": {"max_tokens": 50_000}}, 50_000),
        ({"thinking": {"type": "enabled", "budget_tokens": 7}}, 7),
        ({"thinking_budget": 9}, 9),
        ({"thinking_budget": 10**400}, 10_000_000),
        ({"thinking_budget": -1}, 0),
        ({"thinking_budget": True, "reasoning": 5, "thinking": {"budget_tokens": "many"}}, 0),
    ],
)
def test_a_budget_of_thinking_comes_on_top_of_the_answer(options, tokens):
    assert bound_extra_output(options) == tokens


def test_predicted_words_that_are_rejected_are_billed_as_output():
    assert bound_extra_output({"prediction": {"type": "content", "content": "ä" * 500}}) >= 1_000
