from decimal import Decimal

import pytest

from x25.providers.specs import Deployment, Extras
from x25.state.errors import ConfigError
from x25.state.usage import Usage


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


def test_sound_is_bounded_by_the_dearer_of_both_input_prices(model):
    prices = {"input_usd_per_mtok": 0.5, "output_usd_per_mtok": 2, "audio_input_usd_per_mtok": 30}
    spec = model(prices=prices)
    assert spec.bound_cost_nusd(100, 0) == 100 * 500
    assert spec.bound_cost_nusd(100, 0, Extras(has_audio=True)) == 100 * 30_000
    assert model().bound_cost_nusd(100, 0, Extras(has_audio=True)) == model().bound_cost_nusd(100, 0)


def test_output_beyond_the_limit_is_bounded_and_left_out_of_what_is_affordable(model):
    assert model().bound_cost_nusd(0, 10, Extras(output_tokens=5)) == 15 * 2000
    assert model().affordable_tokens(30_000, 0, 4096, Extras(output_tokens=5)) == 10


def test_a_prompt_beyond_200_000_tokens_is_bounded_at_twice_the_price(model):
    long = model(context_tokens=1_000_000)
    assert long.bound_cost_nusd(200_000, 10) == 200_000 * 500 + 10 * 2000
    assert long.bound_cost_nusd(200_001, 10) == 2 * (200_001 * 500 + 10 * 2000)
    assert model().bound_cost_nusd(200_001, 10) == 200_001 * 500 + 10 * 2000
    tokens = long.affordable_tokens(300_000_000, 200_001, 4096)
    assert long.bound_cost_nusd(200_001, tokens) <= 300_000_000


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


@pytest.mark.parametrize(
    ("set_names", "usable"),
    [(set(), False), ({"A_KEY"}, False), ({"A_ON"}, False), ({"A_ON", "B_KEY"}, True)],
)
def test_a_deployment_needs_its_switch_and_one_of_its_keys(set_names, usable):
    deployment = Deployment("d", "u", "m", ("A_KEY", "B_KEY"), "A_ON")
    assert deployment.is_usable(set_names.__contains__) is usable


PARTS = {
    "input_usd_per_mtok": 1, "output_usd_per_mtok": 4, "cached_input_usd_per_mtok": 0.1, "audio_input_usd_per_mtok": 8,
    "image_input_usd_per_mtok": 2, "audio_output_usd_per_mtok": 16, "reasoning_usd_per_mtok": 6,
}  # fmt: skip


def test_sound_images_and_thinking_are_charged_at_their_own_prices_and_once(model):
    spec = model(prices=PARTS)
    usage = Usage(
        1000,
        500,
        cached_tokens=200,
        audio_tokens=100,
        image_tokens=300,
        reasoning_tokens=50,
        audio_output_tokens=150,
    )
    exact = 400 * 1000 + 200 * 100 + 100 * 8000 + 300 * 2000 + 300 * 4000 + 50 * 6000 + 150 * 16_000
    assert spec.cost_nusd(usage) == exact
    assert Usage.from_openai(usage.to_openai()) == usage
    assert spec.bound_cost_nusd(1000, 500, Extras(has_audio=True)) >= exact


def test_what_is_written_to_a_cache_is_charged_and_bounded(model):
    prices = PARTS | {"cache_write_usd_per_mtok": 1.25, "cache_write_1h_usd_per_mtok": 2}
    usage = Usage(1000, 10, cached_tokens=200, cache_write_tokens=600, cache_write_1h_tokens=100)
    exact = 200 * 1000 + 200 * 100 + 500 * 1250 + 100 * 2000 + 10 * 4000
    assert model(prices=prices).cost_nusd(usage) == exact
    written = Usage(1000, 10, cache_write_tokens=1000)
    spec = model(
        prices={
            key: prices[key]
            for key in ("input_usd_per_mtok", "output_usd_per_mtok", "cache_write_usd_per_mtok")
        }
    )
    assert spec.bound_cost_nusd(1000, 10) == spec.cost_nusd(written) == 1000 * 1250 + 10 * 4000


def test_a_long_prompt_costs_its_own_prices_in_all_of_its_tokens(model):
    long = {"above_tokens": 200_000, "input_usd_per_mtok": 2, "output_usd_per_mtok": 9}
    spec = model(
        prices={"input_usd_per_mtok": 1, "output_usd_per_mtok": 4, "long_prompt": long}, context_tokens=10**6
    )
    assert spec.cost_nusd(Usage(200_000, 10)) == 200_000 * 1000 + 10 * 4000
    assert spec.cost_nusd(Usage(200_001, 10, cached_tokens=1)) == 200_001 * 2000 + 10 * 9000
    assert spec.bound_cost_nusd(200_001, 10) == 200_001 * 2000 + 10 * 9000
