from decimal import Decimal

import pytest

from x25.providers.base import Usage
from x25.providers.specs import Deployment, parse_model
from x25.state.errors import ConfigError


def test_cost_charges_cached_tokens_at_their_own_price(model):
    # .5, .05 and 2 dollars a million = 500, 50 and 2000 nano-dollars a token
    usage = Usage(prompt_tokens=1000, cached_tokens=400, completion_tokens=10)
    assert model().cost_nusd(usage) == 600 * 500 + 400 * 50 + 10 * 2000


def test_cached_tokens_without_a_price_of_their_own_cost_as_any_input(model):
    spec = model(prices={"input_usd_per_mtok": 0.5, "output_usd_per_mtok": 2})
    assert spec.cost_nusd(Usage(1000, 0, cached_tokens=400)) == 1000 * 500


def test_reasoning_tokens_are_charged_once(model):
    assert model().cost_nusd(Usage(0, 100, reasoning_tokens=90)) == model().cost_nusd(Usage(0, 100))


def test_cost_is_exact_and_rounded_half_to_even(model):
    spec = model(prices={"input_usd_per_mtok": 0.0005, "output_usd_per_mtok": 0.1})
    assert [spec.cost_nusd(Usage(tokens, 0)) for tokens in (1, 3, 5)] == [0, 2, 2]
    assert spec.cost_nusd(Usage(0, 3)) == 300


def test_a_reported_bill_wins_over_the_registered_price(model):
    assert model().charge_nusd(Usage(10, 10, reported_cost_usd=Decimal("0.00001"))) == (10_000, "reported")
    assert model().charge_nusd(Usage(10, 10)) == (25_000, "computed")


def test_expected_cost_takes_a_typical_answer_cut_at_max_tokens(model):
    assert model().expected_cost_nusd(100) == 100 * 500 + 200 * 2000
    assert model().expected_cost_nusd(100, 50) == 100 * 500 + 50 * 2000
    assert model().expected_cost_nusd(100, 999) == model().expected_cost_nusd(100)


def test_bound_is_never_below_the_cost_of_what_it_bounds(model):
    dear_cache = {"input_usd_per_mtok": 0.3333, "cached_input_usd_per_mtok": 0.7777, "output_usd_per_mtok": 2}
    for prices in (None, dear_cache):
        spec = model(**({} if prices is None else {"prices": prices}))
        bound = spec.bound_cost_nusd(101, 7)
        assert all(bound >= spec.cost_nusd(Usage(101, 7, cached_tokens=cached)) for cached in (0, 50, 101))


def test_bound_uses_the_models_own_limit_where_it_is_smaller(model):
    assert model().bound_cost_nusd(0) == 4096 * 2000
    assert model().bound_cost_nusd(0, 1_000_000) == 4096 * 2000
    assert model().bound_cost_nusd(0, 10) == 10 * 2000


def test_affordable_tokens_keep_the_bound_within_what_is_left(model):
    tokens = model().affordable_tokens(150_000, 100, 4096)
    assert model().bound_cost_nusd(100, tokens) <= 150_000 < model().bound_cost_nusd(100, tokens + 1)
    assert model().affordable_tokens(10**12, 100, 4096) == 4096
    assert model().affordable_tokens(1, 100, 4096) == 1


def test_capability_is_the_mean_of_the_known_scores(model):
    assert model().capability == pytest.approx(0.5)
    assert model(benchmarks={"gpqa_diamond": 80, "livecodebench": None}).capability == pytest.approx(0.8)
    assert model(benchmarks={"mmlu_pro": 80}).capability is None


@pytest.mark.parametrize("prices", [None, {}, {"input_usd_per_mtok": None, "output_usd_per_mtok": 1}])
def test_a_model_without_a_price_loads_but_can_charge_nothing(model, prices):
    spec = model(prices=prices)
    assert not spec.priced
    with pytest.raises(ConfigError, match="acme/small has no price"):
        spec.cost_nusd(Usage(1, 1))


def test_a_price_of_zero_needs_the_word_free(model):
    nothing = {"input_usd_per_mtok": 0, "output_usd_per_mtok": 0}
    with pytest.raises(
        ConfigError, match=r"test\.yaml: prices\.input_usd_per_mtok must be above 0, or free: true"
    ):
        model(prices=nothing)
    spec = model(prices=nothing, free=True)
    assert spec.priced
    assert spec.cost_nusd(Usage(1000, 1000)) == 0


def test_free_with_a_price_is_a_contradiction(model):
    with pytest.raises(ConfigError, match="free must be absent or false"):
        model(free=True)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"contxt_tokens": 1}, "unknown key contxt_tokens; did you mean context_tokens"),
        ({"tier": "huge"}, "tier must be one of slm, mid, frontier, got 'huge'"),
        ({"provider": None}, "provider must be text, got nothing"),
        ({"context_tokens": "32k"}, "context_tokens must be a whole number above 0, got '32k'"),
        ({"modalities": ["smell"]}, "modalities must be a list of some of text"),
        (
            {"benchmarks": {"gpqa_diamond": 930}},
            r"benchmarks\.gpqa_diamond must be a number from 0 to 100, got 930",
        ),
        ({"prices": {"input": 1}}, r"unknown key prices\.input; did you mean input_usd_per_mtok"),
        ({"deployments": []}, "deployments must be a list with at least one entry"),
        ({"deployments": [{"name": "d", "base_url": "u", "urls": 1}]}, r"unknown key deployments\[0\]\.urls"),
        ({"expected": {"latency_ms": 1}}, r"expected\.output_tokens must be a whole number"),
        ({"sources": None}, "sources must be a list"),
        ({"simulation": {"ability": 1}}, "simulation must be absent unless simulated: true"),
        ({"role": "king"}, "role must be one of chat, judge"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_key(mapping, change, complaint):
    with pytest.raises(ConfigError, match=r"acme\.yaml: " + complaint):
        parse_model(mapping(**change), "acme.yaml")


def test_a_deployment_speaks_the_models_own_name_unless_told_otherwise(model):
    given = {"name": "d", "base_url": "https://a/v1/", "key_env": ["A_KEY", "B_KEY"], "enabled_by": "A_ON"}
    first, second = model(deployments=[given, {"name": "e", "base_url": "u", "model": "up"}]).deployments
    assert first == Deployment("d", "https://a/v1", "acme/small", ("A_KEY", "B_KEY"), "A_ON")
    assert (second.upstream_model, second.key_envs) == ("up", ())


@pytest.mark.parametrize(
    ("set_names", "usable"),
    [(set(), False), ({"A_KEY"}, False), ({"A_ON"}, False), ({"A_ON", "B_KEY"}, True)],
)
def test_a_deployment_needs_its_switch_and_one_of_its_keys(set_names, usable):
    deployment = Deployment("d", "u", "m", ("A_KEY", "B_KEY"), "A_ON")
    assert deployment.is_usable(set_names.__contains__) is usable


def test_simulated_models_need_no_sources_and_can_be_aimed(model):
    spec = model(simulated=True, simulation={"ability": 1.5}, sources=None)
    aimed = spec.with_base_url("http://127.0.0.1:9/v1/")
    assert (spec.simulation, spec.sources) == ({"ability": 1.5}, ())
    assert [one.base_url for one in aimed.deployments] == ["http://127.0.0.1:9/v1"]
    assert spec.deployments[0].base_url == "https://acme.example/v1"
