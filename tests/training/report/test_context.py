import pytest

from x25.training.report.context import context_of, flattened, unrounded


def test_whatever_is_absent_is_empty():
    found = context_of({}, {})
    assert (found["panels"], found["rungs"], found["loops"], found["everything_held"]) == ({}, [], [], {})
    assert found["charts"]["frontier"] == {}
    assert found["charts"]["regret"] is None


def test_every_panel_has_its_charts_and_an_empty_one_has_none(make):
    charts = context_of({"a": make["panel"](), "b": {"operating_points": {}}}, {})["charts"]
    assert list(charts["frontier"]) == list(charts["calibration"]) == ["a"]


def test_every_panel_has_one_finding(make):
    points = {"match": make["point"](is_reached_on_train=False)}
    panels = {"a": make["panel"](), "b": make["panel"](operating_points=points), "c": make["panel"]()}
    found = context_of(panels, {})["said"]["by_finding"]
    assert {kind: list(held) for kind, held in found.items() if held} == {
        "claimed": ["a", "c"], "not_reached": ["b"],
    }  # fmt: skip


def test_prompts_of_one_source_are_counted_once(make):
    panels = {
        "a": make["panel"](),
        "b": make["panel"](prompts={"test": 199}),
        "c": make["panel"](source="other"),
    }
    assert context_of(panels, {})["said"]["tested"] == 400


def test_learners_are_listed_from_the_least_regret(replay):
    assert context_of({}, replay)["learners"] == ["x25 warm", "random"]


def test_a_rung_without_a_ceiling_is_no_rung(replay):
    replay["ladder"].append({"reward": 1.0})
    assert [rung["ceiling_usd"] for rung in context_of({}, replay)["rungs"]] == [0.0001, 0.001]


def test_the_loop_becomes_a_table_of_utility_and_one_of_the_distance_to_the_ceiling(replay):
    (title, windows, cells), (below, _, distances) = context_of({}, replay)["loops"]
    assert (title, windows) == ("sums: utility", ["0-50", "50-100"])
    assert cells == {"warm": ["61.5", "64.5"], "ceiling": ["61.5", "64.5"]}
    assert below == "sums: points below the ceiling ± s.e."
    assert distances == {"warm": ["+3.2 ± 0.5"]}


def test_curves_are_no_figures_of_a_drift(replay):
    found = context_of({}, replay)["drift_figures"]
    assert found == {"frontier-worse": ["phase_rewards", "detection_steps", "median_alarm_step"]}


def test_nested_figures_are_flattened_to_their_leaves():
    assert flattened({"a": {"b": 1.5, "c": [1, 2]}, "d": "x", "e": None}) == [
        ("a.b", "1.5"), ("a.c", "[1, 2]"), ("d", "x"), ("e", "null"),
    ]  # fmt: skip


@pytest.mark.parametrize("value", [None, {}, 1.5, "text", [1]])
def test_what_is_no_mapping_of_figures_has_no_leaves(value):
    assert flattened(value) == []


def test_figures_are_written_out_in_full():
    assert unrounded({"x": 0.123456789012}) == '{\n "x": 0.123456789012\n}'
