import datetime as dt
import math
from collections import Counter
from pathlib import Path

import pytest
import yaml

import x25.registry
import x25.simulator
from x25.providers.profiles import SOURCE_LEVELS
from x25.providers.registry import Registry, load_registry
from x25.state.types import TIERS

REGISTRY = Path(x25.registry.__file__).parent
MODELS = REGISTRY / "models"
SIMULATED = Path(x25.simulator.__file__).parent / "models"
LOCAL_HOSTS = ("http://localhost:", "http://127.0.0.1:")


@pytest.fixture(scope="module")
def bundled() -> Registry:
    return load_registry(MODELS)


@pytest.fixture(scope="module")
def simulated() -> Registry:
    return load_registry(SIMULATED)


def is_local(spec) -> bool:
    return any(deployment.base_url.startswith(LOCAL_HOSTS) for deployment in spec.deployments)


def test_what_a_model_reads_and_can_do_is_written_in_words_that_requests_ask_for(bundled, simulated):
    known = {"tools", "json_object", "json_schema", "reasoning", "vision", "long_context", "logprobs"}
    for spec in (*bundled.models, *simulated.models):
        assert spec.capabilities <= known, spec.model_id
        assert ("vision" in spec.capabilities) == ("image" in spec.modalities), spec.model_id
        assert "json_object" in spec.capabilities or "json_schema" not in spec.capabilities, spec.model_id


def test_a_model_tells_logprobs_only_where_a_source_says_so(bundled, simulated):
    able = {spec.model_id: spec for spec in bundled.models if "logprobs" in spec.capabilities}
    assert able.keys() == {"vllm/llama-3.3-70b-instruct", "vllm/gemma-4-31b-it"}
    for spec in able.values():
        assert any(one["what"].startswith("logprobs") for one in spec.sources), spec.model_id
    assert all("logprobs" in spec.capabilities for spec in simulated.models if spec.role == "chat")


def test_at_least_24_models_of_8_providers_have_a_price_above_zero(bundled):
    paid = [spec for spec in bundled.models if spec.priced and spec.input_usd_per_mtok > 0]
    assert len(paid) >= 24
    assert all(spec.output_usd_per_mtok > 0 for spec in paid)
    assert len({spec.provider for spec in paid}) >= 8


def test_every_tier_holds_at_least_4_paid_models(bundled):
    count = Counter(spec.tier for spec in bundled.models if spec.output_usd_per_mtok > 0)
    assert all(count[tier] >= 4 for tier in TIERS), count


@pytest.mark.parametrize("folder", [MODELS, SIMULATED], ids=["registry", "simulator"])
def test_a_file_is_named_after_its_model(folder):
    named = {path.stem.replace("--", "/") for path in folder.glob("*.yaml")}
    assert named == {spec.model_id for spec in load_registry(folder).models}


def test_what_was_read_in_another_routers_repository_is_marked_unverified(bundled):
    read_there = [one for spec in bundled.models for one in spec.sources if "xrouter-llm" in one["url"]]
    assert read_there
    assert all(one.get("level") == "unverified" for one in read_there)
    assert SOURCE_LEVELS["unverified"] < SOURCE_LEVELS["third_party"]


def test_nothing_about_a_bundled_model_is_left_to_a_default():
    demanded = {
        "provider",
        "prices",
        "context_tokens",
        "max_output_tokens",
        "capabilities",
        "expected",
        "sources",
    }
    for path in [*MODELS.glob("*.yaml"), *SIMULATED.glob("*.yaml")]:
        assert demanded <= yaml.safe_load(path.read_text("utf-8")).keys(), path.name


def test_every_model_says_where_and_when_its_figures_were_read(bundled):
    for spec in bundled.models:
        as_of = dt.date.fromisoformat(spec.as_of)
        dates = [dt.date.fromisoformat(source["date"]) for source in spec.sources]
        assert dates, spec.model_id
        assert as_of in dates, f"{spec.model_id}: no source was read on {as_of}"
        assert all(source["url"].startswith("https://") and source["what"] for source in spec.sources)


def test_known_benchmarks_are_percentages_and_not_fractions(bundled):
    for spec in bundled.models:
        known = [score for score in spec.benchmarks.values() if score is not None]
        assert all(1 < score <= 100 for score in known), spec.model_id


def test_prices_and_limits_are_plausible_against_each_other(bundled):
    for spec in bundled.models:
        assert spec.input_usd_per_mtok <= spec.output_usd_per_mtok, spec.model_id
        assert (spec.cached_input_usd_per_mtok or 0) <= spec.input_usd_per_mtok, spec.model_id
        assert spec.max_output_tokens <= spec.context_tokens, spec.model_id


def test_every_tier_is_described_and_holds_its_models_output_prices(bundled):
    tiers = yaml.safe_load((REGISTRY / "tiers.yaml").read_text(encoding="utf-8"))
    assert tuple(tiers) == TIERS
    for spec in bundled.models:
        band = tiers[spec.tier]["output_usd_per_mtok"]
        highest = math.inf if band["max"] is None else band["max"]
        assert band["min"] <= spec.output_usd_per_mtok <= highest, spec.model_id


def test_local_models_cost_nothing_and_wait_for_their_switch(bundled):
    local = [spec for spec in bundled.models if is_local(spec)]
    assert len(local) >= 3
    assert all(spec.input_usd_per_mtok == spec.output_usd_per_mtok == 0 for spec in local)
    assert bundled.routable(lambda name: False) == []
    switched_on = bundled.routable(lambda name: name in {"X25_OLLAMA", "X25_VLLM"})
    assert switched_on == local


def test_one_marketplace_key_opens_every_remote_model(bundled):
    remote = [spec for spec in bundled.models if not is_local(spec) and spec.role == "chat"]
    assert bundled.routable(lambda name: name == "OPENROUTER_API_KEY") == remote


def test_the_reference_is_an_ordinary_frontier_model(bundled):
    reference = Registry.reference(bundled.models)
    assert reference.tier == "frontier"
    prices = [spec.output_usd_per_mtok for spec in bundled.models if spec.tier == "frontier"]
    assert min(prices) < reference.output_usd_per_mtok < max(prices)


def test_simulated_models_fill_the_ladder_and_rise_in_price_with_ability(simulated):
    players = [spec for spec in simulated.models if spec.role == "chat"]
    assert Counter(spec.tier for spec in players) == {"slm": 2, "mid": 2, "frontier": 2}
    by_ability = sorted(players, key=lambda spec: spec.simulation["ability"])
    prices = [spec.output_usd_per_mtok for spec in by_ability]
    assert prices == sorted(set(prices))


def test_a_simulated_models_benchmarks_follow_its_ability(simulated):
    for spec in simulated.models:
        ability = spec.simulation["ability"]
        assert spec.capability == pytest.approx(1 / (1 + math.exp(-ability)), abs=1e-3), spec.model_id


def test_one_simulated_judge_of_a_provider_of_its_own(simulated):
    [judge] = [spec for spec in simulated.models if spec.role == "judge"]
    assert judge.provider not in {spec.provider for spec in simulated.models if spec is not judge}


def test_simulated_and_bundled_models_are_told_apart(bundled, simulated):
    assert all(spec.simulated for spec in simulated.models)
    assert not any(spec.simulated for spec in bundled.models)
