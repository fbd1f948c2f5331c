import numpy as np
import pytest

from x25.training.replay.regret import CURVE_POINTS, Setting, curve, curve_steps, measure_regret, summary
from x25.training.replay.streams import Replayed

pytestmark = pytest.mark.slow


def test_a_summary_tells_the_worst_order_from_the_mean():
    missed = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    found = summary(1.0 - missed, missed)
    assert found == {
        "reward": pytest.approx(4 / 6), "regret": 1.0, "regret_sd": 1.0, "worst_order": 2.0, "at_200": 1.0,
    }  # fmt: skip


def test_a_curve_ends_at_the_whole_regret():
    missed = np.full((3, 500), 0.1)
    steps = curve_steps(500)
    assert len(steps) == CURVE_POINTS
    assert steps[-1] == 499
    assert curve(missed)[-1] == pytest.approx(50.0)


def test_learning_beats_chance_and_a_warm_start_beats_a_cold_one(replayed):
    figures, curves = measure_regret(replayed, Setting(orders=6))
    assert figures["x25 warm"]["regret"] < figures["x25 cold"]["regret"] + 1.0
    assert figures["x25 cold"]["regret"] < 0.6 * figures["random"]["regret"]
    assert figures["x25-classic"]["regret"] < figures["random"]["regret"]
    assert set(curves["regret"]) == set(figures)
    assert all(len(values) == len(curves["steps"]) for values in curves["regret"].values())


def test_no_order_is_catastrophic_where_predictions_are_wrong(side):
    backwards = type(side)(**{**vars(side), "probs": side.probs[:, ::-1]})
    figures, _ = measure_regret(Replayed(backwards, backwards, 0), Setting(orders=6))
    assert figures["x25 warm"]["regret"] < figures["greedy p(x)"]["regret"]
    assert figures["x25 warm"]["worst_order"] <= 1.1 * figures["greedy p(x)"]["regret"]


def test_always_one_arm_misses_the_same_in_every_order(replayed):
    side = replayed.stream
    figures, _ = measure_regret(replayed, Setting(orders=3))
    assert figures["always m1"]["regret"] == pytest.approx((side.best - side.rewards[:, 1]).sum())
    assert figures["always m1"]["regret_sd"] == pytest.approx(0.0)


def test_a_cold_stream_has_no_warm_learner(side):
    figures, _ = measure_regret(Replayed(side, None, 0), Setting(orders=2))
    assert not any("warm" in name or "greedy" in name for name in figures)


def test_the_same_seed_gives_the_same_figures(replayed):
    assert measure_regret(replayed, Setting(orders=2)) == measure_regret(replayed, Setting(orders=2))
