import numpy as np
import pytest

from x25.providers.written import parse
from x25.state.errors import ConfigError
from x25.state.types import TIERS
from x25.training.data.recorded import read_recorded
from x25.training.evaluation.panels import Panel, load_panels

GIVEN = {
    "name": "made", "title": "Made", "source": "made",
    "tiers": {"slm": "tiny", "mid": "middle", "frontier": "large"},
}  # fmt: skip


def test_every_bundled_panel_can_be_read():
    panels = load_panels()
    assert {"zeroeval", "mmlu_pro", "routerbench", "paretobandit", "reasoning_gym"} <= {
        panel.name for panel in panels
    }
    for panel in panels:
        assert len(set(panel.models)) == len(TIERS)
        assert (panel.judge_auc is None) == bool(panel.recorded_judge)


def test_panels_come_in_the_order_asked_for(panels_dir):
    assert [panel.name for panel in load_panels(["rated", "made"], panels_dir)] == ["rated", "made"]
    assert [panel.name for panel in load_panels(folder=panels_dir)] == ["elsewhere", "made", "rated"]


def test_an_unknown_panel_names_the_nearest():
    with pytest.raises(ConfigError, match="unknown panel 'zeroevil'; did you mean 'zeroeval'"):
        load_panels(["zeroevil"])


def test_models_stand_in_ladder_order_however_the_file_lists_them():
    tiers = dict(reversed(GIVEN["tiers"].items()))
    assert parse(Panel, GIVEN | {"tiers": tiers}, "x").models == ["tiny", "middle", "large"]


def test_a_judge_is_simulated_or_recorded():
    assert parse(Panel, GIVEN, "x").judge_auc == 0.85
    assert parse(Panel, GIVEN | {"judge": {"auc": 0.95}}, "x").judge_auc == 0.95
    recorded = parse(Panel, GIVEN | {"judge": {"recorded": "acme/judge"}}, "x")
    assert (recorded.judge_auc, recorded.recorded_judge) == (None, "acme/judge")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"datset": ["sums"]}, "unknown key 'datset'; did you mean 'dataset"),
        ({"judge_auc": 0.9}, "unknown key 'judge_auc'"),
        ({"tiers": {"slm": "a", "mid": "b"}}, "tiers must be a model for each of slm, mid, frontier, got"),
        ({"tiers": {"slm": 1, "mid": "b", "frontier": "c"}}, "tiers.slm must be text, got 1"),
        ({"tiers": ["a", "b", "c"]}, "tiers must be a mapping, got"),
        ({"datasets": "sums"}, "datasets must be a list of texts, got 'sums'"),
        ({"budget_share": 0}, "budget_share must be a number above 0, at most 1, got 0"),
        ({"budget_share": 1.5}, "budget_share must be a number above 0, at most 1, got 1.5"),
        ({"budget_share": "half"}, "budget_share must be a number above 0, at most 1, got 'half'"),
        ({"judge": {"auc": 0.4}}, "judge.auc must be a number above .5 and below 1, got 0.4"),
        ({"judge": {"auc": "good"}}, "judge.auc must be a number above .5 and below 1, got 'good'"),
        ({"judge": {"ouc": 0.9}}, "unknown key 'judge.ouc'; did you mean 'auc'"),
        ({"judge": {"auc": 0.9, "recorded": "acme/judge"}}, "judge must be either auc or recorded"),
        ({"judge": 0.9}, "judge must be a mapping, got 0.9"),
        ({"unseen_families": "yes"}, "unseen_families must be true or false"),
    ],
)
def test_what_is_wrong_with_a_panel_is_said_with_its_file(changed, message):
    with pytest.raises(ConfigError, match=f"made.yaml: {message}"):
        parse(Panel, GIVEN | changed, "made.yaml")


@pytest.mark.parametrize("key", sorted(GIVEN))
def test_a_missing_key_is_named(key):
    with pytest.raises(ConfigError, match=f"made.yaml: {key} must be .*, got nothing"):
        parse(Panel, {name: value for name, value in GIVEN.items() if name != key}, "made.yaml")


@pytest.mark.parametrize("text", ["tiers: [a", "- a list"])
def test_a_file_that_holds_no_panel_is_named(tmp_path, text):
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"odd\.yaml"):
        load_panels(folder=tmp_path)


def test_a_panel_covers_its_datasets_where_all_its_models_answered_at_a_known_cost(train_dir):
    recorded = read_recorded(train_dir, "made")
    row = np.arange(len(recorded))
    # The folder leaves out the cost of the middle model at these rows.
    known = row % 40 != 3
    assert Panel(**GIVEN).covers(recorded).tolist() == known.tolist()
    sums = Panel(**GIVEN, datasets=("sums",)).covers(recorded)
    assert sums.tolist() == (known & (recorded.datasets == "sums")).tolist()
    assert Panel(**GIVEN, dataset_prefix="pro").covers(recorded).tolist() == (known & (row % 3 == 2)).tolist()
    other = Panel(**GIVEN | {"tiers": {"slm": "tiny", "mid": "other", "frontier": "large"}})
    assert other.covers(recorded).tolist() == (row % 20 != 7).tolist()


def test_a_panel_of_unrecorded_models_names_them(train_dir):
    panel = Panel(**GIVEN | {"tiers": {"slm": "tiny", "mid": "middle", "frontier": "huge"}})
    with pytest.raises(ValueError, match="no outcomes of huge"):
        panel.covers(read_recorded(train_dir, "made"))
