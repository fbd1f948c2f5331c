import sys

import pytest

from x25.bench.contestants import (
    CHAT,
    DIRECT,
    MODELS,
    Contestant,
    litellm_config,
    litellm_version,
    write_models,
)
from x25.bench.stub import JUDGE
from x25.providers.registry import load_registry

URL = "http://127.0.0.1:1/v1"


def test_both_sides_are_given_the_same_models_at_the_same_prices(tmp_path):
    registry = load_registry(tmp_path / write_models(tmp_path / "models", URL))
    ours = {spec.model_id: spec.deployments[0].base_url for spec in registry.models}
    theirs = litellm_config(URL)["model_list"]
    asked = {
        entry["model_name"]: entry["litellm_params"] for entry in theirs if entry["model_name"] != "auto"
    }
    assert (
        ours
        == {model_id: params["api_base"] for model_id, params in asked.items()}
        == dict.fromkeys(MODELS, URL)
    )
    assert asked["bench/large"]["output_cost_per_token"] == pytest.approx(12e-6)


def test_a_judge_is_written_where_one_is_wanted(tmp_path):
    registry = load_registry(tmp_path / write_models(tmp_path / "models", URL, judge=True))
    assert registry.get(JUDGE).role == "judge"


def test_their_router_chooses_among_all_models():
    (router,) = [entry for entry in litellm_config(URL)["model_list"] if entry["model_name"] == "auto"]
    assert set(router["litellm_params"]["complexity_router_config"]["tiers"].values()) == set(MODELS)


def test_a_stub_is_asked_for_its_count_beside_its_completions():
    assert Contestant(DIRECT, URL + CHAT, "any", 1).count_url == "http://127.0.0.1:1/v1/count"


def test_a_python_without_litellm_is_told(tmp_path):
    empty = tmp_path / "python"
    empty.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    empty.chmod(0o755)
    with pytest.raises(RuntimeError, match="has no litellm: pip install"):
        litellm_version(str(empty))
