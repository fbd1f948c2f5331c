import json

import pytest

from x25.state.errors import ConfigError
from x25.training.fit.profiles import profiles_from, read_profiles


def write(path, document):
    path.write_text(json.dumps(document))  # JSON is YAML
    return path


def test_the_bundled_registry_is_the_default():
    profiles = read_profiles()
    opus = profiles["anthropic/claude-opus-5"]
    assert opus.benchmarks["gpqa_diamond"] == 93.2
    assert opus.capability == pytest.approx((93.2 + 89.0) / 200)
    assert opus.tier == "frontier"
    assert read_profiles("bundled") == read_profiles("") == profiles


def test_judges_have_no_profile():
    assert not [name for name in read_profiles() if name.startswith("judge/")]


def test_a_later_catalogue_wins_and_what_only_the_earlier_knows_stays(tmp_path):
    first = write(
        tmp_path / "first.yaml", {"model_id": "a", "benchmarks": {"gpqa_diamond": 50, "livecodebench": 40}}
    )
    folder = tmp_path / "more"
    folder.mkdir()
    write(
        folder / "second.json",
        {"models": [{"model_id": "a", "benchmarks": {"gpqa_diamond": 60, "mmlu": None}}]},
    )
    write(folder / "third.yaml", [{"model_id": "b", "tier": "slm"}])
    (folder / "notes.txt").write_text("not a profile")
    stacked = read_profiles(f"{first}, {folder}")
    assert stacked["a"].benchmarks == {"gpqa_diamond": 60, "livecodebench": 40}
    assert (stacked["b"].capability, stacked["b"].tier) == (None, "slm")
    assert read_profiles(f"{folder},{first}")["a"].benchmarks["gpqa_diamond"] == 50


def test_ones_own_catalogue_stands_beside_the_bundled_one(tmp_path):
    mine = write(tmp_path / "mine.yaml", {"model_id": "me/tuned", "benchmarks": {"gpqa_diamond": 70}})
    assert read_profiles(f"bundled,{mine}").keys() == read_profiles().keys() | {"me/tuned"}
    assert read_profiles(str(mine))["me/tuned"].tier == "mid"


def test_a_mapping_needs_no_file():
    profiles = profiles_from({"me/tuned": {"benchmarks": {"gpqa_diamond": 70}, "tier": "slm"}})
    assert profiles["me/tuned"].capability == pytest.approx(0.7)
    with pytest.raises(
        ConfigError, match=r"profiles: benchmarks\.gpqa_diamond must be a number from 0 to 100"
    ):
        profiles_from({"me/tuned": {"benchmarks": {"gpqa_diamond": 101}}})


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ({"benchmarks": {}}, "model_id must be text"),
        (
            {"model_id": "a", "benchmarks": {"gpqa_diamond": "high"}},
            "benchmarks.gpqa_diamond must be a number",
        ),
        ({"model_id": "a", "benchmarks": [1]}, "benchmarks must be"),
        ({"model_id": "a", "tier": "giant"}, "tier must be one of"),
    ],
)
def test_a_wrong_profile_is_named_with_its_file(tmp_path, document, wrong):
    path = write(tmp_path / "wrong.yaml", document)
    with pytest.raises(ConfigError, match=wrong) as raised:
        read_profiles(str(path))
    assert str(path) in str(raised.value)
