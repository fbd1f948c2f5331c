import math
from dataclasses import replace

import pytest

from x25.routing.plan.needs import needs_of
from x25.routing.plan.policy import Demand, Policy, eligible, judge_objection, refuse
from x25.state.errors import InvalidRequest, NoEligibleModel
from x25.state.records import Arm


def arm(model_id, tier="slm", *, provider="acme", cost=1_000_000, price=1.0, window=10_000, able=()):
    return Arm(model_id, provider, tier, cost, 500.0, 0.7, price, 2 * price, window, 4_096, frozenset(able))


def sift(arms, policy=None, **request):
    demand = Demand(**{"prompt_tokens": 100, "answer_tokens": 100, **request})
    return eligible(arms, Policy.parse(policy), demand)


def removed(arms, policy=None, **request):
    return sift(arms, policy, **request)[1]


def test_without_constraints_every_arm_may_be_asked_in_order():
    arms = [arm("b"), arm("a", "frontier")]
    assert sift(arms) == (arms, {})
    assert Policy.parse(None) == Policy.parse({}) == Policy.parse({"max_tier": None}) == Policy()


def test_the_cost_cap_names_estimate_and_cap():
    reasons = removed([arm("dear", cost=12_300_000), arm("cheap")], {"max_cost_per_call_usd": 0.01})
    assert reasons == {"dear": "max_cost_per_call_usd: estimated $0.012300 > $0.010000 left"}


def test_money_already_spent_lowers_what_is_left():
    cap = {"max_cost_per_call_usd": 0.01}
    assert removed([arm("m", cost=6_000_000)], cap, spent_nusd=4_000_000) == {}
    assert "> $0.003000 left" in removed([arm("m", cost=6_000_000)], cap, spent_nusd=7_000_000)["m"]
    assert "> $0.000000 left" in removed([arm("m", cost=6_000_000)], cap, spent_nusd=70_000_000)["m"]


def test_providers_tiers_and_capabilities_are_hard():
    assert "allowed_providers: acme" in removed([arm("m")], {"allowed_providers": ["other"]})["m"]
    assert removed([arm("m", "frontier")], {"max_tier": "mid"}) == {"m": "max_tier: frontier is above mid"}
    assert removed([arm("m", "mid")], {"max_tier": "mid"}) == {}
    reasons = removed([arm("m", able=["tools"])], {"required_capabilities": ["tools", "vision"]})
    assert reasons == {"m": "required_capabilities: lacks vision"}


def test_images_need_a_model_that_sees():
    needs = needs_of([{"content": [{"type": "image_url", "image_url": "https://host/cat.png"}]}], {})
    kept, reasons = sift([arm("blind"), arm("seeing", able=["vision"])], needs=needs)
    assert [a.model_id for a in kept] == ["seeing"]
    assert reasons == {
        "blind": "image: asked for by a part of the messages (image), and not among its modalities"
    }


def test_what_binds_where_it_is_declared_removes_by_name_and_never_everybody():
    needs = needs_of([], {"reasoning_effort": "low"})
    kept, reasons = sift([arm("plain"), arm("thinking", able=["reasoning"])], needs=needs)
    assert [a.model_id for a in kept] == ["thinking"]
    assert reasons["plain"].startswith("reasoning: asked for by options.reasoning_effort")
    assert [a.model_id for a in sift([arm("plain")], needs=needs)[0]] == ["plain"]


def test_a_cap_is_held_against_the_most_a_request_can_cost_where_that_is_known():
    dear = replace(arm("m", cost=1_000_000), capped_cost_nusd=20_000_000)
    reasons = removed([dear], {"max_cost_per_call_usd": 0.01})
    assert reasons == {"m": "max_cost_per_call_usd: estimated $0.020000 > $0.010000 left"}


def test_prompt_and_answer_must_fit_the_window():
    assert removed([arm("m", window=200)]) == {}
    assert removed([arm("m", window=199)]) == {"m": "context length: about 200 tokens > 199"}


