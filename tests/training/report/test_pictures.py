import pytest

from x25.training.report import pictures


@pytest.mark.parametrize("draw", [pictures.frontiers, pictures.calibrations, pictures.mixes])
def test_every_panel_has_its_chart_and_an_empty_one_has_none(make, draw):
    full = make["panel"]()
    assert str(draw({"a": full, "b": full})).count("<figure>") == 2
    assert str(draw({"a": full, "b": {"operating_points": {}}})).count("<figure>") == 1
    assert draw({"b": {"operating_points": {}}}) is None


def test_the_gain_over_the_static_mixture_and_the_judge_stand_beneath_a_chart(make):
    said = pictures.frontiers({"a": make["panel"]()})
    assert "Match is +6.3 points above the best static mixture at its cost. Judge: simulated." in said


def test_calibration_stands_beside_the_seed_form(make):
    said = pictures.calibrations({"a": make["panel"]()})
    assert "ECE 0.031, seed form 0.092 (0.34 of it), mean of 5 models" in said


def test_a_legend_explains_every_kind_of_mark_and_line(make):
    said = pictures.frontiers({"a": make["panel"]()})
    for kind in (
        "router with judge",
        "router without judge",
        "static mixture",
        "frozen point",
        "slm",
        "other ways",
    ):
        assert kind in said, kind
