import pytest

from x25.training.report import reading


@pytest.mark.parametrize("value", [None, True, "1", float("nan"), float("inf"), [1.0], {}])
def test_what_is_no_finite_number_is_none(value):
    assert reading.number({"a": {"b": value}}, "a", "b") is None


def test_numbers_are_found_along_a_path_and_nowhere_else():
    figures = {"a": {"b": 2}}
    assert reading.number(figures, "a", "b") == 2.0
    assert reading.number(figures, "a", "b", "c") is None
    assert reading.number(None, "a") is None


def test_a_list_with_one_bad_number_is_no_list_of_numbers():
    assert reading.numbers({"a": [1, 2.5]}, "a") == [1.0, 2.5]
    assert reading.numbers({"a": [1, None]}, "a") == []
    assert reading.numbers({"a": "12"}, "a") == []


def test_a_curve_whose_parts_differ_in_length_is_none():
    assert reading.series({"c": {"score": [0.1], "cost_usd_per_call": [1.0]}}, "c") == [(1.0, 0.1)]
    assert reading.series({"c": {"score": [0.1, 0.2], "cost_usd_per_call": [1.0]}}, "c") == []


def test_an_interval_has_two_ends():
    assert reading.interval({"cut": {"ci95": [0.1, 0.2]}}, "cut") == (0.1, 0.2)
    assert reading.interval({"cut": {"ci95": [0.1]}}, "cut") is None


def test_tiers_stand_in_ladder_order_with_unknown_ones_last():
    assert reading.tiers_of({"odd": 1, "frontier": 1, "slm": 1, "mid": 1}) == [
        "slm",
        "mid",
        "frontier",
        "odd",
    ]


def test_panels_are_what_has_operating_points():
    panel = {"operating_points": {}}
    assert reading.panels_of({"panels": {"a": panel, "b": {}}, "train": {}}) == {"a": panel}
    assert reading.panels_of({"a": panel, "schema": 1}) == {"a": panel}
    assert reading.panels_of({"panels": None}) == {}


def test_known_points_come_first():
    panel = {"operating_points": {"mine": {}, "budget": {}, "match": {}}}
    assert list(reading.points_of(panel)) == ["match", "budget", "mine"]


def test_a_panel_without_a_title_is_called_by_its_name():
    assert (reading.title_of("a", {}), reading.title_of("a", {"title": "A"})) == ("a", "A")


def test_a_judge_counts_as_simulated_unless_it_was_recorded():
    assert reading.is_judge_simulated({})
    assert reading.is_judge_simulated({"judge": {"description": "simulated judge of AUC 0.85"}})
    assert not reading.is_judge_simulated({"judge": {"description": "recorded noise of a judge, resampled"}})
    assert not reading.is_judge_simulated({"judge": {"recorded_pairs": 289}})
