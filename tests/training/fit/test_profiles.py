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
    assert read_profiles("") == profiles


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


def test_a_mapping_needs_no_file():
    profiles = profiles_from({"me/tuned": {"benchmarks": {"gpqa_diamond": 70}, "tier": "slm"}})
    assert profiles["me/tuned"].capability == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ({"benchmarks": {}}, "a mapping with a model_id"),
        ({"model_id": "a", "benchmarks": {"gpqa_diamond": "high"}}, "gpqa_diamond must be a percentage"),
        ({"model_id": "a", "benchmarks": {"gpqa_diamond": 101}}, "must be a percentage, 0 to 100"),
        ({"model_id": "a", "benchmarks": [1]}, "must map names to percentages"),
        ({"model_id": "a", "tier": "giant"}, "tier must be one of"),
    ],
)
def test_a_wrong_profile_is_named_with_its_file(tmp_path, document, wrong):
    path = write(tmp_path / "wrong.yaml", document)
    with pytest.raises(ConfigError, match=wrong) as raised:
        read_profiles(path)
    assert str(path) in str(raised.value)


def test_what_is_not_there_or_no_yaml_is_named(tmp_path):
    with pytest.raises(ConfigError, match="found nothing"):
        read_profiles(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigError, match="found none"):
        read_profiles(tmp_path)
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_profiles(tmp_path)