def test_where_a_shorter_prompt_would_do_the_refusal_says_so():
    window = removed([arm("m", window=199)])
    error = refuse({**window, "n": "max_tier: frontier is above mid"})
    assert (error.code, error.removed["m"]) == ("context_length_exceeded", window["m"])
    assert str(error).startswith("prompt is too long: m (context length: about 200 tokens > 199)")
    beyond = refuse({**window, "n": "key_budget_usd_per_day: may cost $1, $0 may be spent now"})
    assert beyond.code == "budget_exceeded"


def test_an_answer_takes_no_more_of_the_window_than_the_model_can_say():
    assert removed([arm("m")], answer_tokens=128_000) == {}
    reason = "context length: about 10001 tokens > 10000"
    assert removed([arm("m")], prompt_tokens=10_001 - 4_096, answer_tokens=128_000) == {"m": reason}


def test_the_dearer_of_both_prices_is_compared_with_the_cap_per_token():
    assert removed([arm("m", price=1.0)], {"max_cost_per_token": 2e-6}) == {}
    assert "max_cost_per_token" in removed([arm("m", price=1.0)], {"max_cost_per_token": 1.9e-6})["m"]


def test_models_that_failed_earlier_are_not_asked_again():
    assert removed([arm("m")], failed={"m"}) == {"m": "failed earlier in this call"}


def test_an_unknown_key_is_refused_and_the_nearest_is_named():
    with pytest.raises(InvalidRequest, match="did you mean 'max_cost_per_call_usd'") as caught:
        Policy.parse({"max_cost_per_cal": 1})
    assert caught.value.field == "policy.max_cost_per_cal"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_cost_per_call_usd", True),
        ("max_cost_per_call_usd", "0.1"),
        ("max_cost_per_call_usd", -0.1),
        ("max_cost_per_call_usd", math.nan),
        ("max_cost_per_token", math.inf),
        ("max_tier", "huge"),
        ("max_tier", ["mid"]),
        ("allowed_providers", "openai"),
        ("allowed_providers", []),
        ("required_capabilities", [1]),
        ("quality_bar", 1.1),
        ("quality_bar", False),
    ],
)
def test_a_wrong_value_is_refused_by_key(key, value):
    with pytest.raises(InvalidRequest, match=f"policy.{key} must be") as caught:
        Policy.parse({key: value})
    assert caught.value.field == f"policy.{key}"


def test_a_key_that_is_no_text_is_refused():
    with pytest.raises(
        InvalidRequest, match="policy must be a mapping whose keys are texts, got the key 1"
    ) as caught:
        Policy.parse({1: "x"})
    assert caught.value.field == "policy"


def test_a_policy_is_an_object():
    with pytest.raises(InvalidRequest, match="policy must be an object"):
        Policy.parse(["max_tier"])


def test_the_refusal_lists_what_removed_each_model():
    error = refuse({"a": "max_tier: frontier is above mid", "b": "failed earlier in this call"})
    assert isinstance(error, NoEligibleModel)
    assert "a (max_tier: frontier is above mid); b (failed earlier" in str(error)
    assert error.removed["b"] == "failed earlier in this call"
    assert "none is registered" in str(refuse({}))


def reading(model_id, *modalities):
    return replace(arm(model_id), modalities=frozenset({"text", *modalities}))


def test_required_modalities_remove_who_does_not_read_them():
    kept, reasons = sift([reading("blind"), reading("seeing", "image")], {"require_modalities": ["image"]})
    assert [one.model_id for one in kept] == ["seeing"]
    assert reasons == {"blind": "require_modalities: does not read image"}
    assert sift([reading("blind")], {"require_modalities": ["image"]})[0] == []


def test_preferred_modalities_narrow_where_somebody_reads_them_all():
    arms = [reading("blind"), reading("seeing", "image"), reading("both", "image", "audio")]
    kept, reasons = sift(arms, {"prefer_modalities": ["image", "audio"]})
    assert [one.model_id for one in kept] == ["both"]
    assert reasons == {
        "blind": "prefer_modalities: does not read audio, image",
        "seeing": "prefer_modalities: does not read audio",
    }


def test_preferred_modalities_nobody_reads_change_nothing():
    arms = [reading("blind"), reading("seeing", "image")]
    assert sift(arms, {"prefer_modalities": ["video"]}) == (arms, {})


