import pytest

from x25.training.report.derived import finding_of, hull, large_cuts, match_of, matched_saving


@pytest.mark.parametrize(
    ("gain", "cut", "finding"),
    [
        ((0.1, 2.0), (0.3, 0.5), "claimed"),
        ((0.0, 2.0), (0.3, 0.5), "claimed"),
        ((-0.1, 2.0), (0.3, 0.5), "unproven"),
        ((-3.0, -0.1), (0.3, 0.5), "worse"),
        ((0.1, 2.0), (0.004, 0.5), "no_saving"),
        ((0.0, 0.0), (0.0, 0.0), "no_saving"),
        ((0.1, 2.0), (-0.4, -0.1), "no_saving"),
    ],
)
def test_a_saving_is_claimed_only_where_both_intervals_allow_it(make, gain, cut, finding):
    point = make["point"](score_delta_points={"ci95": list(gain)}, cut={"ci95": list(cut)})
    assert finding_of(point) == finding


def test_what_train_did_not_reach_is_not_claimed_however_good_test_looks(make):
    assert finding_of(make["point"](is_reached_on_train=False)) == "not_reached"


def test_without_intervals_nothing_is_said(make):
    assert finding_of(make["point"](cut={"value": 0.5})) == "unknown"
    assert finding_of({}) == "unknown"


def test_the_two_measures_are_the_arithmetic_of_a_small_example(make):
    point, curve = make["point"], {"score": [0.9, 0.81, 0.79], "cost_usd_per_call": [0.004, 0.0015, 0.0001]}
    panel = {
        "baselines": {"best_single": {"score": 0.8, "cost_usd_per_call": 0.005}},
        "operating_points": {
            "match": point(score=0.84, cost_usd_per_call=0.002),
            "budget": point(score=0.78, cost_usd_per_call=0.001),
        },
        "curves": {"test": curve},
    }
    found = matched_saving(panel)
    assert found.perf_gain == pytest.approx(0.84 / 0.8 - 1)
    assert found.saved_share_frozen == pytest.approx(1 - 0.002 / 0.005)
    assert found.saved_share_hindsight == pytest.approx(1 - 0.0015 / 0.005)


def test_there_is_no_saving_at_matched_quality_where_no_point_matches(make):
    panel = make["panel"](operating_points={"match": make["point"](score=0.7)}, curves={})
    found = matched_saving(panel)
    assert found.perf_gain == pytest.approx(0.7 / 0.8 - 1)
    assert (found.saved_share_frozen, found.saved_share_hindsight) == (None, None)


def test_without_a_best_single_model_there_is_nothing_to_compare_with(make):
    found = matched_saving(make["panel"](baselines={}))
    assert (found.perf_gain, found.saved_share_frozen, found.saved_share_hindsight) == (None, None, None)


def test_large_cuts_are_counted_with_and_without_loss(make):
    found = large_cuts([make["panel"](), make["panel"](by_task_type={})])
    assert (found.rows, found.large, found.without_loss, found.loss_excluded) == (2, 2, 1, 1)


def test_a_type_whose_quality_is_unknown_does_not_count_as_kept(make):
    panel = make["panel"](by_task_type={"code": {"cut": {"value": 0.9}}})
    assert large_cuts([panel]).without_loss == 0


def test_the_hull_keeps_only_corners_no_mixture_beats():
    corners = hull([(1.0, 0.5), (2.0, 0.55), (3.0, 0.9), (4.0, 0.8)])
    assert corners == [(1.0, 0.5), (3.0, 0.9)]


def test_of_two_models_of_one_price_the_better_is_a_corner():
    assert hull([(1.0, 0.5), (1.0, 0.6), (2.0, 0.7)]) == [(1.0, 0.6), (2.0, 0.7)]
    assert hull([]) == []


def test_the_matching_point_is_empty_where_there_is_none(make):
    assert match_of({}) == {}
    assert match_of(make["panel"]())["score"] == 0.823
