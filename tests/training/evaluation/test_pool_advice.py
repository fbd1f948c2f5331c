"""Swaps are chosen on train: the cheap model that is as good as a dear one is found, and test changes no choice."""

import numpy as np
import pytest

from x25.training.data.parquet import write_rows
from x25.training.data.recorded import read_recorded
from x25.training.data.sides import Folders
from x25.training.evaluation.panels import Panel
from x25.training.evaluation.pool_advice import advise_recorded, shortlist, swapped

pytestmark = pytest.mark.train

SKILLS = {"tiny": -1.0, "middle": 0.6, "large": 2.0, "bargain": 1.8, "dud": -2.0}
COSTS_USD = {"tiny": 1e-4, "middle": 8e-4, "large": 4e-3, "bargain": 2e-4, "dud": 9e-4}
TIERS = {"slm": "tiny", "mid": "middle", "frontier": "large"}
PANEL = Panel(name="made", title="Made", source="made", tiers=TIERS)


class Letters:
    dimension = 1
    fingerprint = "letters"

    def embed_many(self, texts):
        return np.array([[text.count("hard")] for text in texts], dtype=np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("pyarrow", reason="needs the train extra")

    path, rng = tmp_path_factory.mktemp("recorded"), np.random.default_rng(4)
    prompts, outcomes = [], []
    for row in range(600):
        level = int(rng.integers(0, 5))
        prompts.append({
            "prompt_id": f"p{row}", "dataset": "d", "task_type": "qa", "group": f"g{row}",
            "prompt": f"Case {row}." + " hard" * level,
        })  # fmt: skip
        for model, skill in SKILLS.items():
            right = bool(rng.random() < 1.0 / (1.0 + np.exp(0.8 * (level - 2) - skill)))
            cost = COSTS_USD[model] * float(np.exp(rng.normal(0.0, 0.1)))
            outcomes.append({
                "prompt_id": f"p{row}", "model": model, "score": float(right), "correct": right, "cost_usd": cost,
                "input_tokens": 40, "output_tokens": 60,
            })  # fmt: skip
    for table, rows in (("prompts", prompts), ("outcomes", outcomes)):
        write_rows(path / table / "made.parquet", rows)
    return path


def test_models_another_beats_at_no_higher_cost_are_not_offered(folder):
    found = shortlist(PANEL, read_recorded(folder, "made"))
    assert found == [(out, "bargain") for out in ("tiny", "middle", "large")]


def test_a_swapped_panel_is_a_ladder_by_cost(folder):
    changed = swapped(PANEL, read_recorded(folder, "made"), "tiny", "bargain")
    assert changed.models == ["bargain", "middle", "large"]
    assert swapped(PANEL, read_recorded(folder, "made"), "tiny", "dud").models == ["middle", "dud", "large"]


def test_the_bargain_is_advised_and_holds_on_test(folder):
    seen = []
    report = advise_recorded(PANEL, Folders(folder, None, Letters()), seen.append)
    assert seen == [4, 4, 4, 4]
    best, own = report["swaps"][0], report["own"]
    assert best["into"] == "bargain"
    assert best["is_reached_on_train"]
    assert best["train_cost_usd_per_call"] < 0.6 * own["train_cost_usd_per_call"]
    assert best["test_cost_usd_per_call"] < own["test_cost_usd_per_call"]
    costs = [one["train_cost_usd_per_call"] for one in report["swaps"] if one["is_reached_on_train"]]
    assert costs == sorted(costs)
