from dataclasses import replace

import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.training.evaluation.judged import (
    RECORDED_PRICE,
    PanelJudge,
    TrainCosts,
    panel_judge,
    problem_of,
    table_of,
    train_costs,
)
from x25.training.evaluation.judging import JudgePrice, RecordedJudge
from x25.training.evaluation.panels import load_panels

JUDGE = PanelJudge(auc=0.85)
UNIT = TrainCosts(frontier_usd=0.004, judge_usd=0.0002)


@pytest.fixture(scope="module")
def side(make_side):
    rng = np.random.default_rng(0)
    costs = np.tile([0.001, 0.002, 0.004], (2_000, 1))
    return make_side((rng.random((2_000, 3)) < 0.6).astype(float), costs, predicted=costs * [2.0, 1.0, 0.5])


def test_a_panel_is_judged_by_whom_it_names(train_dir, panels_dir):
    made, rated = load_panels(["made", "rated"], panels_dir)
    simulated = panel_judge(made, None, train_dir)
    assert (simulated.auc, simulated.recorded, simulated.price) == (0.85, None, JudgePrice())
    assert simulated.description == "simulated judge of AUC 0.85"
    recorded = panel_judge(rated, None, train_dir)
    assert (recorded.auc, recorded.price) == (None, RECORDED_PRICE)
    assert len(recorded.recorded.score) == 240 * 4
    assert "recorded" in recorded.description


def test_an_auc_given_replaces_any_judge(train_dir, panels_dir):
    for panel in load_panels(["made", "rated"], panels_dir):
        assert panel_judge(panel, 0.7, train_dir) == PanelJudge(auc=0.7)


def test_a_recorded_judge_the_folder_lacks_is_named(tmp_path, panels_dir):
    pytest.importorskip("pyarrow", reason="needs the train extra")
    with pytest.raises(FileNotFoundError, match="judges"):
        panel_judge(*load_panels(["rated"], panels_dir), None, tmp_path)


def test_a_table_of_train_labels_is_about_as_strong_as_the_judge(side):
    table = table_of(JUDGE, side, np.random.default_rng(1))
    assert table.auc == pytest.approx(0.83, abs=0.025)
    assert table.name == JUDGE.description


def test_a_problem_speaks_in_calls_of_the_frontier_on_train(side):
    problem = problem_of(side, JUDGE, DEFAULT_TABLE, UNIT, np.random.default_rng(2))
    assert problem.predicted_costs[0] == pytest.approx([0.5, 0.5, 0.5])
    assert problem.judge_cost == pytest.approx(0.05)
    assert problem.costs_usd is side.costs_usd  # what is reported stays in dollars
    assert problem.judge_costs_usd[0, 0] == pytest.approx(1e-6 * (350 * 0.15 + 20 * 0.6))
    assert problem.thetas is side.completion_probs


def test_bins_are_those_the_table_gives_a_score(side):
    judge = PanelJudge(auc=None, recorded=RecordedJudge(np.array([0.0, 1.0]), np.array([0.2, 0.9])))
    problem = problem_of(side, judge, DEFAULT_TABLE, UNIT, np.random.default_rng(0))
    expected = np.where(side.scores > 0.5, DEFAULT_TABLE.bin_of(0.9), DEFAULT_TABLE.bin_of(0.2))
    assert np.array_equal(problem.bins, expected)


def test_every_draw_of_the_judge_is_a_fresh_one(side):
    rng = np.random.default_rng(3)
    first, second = (problem_of(side, JUDGE, DEFAULT_TABLE, UNIT, rng).bins for _ in range(2))
    again = problem_of(side, JUDGE, DEFAULT_TABLE, UNIT, np.random.default_rng(3)).bins
    assert (first != second).mean() > 0.3
    assert np.array_equal(first, again)


def test_train_costs_are_the_means_of_train(side):
    costs = train_costs(JUDGE, side)
    assert costs.frontier_usd == pytest.approx(0.004)
    assert costs.judge_usd == pytest.approx(1e-6 * (350 * 0.15 + 20 * 0.6))


def test_what_answers_turned_out_to_be_long_changes_the_bill_but_no_decision(side):
    # The tokens of an answer are known only once it was bought and judged.
    longer = replace(side, output_tokens=side.output_tokens * 50)
    short, long = (
        problem_of(one, JUDGE, DEFAULT_TABLE, UNIT, np.random.default_rng(4)) for one in (side, longer)
    )
    assert long.judge_cost == short.judge_cost
    assert np.array_equal(long.predicted_costs, short.predicted_costs)
    assert (long.judge_costs_usd > 5 * short.judge_costs_usd).all()
