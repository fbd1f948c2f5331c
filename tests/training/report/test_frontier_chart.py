import re

from x25.training.report.frontier_chart import frontier_chart


def classes(chart):
    return re.findall(r'class="([^"]*)"', str(chart))


def test_every_way_of_choosing_is_a_mark_and_both_curves_and_the_mixture_are_lines(make):
    drawn = classes(frontier_chart("sums", make["panel"]()))
    assert [name for name in drawn if name.startswith("mark tier")] == [
        "mark tier slm", "mark tier mid", "mark tier frontier",
    ]  # fmt: skip
    # Random and the oracle; the best single model is one of the tiers.
    assert drawn.count("mark baseline") == 2
    assert (drawn.count("mark point"), drawn.count("mark point-prompt")) == (2, 2)
    assert {"line plan", "line prompt-only", "line mixture"} <= set(drawn)


def test_the_best_single_model_is_named_at_its_tier(make):
    assert "frontier (best single)" in frontier_chart("sums", make["panel"]())


def test_a_frozen_point_has_bars_for_both_intervals(make):
    panel = make["panel"](operating_points={"match": make["point"]()})
    assert classes(frontier_chart("sums", panel)).count("bar point") == 2


def test_the_description_holds_the_figures_for_those_who_do_not_see_the_chart(make):
    label = re.search(r'aria-label="([^"]*)"', str(frontier_chart("sums", make["panel"]()))).group(1)
    assert "Match: score 82.3 at $0.00200 per call" in label


def test_costs_far_apart_are_drawn_on_a_logarithm_and_free_models_are_not(make):
    assert "(logarithmic)" in frontier_chart("sums", make["panel"]())
    panel = make["panel"]()
    panel["baselines"]["always_slm"]["cost_usd_per_call"] = 0.0
    assert "(logarithmic)" not in frontier_chart("sums", panel)


def test_a_dearer_point_stands_further_right_and_a_better_one_higher(make):
    points = {
        "match": make["point"](cost_usd_per_call=0.001, score=0.7),
        "budget": make["point"](cost_usd_per_call=0.004, score=0.9),
    }
    chart = str(frontier_chart("sums", make["panel"](operating_points=points)))
    marks = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="6"', chart)
    (x0, y0), (x1, y1) = [(float(x), float(y)) for x, y in marks]
    assert x0 < x1
    assert y0 > y1


def test_a_panel_without_figures_has_no_chart():
    assert frontier_chart("sums", {"operating_points": {}}) is None


def test_points_in_one_place_share_a_label(make):
    points = {"match": make["point"](), "budget": make["point"]()}
    chart = frontier_chart("sums", make["panel"](operating_points=points))
    assert ">Match = Budget<" in chart
