import math

import pytest

from x25.state.lessons import Lesson, Watch

GIVEN = {"step": 0, "model_id": "v/m", "tier": "mid", "task_cell": "qa", "success": 0.75, "failure": 0.25,
         "selection": (-0.2, 0.5)}  # fmt: skip


def test_a_lesson_in_range_is_as_it_should_be():
    Lesson(**GIVEN).check()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"success": -0.1}, "success"), ({"failure": math.nan}, "failure"),
        ({"selection": (0.5, -0.1)}, "predicted"), ({"selection": (math.inf, 0.5)}, "learning weight"),
    ],
)  # fmt: skip
def test_a_lesson_out_of_range_is_named(changes, named):
    with pytest.raises(ValueError, match=named):
        Lesson(**(GIVEN | changes)).check()


def test_an_observation_nothing_was_expected_of_is_not_watched():
    assert Watch.after(None, 0.9, 0.01) == Watch(fast_gamma=0.9, return_hazard=0.01)


def test_a_watched_observation_moves_both_sums_and_the_odds_of_a_repair():
    watch = Watch.after((0.5, -1.5), 0.9, 0.01)
    assert (watch.rise, watch.fall, watch.watched) == (0.5, -1.5, 1)
    assert watch.return_ratio == pytest.approx(math.exp(0.5))
    assert watch.columns()["rise"] == 0.5
