import sys
from pathlib import Path

import pytest
import yaml

from x25.demo.recorded import PANELS, prepare
from x25.graph.routers import load_routers
from x25.providers.registry import load_registry
from x25.state.errors import ConfigError


def test_each_source_gets_its_half_and_the_odd_one_goes_first(recordings: Path, tmp_path: Path) -> None:
    found = prepare(recordings, 7, 1, tmp_path / "made")
    assert [(one.panel.name, len(one.items)) for one in found] == [("zeroeval", 4), ("mmlu_pro", 3)]


def test_only_prompts_every_model_answered_at_a_known_cost_are_drawn(
    recordings: Path, tmp_path: Path
) -> None:
    for one in prepare(recordings, 100, 1, tmp_path / "made"):
        numbers = {int(item.prompt.split()[1]) for item in one.items}
        assert numbers == set(range(12)), "12 lacks an answer, 13 and 14 a cost"


def test_items_carry_score_and_cost_of_every_tier(recordings: Path, tmp_path: Path) -> None:
    recording = prepare(recordings, 100, 1, tmp_path / "made")[0]
    small, middle, large = recording.panel.tier_to_model.values()
    item = next(item for item in recording.items if item.prompt.startswith("Question 1 "))
    assert item.model_to_score == {small: 0.0, middle: 1.0, large: 1.0}
    assert item.model_to_cost_usd == pytest.approx({small: 1e-5, middle: 1e-4, large: 1e-3})
    assert (item.org, item.router, item.kind) == ("recorded-zeroeval", "recorded-zeroeval", "set-1")


def test_the_draw_is_the_seeds(recordings: Path, tmp_path: Path) -> None:
    first, again, other = (
        [item.prompt for one in prepare(recordings, 10, seed, tmp_path / "made") for item in one.items]
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_the_files_are_models_and_routers_a_gateway_can_load(recordings: Path, tmp_path: Path) -> None:
    prepare(recordings, 4, 1, tmp_path / "made")
    registry = load_registry(tmp_path / "made" / "models")
    routers = load_routers(tmp_path / "made" / "routers")
    for source, tiers in PANELS.items():
        names = [f"recorded/{source}/{model}" for model in tiers.values()]
        assert [registry.get(name).tier for name in names] == list(tiers)
        assert (
            yaml.safe_load((tmp_path / "made" / "routers" / f"{source}.yaml").read_text())["models"] == names
        )
        assert f"recorded-{source}" in routers


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected prompts/, outcomes/ and responses/"):
        prepare(tmp_path, 10, 1, tmp_path / "made")


def test_without_pyarrow_the_extra_is_named(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"pip install 'x25\[gateway,train\]'"):
        prepare(recordings, 10, 1, tmp_path / "made")
