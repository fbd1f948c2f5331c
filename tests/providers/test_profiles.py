import json
from pathlib import Path

import pytest
import yaml

from x25.providers.profiles import BUNDLED_MODELS, SOURCE_LEVELS, Figure, load_profiles, parse_profile
from x25.providers.registry import load_registry
from x25.state.errors import ConfigError


def entry(score, level=None, model_id="acme/m", name="gpqa_diamond", url=None):
    source = {key: value for key, value in (("level", level), ("url", url)) if value}
    return {
        "model_id": model_id,
        "benchmarks": {name: score},
        **({"benchmark_sources": {name: source}} if source else {}),
    }


@pytest.fixture
def catalogue(tmp_path: Path):
    def write(name, *entries):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        whole = entries[0] if len(entries) == 1 else {"models": list(entries)}
        file.write_text(json.dumps(whole) if file.suffix == ".json" else yaml.safe_dump(whole))
        return str(file)

    return write


def score_of(catalogues, model_id="acme/m", name="gpqa_diamond"):
    return load_profiles(catalogues)[model_id].figures[name].score


def test_by_default_the_bundled_catalogue_is_read():
    profiles = load_profiles()
    assert profiles == load_profiles("bundled") == load_profiles("")
    chats = {spec.model_id for spec in load_registry(BUNDLED_MODELS).models if spec.role == "chat"}
    assert profiles.keys() == chats
    assert profiles["openai/gpt-5.6-luna"].figures["gpqa_diamond"].score == 91.1


def test_every_bundled_figure_has_a_level_and_nearly_every_one_a_source():
    figures = [figure for profile in load_profiles().values() for figure in profile.figures.values()]
    assert all(figure.level in SOURCE_LEVELS for figure in figures)
    assert sum(bool(figure.source) for figure in figures) / len(figures) > 0.85
    assert {figure.level for figure in figures} >= {"third_party", "model_card", "official"}


def test_a_registry_model_carries_its_figures():
    spec = load_registry(BUNDLED_MODELS).get("google/gemini-3.1-pro-preview")
    assert spec.figures == load_profiles()[spec.model_id].figures
    assert spec.figures["gpqa_diamond"].level == "model_card"
    assert spec.figures["livecodebench"].level == "third_party"


def test_a_later_catalogue_wins_and_others_stay(catalogue):
    one = catalogue("one.yaml", entry(50), entry(10, model_id="acme/other"))
    two = catalogue("two/two.json", entry(60))
    assert score_of(f"{one},{two}") == 60
    assert score_of(f"{two}, {one}") == 50
    assert score_of(f"{one},{Path(two).parent}") == 60
    assert score_of(f"{one},{two}", "acme/other") == 10


def test_a_figure_of_higher_level_stands_whatever_the_order(catalogue):
    sure = catalogue("sure.yaml", entry(50, "official", url="https://acme.example/card"))
    rumour = catalogue("rumour.yaml", entry(99, "self_eval"))
    for order in (f"{sure},{rumour}", f"{rumour},{sure}"):
        assert load_profiles(order)["acme/m"].figures == {
            "gpqa_diamond": Figure(50.0, "official", "https://acme.example/card")
        }


def test_own_files_extend_the_bundled_catalogue(catalogue):
    mine = catalogue("mine.yaml", entry(71.5, model_id="openai/gpt-5.6-luna", name="livecodebench"))
    figures = load_profiles(f"bundled,{mine}")["openai/gpt-5.6-luna"].figures
    assert (figures["livecodebench"].score, figures["gpqa_diamond"].score) == (71.5, 91.1)
    assert load_profiles(mine).keys() == {"openai/gpt-5.6-luna"}


def test_sources_give_level_and_address_by_what_they_say_they_tell():
    sources = [
        {"url": "https://a.example", "date": "2026-01-01", "what": "prices"},
        {"url": "https://b.example", "date": "2026-01-01", "what": "MMLU-Pro and more", "level": "paper"},
    ]
    profile = parse_profile(
        {"model_id": "m", "benchmarks": {"mmlu_pro": 80, "gpqa": 40}, "sources": sources}, "m.yaml"
    )
    assert profile.figures == {
        "mmlu_pro": Figure(80.0, "paper", "https://b.example"),
        "gpqa": Figure(40.0, "third_party", ""),
    }


def test_a_tier_is_kept_where_a_catalogue_says_it(catalogue):
    one, two = catalogue("one.yaml", {**entry(50), "tier": "slm"}), catalogue("two.yaml", entry(60))
    assert load_profiles(f"{one},{two}")["acme/m"].tier == "slm"
    assert load_profiles(two)["acme/m"].tier is None
    assert load_profiles()["anthropic/claude-opus-5"].tier == "frontier"


def test_what_else_a_file_says_beside_its_models_is_passed_over(tmp_path):
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump({"sources": [{"url": "https://a.example"}], "models": [entry(50)]}))
    assert score_of(str(file)) == 50


def test_an_unknown_score_is_no_figure():
    assert parse_profile(entry(None), "m.yaml").figures == {}


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (entry(101), r"benchmarks\.gpqa_diamond must be a number from 0 to 100"),
        (entry(50, "rumour"), r"benchmark_sources\.gpqa_diamond\.level must be one of missing, unverified"),
        ({"benchmarks": {}}, "model_id must be text"),
        ({**entry(50), "benchmark_sources": {"mmlu": {}}}, "benchmark_sources.mmlu must be absent"),
        (3, "must be a mapping"),
    ],
)
def test_a_broken_profile_names_file_and_key(catalogue, broken, complaint):
    file = catalogue("bad.yaml", broken)
    with pytest.raises(ConfigError, match=rf"bad\.yaml: .*{complaint}"):
        load_profiles(file)


def test_a_catalogue_that_is_not_there_is_named():
    for missing in ("nowhere.yaml", "bundled,", "bundled,,x"):
        with pytest.raises(ConfigError, match="there is no file or folder"):
            load_profiles(missing)


def test_a_folder_that_holds_no_catalogue_and_a_file_that_is_none_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"holds no \.yaml, \.yml, \.json file"):
        load_profiles(str(tmp_path))
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ConfigError, match=r"broken\.json cannot be read"):
        load_profiles(str(tmp_path))