def test_a_preference_gives_way_when_its_models_have_failed():
    arms = [reading("blind"), reading("seeing", "image")]
    kept, reasons = sift(arms, {"prefer_modalities": ["image"]}, failed={"seeing"})
    assert [one.model_id for one in kept] == ["blind"]
    assert reasons == {"seeing": "failed earlier in this call"}


def test_an_unknown_modality_is_refused():
    with pytest.raises(InvalidRequest, match="prefer_modalities must be a list of some of text, image"):
        Policy.parse({"prefer_modalities": ["smell"]})


def test_a_tight_latency_budget_removes_slow_models():
    arms = [replace(arm("quick"), expected_latency_ms=80.0), replace(arm("slow"), expected_latency_ms=900.0)]
    kept, reasons = sift(arms, {"max_latency_ms": 100})
    assert [one.model_id for one in kept] == ["quick"]
    assert reasons == {"slow": "max_latency_ms: expected 900 > 100"}
    assert sift(arms, {"max_latency_ms": 900})[0] == arms
    with pytest.raises(InvalidRequest, match="max_latency_ms must be a number of milliseconds above 0"):
        Policy.parse({"max_latency_ms": 0})


@pytest.mark.parametrize("key", ["budget_usd_per_call", "budget_usd_per_day"])
@pytest.mark.parametrize("value", [0, -1.0, 1e-12, 1e9, True, "much"])
def test_a_budget_that_is_none_is_refused_by_name(key, value):
    with pytest.raises(InvalidRequest, match="US dollars above 0") as refused:
        Policy.parse({key: value})
    assert refused.value.field == f"policy.{key}"


def test_budgets_and_the_judged_share_are_read():
    policy = Policy.parse({"budget_usd_per_call": 0.003, "budget_usd_per_day": 5, "judged_share": 0.1})
    assert (policy.budget_usd_per_call, policy.budget_usd_per_day, policy.judged_share) == (0.003, 5.0, 0.1)
    with pytest.raises(InvalidRequest, match="between 0 and 1"):
        Policy.parse({"judged_share": 1.5})


@pytest.mark.parametrize(
    ("policy", "objection"),
    [
        ({}, None),
        ({"allowed_providers": ["acme", "other"]}, None),
        ({"allowed_providers": ["other"]}, "allowed_providers: acme is not one of other"),
        ({"max_cost_per_token": 2e-6}, None),
        ({"max_cost_per_token": 1.9e-6}, "max_cost_per_token: $0.000002000 > $0.000001900"),
        ({"max_tier": "slm", "required_capabilities": ["tools"], "max_latency_ms": 1}, None),
    ],
)
def test_a_judge_is_bound_by_who_may_read_and_by_what_a_token_may_cost(policy, objection):
    prices = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0}
    assert judge_objection(Policy.parse(policy), provider="acme", **prices) == objection


def timed(model_id, tier, latency_ms):
    return replace(arm(model_id, tier), expected_latency_ms=latency_ms)


RACERS = [timed("snail", "slm", 900.0), timed("dog", "mid", 600.0), timed("horse", "frontier", 300.0)]


@pytest.mark.parametrize(
    ("wanted_ms", "kept"),
    [
        (1_000, ["snail", "dog", "horse"]),
        (700, ["dog", "horse"]),
        (500, ["horse"]),
        (200, ["snail"]),
        (499, ["snail"]),
    ],
)
def test_a_wished_for_latency_narrows_where_it_can_and_below_half_a_second_names_the_lowest_tier(
    wanted_ms, kept
):
    assert [one.model_id for one in sift(RACERS, {"prefer_latency_ms": wanted_ms})[0]] == kept
    assert sift([RACERS[0]], {"prefer_latency_ms": wanted_ms}) == ([RACERS[0]], {})


def test_a_model_without_a_price_stands_in_unless_that_is_forbidden():
    free, paid = arm("free", price=0.0), arm("paid")
    never = {"allow_free_fallback": False}
    assert removed([free, paid], never) == {}
    assert removed([free, paid], never, failed={"other"}).keys() == {"free"}
    assert removed([free, paid], {"allow_free_fallback": True}, failed={"other"}) == {}
