from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from x25.nodes.offers.extent import Extent, extent_of
from x25.providers.specs import Extras
from x25.routing.plan.needs import needs_of
from x25.routing.plan.request import ROLES, check_request
from x25.routing.prompt.media import PART_KINDS
from x25.routing.prompt.tokens import PromptBound, estimate_prompt_tokens
from x25.state.errors import InvalidRequest


@pytest.fixture
def spec(services):
    return replace(
        services.spec("sim/large-5"), input_usd_per_mtok=Decimal(1), output_usd_per_mtok=Decimal(10),
        cached_input_usd_per_mtok=None, context_tokens=128_000, max_output_tokens=4_096, expected_output_tokens=200,
    )  # fmt: skip


def extent(bound=1_000, *, is_open=False, has_audio=False, answer=500, extra=0, tier=None):
    extras = Extras(tier, extra, has_audio)
    return Extent(800, PromptBound(bound, is_open, has_audio), answer, extras)


def test_a_request_reserves_its_longest_prompt_and_answer(spec):
    assert extent().reserve(spec).answer_tokens == 500
    assert extent().reserve(spec).cost_nusd == 1_000 * 1_000 + 500 * 10_000
    assert extent(answer=10**6).reserve(spec).answer_tokens == 4_096


def test_the_answer_is_cut_to_what_is_left(spec):
    reserved = extent().reserve(spec, left_nusd=2_000_000)
    assert (reserved.answer_tokens, reserved.cost_nusd) == (100, 2_000_000)


def test_thinking_beyond_the_answer_is_reserved_too(spec):
    assert extent(extra=100).reserve(spec).cost_nusd == 1_000 * 1_000 + 600 * 10_000
    assert extent(extra=100).reserve(spec, left_nusd=4_000_000).answer_tokens == 200


def test_an_open_attachment_reserves_the_window(spec):
    assert extent(is_open=True).reserve(spec).cost_nusd == 128_000 * 1_000 + 500 * 10_000


def test_a_long_prompt_is_reserved_at_the_vendors_surcharge_where_the_window_holds_one(spec):
    assert extent(300_000).reserve(spec).cost_nusd == 305_000_000
    spec = replace(spec, context_tokens=1_000_000)
    assert extent(200_000).reserve(spec).cost_nusd == 205_000_000
    assert extent(200_001).reserve(spec).cost_nusd == 2 * (200_001_000 + 5_000_000)
    left = 2 * (200_001_000 + 3_000_000)
    assert extent(200_001).reserve(spec, left_nusd=left).answer_tokens == 300


def test_sound_is_reserved_at_its_own_price(spec):
    dear = replace(spec, audio_input_usd_per_mtok=Decimal(30))
    assert extent(has_audio=True).reserve(dear).cost_nusd == 1_000 * 30_000 + 500 * 10_000
    assert extent(has_audio=True).reserve(spec).cost_nusd == extent().reserve(spec).cost_nusd


def test_a_cap_is_held_against_the_longest_prompt_and_an_answer_of_usual_length(spec):
    assert extent().usual_bound_nusd(spec) == 1_000 * 1_000 + 200 * 10_000
    assert extent(answer=50).usual_bound_nusd(spec) == 1_000 * 1_000 + 50 * 10_000
    assert extent().expected_cost_nusd(spec) == 800 * 1_000 + 200 * 10_000


def test_a_dearer_class_of_service_is_reserved_and_affordable_at_its_price(spec):
    assert extent(tier="priority").reserve(spec).cost_nusd == 2 * extent().reserve(spec).cost_nusd
    assert extent(tier="auto").reserve(spec) == extent(tier="priority").reserve(spec)
    assert extent(tier="flex").reserve(spec) == extent().reserve(spec)
    reserved = extent(tier="priority").reserve(spec, left_nusd=4_000_000)
    assert (reserved.answer_tokens, reserved.cost_nusd) == (100, 4_000_000)


def test_without_a_limit_an_answer_may_be_as_long_as_the_model_gives(spec):
    assert extent(answer=5).reserve_unlimited(spec).answer_tokens == 4_096


def test_both_limits_on_an_answer_count_as_the_smaller():
    found = extent_of([], {"max_tokens": 50, "max_completion_tokens": 60}, 10, 1_024)
    assert (found.prompt_tokens, found.answer_tokens) == (10, 50)
    assert extent_of([], {}, 10, 1_024).answer_tokens == 1_024


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "url", "data", "content", "image_url", "detail", "source", "x"]), inner, max_size=4
    ),
    max_leaves=12,
)  # fmt: skip
PARTS = st.dictionaries(
    st.sampled_from(["text", "image_url", "input_audio", "file", "source", "content", "data", "detail"]),
    JSON | st.just("data:image/png;base64,iVBORw0KGgoAAAAN"), max_size=4,
).flatmap(lambda part: st.sampled_from([*sorted(PART_KINDS), "text", "tool_result", "odd"]).map(
    lambda kind: part | {"type": kind} | ({"text": "words"} if kind == "text" else {})
))  # fmt: skip
MESSAGES = st.lists(
    st.builds(
        lambda role, content, more: {"role": role, "content": content} | more,
        st.sampled_from(ROLES), st.none() | st.text(max_size=9) | st.lists(PARTS, max_size=3),
        st.dictionaries(st.sampled_from(["name", "tool_calls", "function_call", "reasoning"]), JSON, max_size=2),
    ),
    min_size=1, max_size=3,
)  # fmt: skip
OPTIONS = st.dictionaries(
    st.sampled_from([
        "tools", "functions", "response_format", "max_tokens", "max_completion_tokens", "reasoning", "thinking",
        "thinking_budget", "prediction", "modalities", "service_tier", "documents", "logprobs", "odd",
        "reasoning_effort",
    ]),
    JSON, max_size=5,
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(messages=MESSAGES, options=OPTIONS)
def test_any_request_is_refused_by_its_field_or_has_needs_and_a_bound(messages, options):
    request = {"messages": messages, "options": options, "policy": {"max_cost_per_call_usd": 1.0}}
    try:
        checked = check_request(request, routers=["auto"], max_chars=10_000)
    except InvalidRequest as refused:
        assert refused.field  # noqa: PT017 - either outcome is right
        return
    estimate = estimate_prompt_tokens(checked["messages"], checked["options"])
    found = extent_of(checked["messages"], checked["options"], estimate, 100)
    text = "".join(message["content"] for message in messages if isinstance(message["content"], str))
    assert found.prompt_bound.tokens >= len(text.encode("utf-8", "surrogatepass"))
    assert found.answer_tokens >= 1
    assert all(need.name and need.asked_by for need in needs_of(checked["messages"], checked["options"]))
    assert len({"max_tokens", "max_completion_tokens"} & checked["options"].keys()) <= 1
