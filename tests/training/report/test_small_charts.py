import re

import pytest

from x25.training.report.small_charts import calibration_chart, mix_bar, mix_figure


def test_a_fuller_bin_has_the_larger_mark_in_proportion_to_its_area(make):
    panel = make["panel"](tiers={"slm": make["panel"]()["tiers"]["slm"]})
    large, small = (float(r) for r in re.findall(r' r="([\d.]+)"', str(calibration_chart("sums", panel))))
    assert (large / small) ** 2 == pytest.approx(40 / 10, rel=0.02)


def test_each_tier_has_its_own_shape(make):
    chart = str(calibration_chart("sums", make["panel"]()))
    assert len(re.findall(r"<circle [^>]*bubble slm", chart)) == 2
    assert len(re.findall(r"<polygon [^>]*bubble mid", chart)) == 2
    assert len(re.findall(r"<polygon [^>]*bubble frontier", chart)) == 2


def test_calibration_errors_are_in_the_description(make):
    assert "calibration error 0.031, seed form 0.092" in calibration_chart("sums", make["panel"]())


@pytest.mark.parametrize(
    "tiers", [{}, {"slm": {}}, {"slm": {"calibration": None}}, {"slm": {"calibration": [{"count": 0}]}}]
)
def test_without_bins_there_is_no_chart(make, tiers):
    assert calibration_chart("sums", make["panel"](tiers=tiers)) is None


def test_the_parts_of_a_bar_lie_end_to_end_and_are_written(make):
    bar = str(mix_bar({"frontier": 0.2, "slm": 0.5, "mid": 0.3}, "Sums"))
    parts = [
        (float(x), float(width)) for x, width in re.findall(r'<rect x="([\d.]+)" y="0" width="([\d.]+)"', bar)
    ]
    assert parts == [(0.0, 50.0), (50.0, 30.0), (80.0, 20.0)]
    assert 'aria-label="Sums: slm 50 %, mid 30 %, frontier 20 %"' in bar


def test_unknown_shares_have_no_bar():
    assert mix_bar({}, "Sums") is None
    assert mix_bar({"slm": None}, "Sums") is None


def test_a_figure_has_a_bar_for_every_point(make):
    assert str(mix_figure("sums", make["panel"]())).count("<svg") == 4
    assert mix_figure("sums", {"operating_points": {}}) is None
