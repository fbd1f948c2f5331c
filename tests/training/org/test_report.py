from pathlib import Path

import numpy as np
import pytest

from x25.training.org.fit import Seen, start
from x25.training.org.report import (
    JUDGE_AUC,
    Org,
    figures,
    judge_table,
    judged_calls,
    learning_curve,
    report,
)

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"


def make_org(seed=0, prompts=900, inputs=12):
    """Return an org whose difficulty the bundled head does not know at all."""
    rng = np.random.default_rng(seed)

    def side(count, name):
        z = rng.standard_normal((count, inputs))
        right = rng.random((count, 3)) < 1 / (1 + np.exp(2.0 * z[:, :1] - np.array([-0.5, 0.5, 1.5])))
        ones = np.ones(3 * count)
        seen = Seen(
            np.repeat(z, 3, axis=0), 0.0 * ones, np.tile(np.arange(3), count), ones, ones,
            np.repeat([f"{name}{row}" for row in range(count)], 3), ("slm", "mid", "frontier"),
            np.array([0.4, 1.1, 1.7]),
        )  # fmt: skip
        return seen, right.astype(float)

    (train, train_right), (test, test_right) = side(prompts, "a"), side(500, "b")
    costs = np.array([0.05, 0.2, 1.0])
    return Org(train, test, train_right, test_right, np.tile(costs, (500, 1)), np.full((500, 3), 0.01), costs)


def test_the_simulated_judges_table_has_its_auc():
    assert judge_table().auc == pytest.approx(JUDGE_AUC, abs=0.02)


def test_an_orgs_calls_are_prompts_once_each_with_what_the_judge_said():
    calls = judged_calls(make_org(), 300, judge_table(), np.random.default_rng(0))
    assert len(set(calls.seen.group)) == len(calls.seen) == 300
    assert 0.15 < calls.held_out.mean() < 0.25
    assert set(calls.seen.model) == {0, 1, 2}


def test_own_calls_teach_what_the_bundled_head_does_not_know():
    curve = learning_curve(make_org(), seeds=1, counts=(200, 800))
    assert curve["bundled"]["auc"] == pytest.approx(0.5, abs=0.01)
    assert curve["offsets 800"]["auc"] == pytest.approx(0.5, abs=0.01)
    assert curve["own 200"]["auc"] > 0.7
    assert curve["bundled"]["auc"] < curve["own 800"]["auc"] <= curve["ceiling"]["auc"] + 0.02
    assert curve["own 800"]["log_loss"] < curve["offsets 800"]["log_loss"] - 0.05
    assert curve["own 800"]["went_live"] == 1.0


def test_better_predictions_cost_less_at_equal_score():
    org, table = make_org(1), judge_table()
    knowing = start(org.test)
    knowing.levels[:] = [-0.5, 0.5, 1.5]
    knowing.slopes[:] = 1.0
    knowing.u[0] = 2.0
    blind, wise = (figures(one, org, table, np.random.default_rng(0)) for one in (start(org.test), knowing))
    assert wise["cost_share"] < blind["cost_share"] + 0.02
    assert wise["log_loss"] < blind["log_loss"]


@pytest.mark.train
@pytest.mark.slow
def test_the_curve_rises_on_a_recorded_source(tmp_path):
    pytest.importorskip("pyarrow", reason="needs the train extra")
    if not DATA.is_dir():
        pytest.skip("the recorded outcomes are not beside the checkout")
    from x25.providers.embeddings import open_encoder

    found = report(DATA, open_encoder(""), tmp_path, ["routerbench"], seeds=2)["routerbench"]["curve"]
    assert found["own 2000"]["auc"] > found["bundled"]["auc"] + 0.1
    assert found["own 2000"]["log_loss"] < found["offsets 2000"]["log_loss"]
