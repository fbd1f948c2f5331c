import datetime as dt
from decimal import Decimal

import pytest

from x25.providers.model_files import parse_model
from x25.providers.specs import Deployment
from x25.state.errors import ConfigError
from x25.state.usage import Usage


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
        ({"contxt_tokens": 1}, "unknown key 'contxt_tokens'; did you mean 'context_tokens'"),
        ({"tier": "huge"}, "tier must be one of slm, mid, frontier, got 'huge'"),
        ({"model_id": None}, "model_id must be a name without spaces, got nothing"),
        ({"model_id": "acme small"}, "model_id must be a name without spaces, got 'acme small'"),
        ({"context_tokens": "32k"}, "context_tokens must be a whole number above 0, got '32k'"),
        ({"modalities": ["smell"]}, "modalities must be a list of some of text"),
        (
            {"benchmarks": {"gpqa_diamond": 930}},
            r"benchmarks\.gpqa_diamond must be a number from 0 to 100, got 930",
        ),
        ({"prices": {"input": 1}}, r"unknown key 'prices\.input'; did you mean 'input_usd_per_mtok'"),
        ({"deployments": []}, "deployments must be a list with at least one entry"),
        (
            {"deployments": [{"name": "d", "base_url": "http://u", "urls": 1}]},
            r"unknown key 'deployments\[0\]\.urls'",
        ),
        ({"expected": {"latency_ms": 1}}, r"expected\.output_tokens must be a whole number"),
        ({"tier": None}, "tier must be one of slm, mid, frontier, got nothing"),
        (
            {"deployments": None},
            "base_url must be an address such as .*, or deployments be listed, got nothing",
        ),
        ({"base_url": "https://a/v1"}, "base_url must be absent where deployments are listed"),
        (
            {"deployments": [{"name": "d", "base_url": "localhost:8000/v1"}]},
            r"deployments\[0\].base_url must be an address such as http://localhost:8001/v1, got 'local",
        ),
        ({"key_env": "A_KEY"}, "key_env must be absent where deployments are listed"),
        (
            {"deployments": None, "base_url": "localhost:8000"},
            "base_url must be an address such as http://localhost:8001/v1, got 'localhost:8000'",
        ),
        ({"simulation": {"ability": 1}}, "simulation must be absent unless simulated: true"),
        ({"role": "king"}, "role must be one of chat, judge"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_key(mapping, change, complaint):
    with pytest.raises(ConfigError, match=r"acme\.yaml: " + complaint):
        parse_model(mapping(**change), "acme.yaml")


def test_a_deployment_speaks_the_models_own_name_unless_told_otherwise(model):
    given = {"name": "d", "base_url": "https://a/v1/", "key_env": ["A_KEY", "B_KEY"], "enabled_by": "A_ON"}
    first, second = model(
        deployments=[given, {"name": "e", "base_url": "http://u", "model": "up"}]
    ).deployments
    assert first == Deployment("d", "https://a/v1", "acme/small", ("A_KEY", "B_KEY"), "A_ON")
    assert (second.upstream_model, second.key_envs) == ("up", ())


def test_simulated_models_need_no_sources_and_can_be_aimed(model):
    spec = model(simulated=True, simulation={"ability": 1.5}, sources=None)
    aimed = spec.with_base_url("http://127.0.0.1:9/v1/")
    assert (spec.simulation, spec.sources) == ({"ability": 1.5}, ())
    assert [one.base_url for one in aimed.deployments] == ["http://127.0.0.1:9/v1"]
    assert spec.deployments[0].base_url == "https://acme.example/v1"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"context_tokens": 0}, "context_tokens must be a whole number above 0, got 0"),
        ({"context_tokens": True}, "context_tokens must be a whole number above 0, got True"),
        ({"context_tokens": 1.0}, r"context_tokens must be a whole number above 0, got 1\.0"),
        ({"provider": " "}, "provider must be text, got ' '"),
        ({"free": "yes"}, "free must be true or false, got 'yes'"),
        ({"aliases": "alone"}, "aliases must be a list of texts, got 'alone'"),
        ({"aliases": [1]}, "aliases must be a list of texts, got "),
        ({"expected": [1]}, r"expected must be a mapping, got \[1\]"),
        (
            {"expected": {"latency_ms": "1", "output_tokens": 1}},
            r"expected\.latency_ms must be a number >= 0, got '1'",
        ),
        (
            {"expected": {"latency_ms": float("inf"), "output_tokens": 1}},
            r"expected\.latency_ms must be a number >= 0, got inf",
        ),
        ({"deployments": ["x"]}, r"deployments\[0\] must be a mapping, got 'x'"),
        (
            {"deployments": [{"name": "a", "base_url": "http://b", "headers": {"X-Title": 3}}]},
            r"deployments\[0\]\.headers\.X-Title must be text, got 3",
        ),
        ({"sources": [{"url": "u", "what": "w"}]}, r"sources\[0\]\.date must be text, got nothing"),
        ({1: "x"}, "the file must be a mapping whose keys are texts, got the key 1"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_what_came(mapping, change, complaint):
    with pytest.raises(ConfigError, match=r"^acme\.yaml: " + complaint):
        parse_model({**mapping(), **change}, "acme.yaml")


@pytest.mark.parametrize("given", [None, [], "acme/small"])
def test_a_file_that_is_no_mapping_is_refused(given):
    with pytest.raises(ConfigError, match=r"acme\.yaml: the file must be a mapping, got "):
        parse_model(given, "acme.yaml")


def test_a_price_keeps_the_decimals_that_were_written(model):
    spec = model(prices={"input_usd_per_mtok": 0.1, "output_usd_per_mtok": 1e-7})
    assert (spec.input_usd_per_mtok, spec.output_usd_per_mtok) == (Decimal("0.1"), Decimal("1e-7"))


def test_a_yaml_date_becomes_its_iso_form(model):
    source = {"url": "u", "date": dt.date(2026, 11, 1), "what": "prices"}
    spec = model(as_of=dt.date(2026, 11, 2), sources=[source])
    assert (spec.as_of, spec.sources[0]["date"]) == ("2026-11-02", "2026-11-01")


def test_what_is_not_written_is_left_at_what_it_usually_is(mapping):
    bare = {name: mapping()[name] for name in (
        "model_id", "provider", "tier", "context_tokens", "max_output_tokens", "expected", "deployments", "sources",
    )}  # fmt: skip
    spec = parse_model(
        {**bare, "prices": None, "benchmarks": None, "notes": None, "as_of": None}, "acme.yaml"
    )
    assert (spec.priced, spec.modalities, spec.capabilities, spec.aliases) == (
        False,
        {"text"},
        {"tools", "json_object", "json_schema"},
        (),
    )
    assert (spec.benchmarks, spec.role, spec.simulated, spec.as_of, spec.notes) == ({}, "chat", False, "", "")


FOUR_KEYS = {
    "model_id": "acme/small",
    "base_url": "http://localhost:9000/v1/",
    "tier": "slm",
    "prices": {"input_usd_per_mtok": 0.1, "output_usd_per_mtok": 0.4},
}


def test_four_keys_are_enough_and_the_rest_has_stated_defaults():
    spec = parse_model(FOUR_KEYS, "own.yaml")
    assert spec.priced
    assert spec.deployments == (Deployment("acme", "http://localhost:9000/v1", "acme/small"),)
    assert (spec.provider, spec.context_tokens, spec.max_output_tokens) == ("acme", 128_000, 16_384)
    assert (spec.expected_latency_ms, spec.expected_output_tokens) == (1500.0, 300)
    assert spec.capabilities == {"tools", "json_object", "json_schema"}
    assert (spec.modalities, spec.role, spec.sources) == ({"text"}, "chat", ())


def test_an_own_model_may_name_its_key_and_its_name_at_the_address():
    only = parse_model({**FOUR_KEYS, "key_env": "ACME_KEY", "model": "small-v2"}, "own.yaml").deployments[0]
    assert (only.key_envs, only.upstream_model) == (("ACME_KEY",), "small-v2")


def test_all_faults_of_a_file_are_told_at_once():
    wrong = {
        "model_id": "acme/small",
        "teir": "slm",
        "tier": "huge",
        "prices": {"input_usd_per_mtok": 0, "output_usd_per_mtok": 0},
        "context_tokens": "32k",
        "benchmarks": {"mmlu_pro": 50},
        "benchmark_sources": {"gpqa": {}},
        "simulation": {"ability": 1},
    }
    with pytest.raises(ConfigError) as caught:
        parse_model(wrong, "own.yaml")
    told = str(caught.value).splitlines()
    assert all(line.startswith("own.yaml: ") for line in told)
    for part in (
        "unknown key 'teir'",
        "tier must be one of slm, mid, frontier, got 'huge'",
        "prices.input_usd_per_mtok must be above 0, or free: true written beside it, got 0",
        "context_tokens must be a whole number above 0, got '32k'",
        "benchmark_sources.gpqa must be absent for a benchmark without a score",
        "simulation must be absent unless simulated: true",
        "base_url must be an address such as http://localhost:8001/v1, or deployments be listed, got nothing",
    ):
        assert sum(part in line for line in told) == 1, (part, told)
    assert len(told) == 7
