import json

import numpy as np
import pytest

from x25.training.data.recorded import Recorded
from x25.training.evaluation.fit import Side
from x25.training.evaluation.judged import PanelJudge
from x25.training.replay import repair
from x25.training.replay.regret import Setting
from x25.training.replay.repair import KEPT, break_tier, measure_repair

pytestmark = pytest.mark.slow


@pytest.fixture
def panel_side():
    """A cheap model that is nearly as good as the dear ones, until it breaks."""
    rng, length = np.random.default_rng(0), 400
    probs = np.broadcast_to(np.array([0.85, 0.88, 0.92]), (length, 3))
    correct = (rng.random(probs.shape) < probs).astype(float)
    costs = np.broadcast_to(np.array([0.002, 0.006, 0.01]), probs.shape)
    tokens = np.full(probs.shape, 100.0)
    names = np.array([f"p{row}" for row in range(length)])
    recorded = Recorded(
        source="s", prompt_ids=names, prompts=tuple(names), datasets=names, task_types=names, groups=names,
        models=("s", "m", "f"), scores=correct, correct=correct, costs_usd=costs, input_tokens=tokens,
        output_tokens=tokens,
    )  # fmt: skip
    return Side(recorded, np.zeros(length), probs, costs, correct, correct, costs, tokens, tokens)


def test_a_broken_model_keeps_some_of_its_right_answers_and_the_others_theirs(panel_side):
    broken = break_tier(panel_side, 0, np.random.default_rng(1))
    assert broken.correct[:, 0].mean() == pytest.approx(KEPT * panel_side.correct[:, 0].mean(), abs=0.06)
    assert (broken.correct[:, 1:] == panel_side.correct[:, 1:]).all()
    assert (broken.scores[:, 0] <= panel_side.scores[:, 0]).all()


def test_a_broken_model_is_left_and_comes_back(panel_side, monkeypatch):
    monkeypatch.setattr(repair, "PHASE_CALLS", 300)
    found = measure_repair(("s", "m", "f"), panel_side, PanelJudge(auc=0.9), Setting(orders=3))
    served = found["learners"]["x25"]
    assert found["model"] == "s"
    assert served["shares"][1] < 0.7 * served["shares"][0]
    assert served["shares"][2] > served["shares"][1]
    assert found["learners"]["x25, no return"]["utility_of_return"] == 0.0
    assert json.loads(json.dumps(found)) == found
