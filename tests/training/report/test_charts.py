import math

import pytest

from x25.training.report.charts import Mark, area_of, calibration_chart, frontier_chart, marks_of


@pytest.fixture
def frontier(eyes):
    return lambda panel: eyes["chart"](frontier_chart("sums", panel))


@pytest.fixture
def calibration(eyes):
    return lambda panel: eyes["chart"](calibration_chart("sums", panel))


def middle(box):
    left, bottom, right, top = box
    return (left + right) / 2, (bottom + top) / 2


def test_every_way_of_choosing_is_a_mark_that_says_its_figures(make, frontier):
    # Random and the oracle; the best single model is one of the tiers.
    assert list(frontier(make["panel"]()).marks) == [
        "slm: score 60.0 at $0.000200 per call",
        "mid: score 70.0 at $0.00100 per call",
        "frontier (best single): score 80.0 at $0.00500 per call",
        "random: score 70.0 at $0.00210 per call",
        "oracle: score 88.0 at $0.00110 per call",
        "Match: score 82.3 at $0.00200 per call",
        "Budget: score 81.2 at $0.00200 per call",
        "no judge: score 80.0 at $0.00500 per call",
        "no judge: score 76.0 at $0.00200 per call",
    ]


def test_both_curves_and_the_mixture_are_lines_told_apart(make, frontier):
    panel = make["panel"](operating_points={})
    drawn = frontier(panel)
    thick, dashed = sorted(drawn.strokes("accent"), key=lambda style: "stroke-dasharray" in style)
    assert "stroke-dasharray" not in thick
    assert "stroke-dasharray" in dashed
    assert float(thick["stroke-width"]) > float(dashed["stroke-width"])
    assert sum("stroke-dasharray" in style for style in drawn.strokes("soft")) == 1


def test_a_frozen_point_has_bars_for_both_intervals(make, frontier):
    without = frontier(make["panel"](operating_points={}))
    points = {"match": make["point"]()}
    assert len(frontier(make["panel"](operating_points=points)).lines) - len(without.lines) == 2
    bare = {"match": make["point"](score_delta_points={"value": 1.0}, cut=None)}
    assert len(frontier(make["panel"](operating_points=bare)).lines) == len(without.lines)


def test_bars_stand_around_the_score_and_the_cost_of_the_frontier_model(make):
    point = make["point"](
        score_delta_points=make["spread"](2.0, 1.0, 3.0), cut=make["spread"](0.6, 0.5, 0.75)
    )
    mark = marks_of(make["panel"](operating_points={"match": point}))[-1]
    assert mark.score_interval == pytest.approx((0.81, 0.83))
    assert mark.cost_interval == pytest.approx((0.00125, 0.0025))


def test_the_description_holds_the_figures_for_those_who_do_not_see_the_chart(make, frontier):
    drawn = frontier(make["panel"]())
    assert drawn.label.startswith("Cost per call against score on Synthetic sums. ")
    assert all(said in drawn.label for said in drawn.marks)


def test_costs_far_apart_are_drawn_on_a_logarithm_and_free_models_are_not(make, frontier):
    assert "cost per call, US dollars (logarithmic)" in frontier(make["panel"]()).words
    panel = make["panel"]()
    panel["baselines"]["always_slm"]["cost_usd_per_call"] = 0.0
    assert "cost per call, US dollars" in frontier(panel).words


def test_a_dearer_point_stands_further_right_and_a_better_one_higher(make, frontier, eyes):
    points = {
        "match": make["point"](cost_usd_per_call=0.001, score=0.7),
        "budget": make["point"](cost_usd_per_call=0.004, score=0.9),
    }
    marks = frontier(make["panel"](operating_points=points)).marks
    places = {said.partition(":")[0]: middle(eyes["box"](mark)) for said, mark in marks.items()}
    assert places["Match"][0] < places["Budget"][0]
    assert places["Match"][1] > places["Budget"][1]


def test_points_in_one_place_share_a_label(make, frontier):
    points = {"match": make["point"](), "budget": make["point"]()}
    assert "Match = Budget" in frontier(make["panel"](operating_points=points)).words


def test_baselines_the_chart_does_not_know_are_named_as_they_are(make, frontier):
    panel = make["panel"]()
    panel["baselines"]["mine"] = {"score": 0.5, "cost_usd_per_call": 0.001}
    assert "mine" in frontier(panel).words


def test_marks_say_their_kind_by_their_colour():
    colours = {kind: Mark("a", (1.0, 0.5), kind).colour for kind in ("slm", "point", "baseline")}
    assert len(set(colours.values())) == 3
    assert Mark("a", (1.0, 0.5), "point without a judge").colour == colours["point"]


def test_a_panel_without_figures_has_no_chart():
    assert frontier_chart("sums", {"operating_points": {}}) is None


def test_a_fuller_bin_has_the_larger_mark_in_proportion_to_its_area(make, calibration, eyes):
    drawn = calibration(make["panel"](tiers={"slm": make["panel"]()["tiers"]["slm"]}))
    boxes = {said: eyes["box"](mark) for said, mark in drawn.marks.items()}
    full, thin = (
        next(box for said, box in boxes.items() if f"{count} prompts" in said) for count in (40, 10)
    )
    assert ((full[2] - full[0]) / (thin[2] - thin[0])) ** 2 == pytest.approx(40 / 10, rel=0.02)


def test_each_tier_has_its_own_shape_and_colour(make, calibration, eyes):
    marks = calibration(make["panel"]()).marks
    drawn = {said.partition(":")[0]: mark for said, mark in marks.items()}
    corners = {tier: mark.get("d").count("L") for tier, mark in drawn.items()}
    assert corners == {"slm": 0, "mid": 3, "frontier": 3}
    left, _, right, _ = eyes["box"](drawn["frontier"])
    assert f"{(right - left) / 2:.2f}" in drawn["frontier"].get("d")  # a diamond's corner lies on its axis
    for tier, mark in drawn.items():
        assert eyes["style"](mark)["fill"] == f"var(--{tier})"
    assert len(marks) == 6


def test_marks_of_all_shapes_have_the_same_area():
    circle = area_of("o", 10.0)
    assert circle == 400.0  # the library's size of a circle is its diameter's square
    # Of a square and a diamond the size is the area itself.
    assert area_of("s", 10.0) == area_of("D", 10.0) == pytest.approx(math.pi * 100.0)


def test_calibration_errors_are_in_the_description(make, calibration):
    assert "calibration error 0.031, seed form 0.092" in calibration(make["panel"]()).label


@pytest.mark.parametrize(
    "tiers", [{}, {"slm": {}}, {"slm": {"calibration": None}}, {"slm": {"calibration": [{"count": 0}]}}]
)
def test_without_bins_there_is_no_chart(make, tiers):
    assert calibration_chart("sums", make["panel"](tiers=tiers)) is None
