"""What the sections about an evaluation say."""

import re

import pytest

from x25.training.report import render


@pytest.fixture
def section(make, eyes):
    """Return one section of a page about these panels, the made-up one unless told."""
    return lambda name, panels=None: eyes["section"](render(panels or {"a": make["panel"]()}), name)


@pytest.mark.parametrize(
    "name", ["headline", "frontier", "baselines", "matched", "types", "points", "splits"]
)
def test_no_panel_is_no_section(name, eyes):
    assert eyes["section"](render({"panels": {}}), name) is None


def test_the_headline_has_one_row_a_panel_with_models_and_judge(make, section, eyes):
    head, first, second = eyes["rows"](section("headline", {"a": make["panel"](), "b": make["panel"]()}))
    assert len(head) == len(first) == len(second) == 9
    assert first[0] == "Synthetic sums a slm small-1 mid middle-1 frontier large-1 200 test prompts"
    assert first[1] == "simulated AUC 0.84"
    assert first[2:] == [
        "82.3", "+2.3 +0.4 to +4.2", "60 % 55 to 65", "$0.00200", "1.25", "50 % 30 % 20 %", "Saving, no loss",
    ]  # fmt: skip


def test_a_panel_without_figures_is_told_in_dashes(make, section, eyes):
    *_, row = eyes["rows"](section("headline", {"a": make["panel"](operating_points={})}))
    assert row[2:] == ["–", "– –", "– –", "–", "–", "", "No figures"]


def test_hovering_shows_a_number_unrounded(make, section):
    points = {"match": make["point"](score=0.823456789, cut={"value": 0.612345678, "ci95": [0.5, 0.7]})}
    shown = section("headline", {"a": make["panel"](operating_points=points)})
    assert 'title="0.823456789"' in shown
    assert 'title="0.612345678"' in shown


def test_all_frozen_points_are_listed_with_their_findings(section, eyes):
    listed = section("points")
    assert len(eyes["rows"](listed)) == 1 + 4
    assert re.findall(r'class="chip (\w+)"', listed) == ["claimed", "unproven", "no_saving", "worse"]


def test_baselines_stand_beneath_the_router_with_unknown_ones_last(make, section, eyes):
    panel = make["panel"]()
    panel["baselines"]["mine"] = {"score": 0.5}
    held = {name: rest for name, *rest in eyes["rows"](section("baselines", {"a": panel}))[1:]}
    assert list(held) == [
        "Router, Match", "Always slm small-1", "Always mid middle-1", "Always frontier large-1", "Random",
        "Best single large-1", "Oracle", "mine",
    ]  # fmt: skip
    assert held["Oracle"] == ["88.0", "$0.00110", "78 %", "+8.0"]
    assert held["mine"] == ["50.0", "–", "–", "–"]


def test_the_external_marks_stand_beneath_our_figures(section, eyes):
    _, ours, mark = eyes["rows"](section("matched"))
    assert ours[2:] == ["+2.9 %", "60.0 %", "80.0 %"]
    assert mark[2:] == ["+4.0 %", "31.7 %", "–"]


def test_task_types_are_counted_before_they_are_listed(section, eyes):
    listed = section("types")
    assert (
        "1 of 2 rows cut cost by 79 % or more with a score that is not lower; on 1 the interval excludes"
        in eyes["text"](listed)
    )
    assert [row[0] for row in eyes["rows"](listed)[1:]] == ["code Synthetic sums", "qa Synthetic sums"]


def test_the_spread_over_splits_is_left_out_where_there_was_one(make, section):
    assert "+1.7 ± 0.9" in section("splits")
    assert section("splits", {"a": make["panel"](over_splits={})}) is None


@pytest.mark.parametrize(
    ("name", "figures"), [("frontier", "<figure>"), ("calibration", "<figure>"), ("mix", "<figure>")]
)
def test_every_panel_has_its_chart_and_an_empty_one_has_none(make, section, name, figures):
    full = make["panel"]()
    assert section(name, {"a": full, "b": {"operating_points": {}}}).count(figures) == 1
    assert section(name, {"b": {"operating_points": {}}}) is None


def test_the_gain_over_the_static_mixture_and_the_judge_stand_beneath_a_chart(section, eyes):
    said = eyes["text"](section("frontier"))
    assert "Match is +6.3 points above the best static mixture at its cost. Judge: simulated." in said


def test_a_legend_explains_every_kind_of_mark_and_line(section, eyes):
    legend = eyes["text"](re.search(r'<ul class="legend">.*?</ul>', section("frontier"), re.DOTALL)[0])
    assert legend == (
        "router with judge router without judge static mixture of models frozen point frozen point, no judge "
        "slm mid frontier other ways of choosing"
    )


def test_calibration_stands_beside_the_seed_form(section, eyes):
    assert "ECE 0.031, seed form 0.092 (0.34 of it), mean of 5 models" in eyes["text"](section("calibration"))


def test_the_parts_of_a_bar_lie_end_to_end_and_are_written(make, section):
    points = {"match": make["point"](tier_share={"frontier": 0.2, "slm": 0.5, "mid": 0.3})}
    shown = section("mix", {"a": make["panel"](operating_points=points)})
    parts = re.findall(r'<rect x="([\d.]+)" y="0" width="([\d.]+)"', shown)
    assert [(float(x), float(width)) for x, width in parts] == [(0.0, 50.0), (50.0, 30.0), (80.0, 20.0)]
    assert 'aria-label="Synthetic sums, Match: slm 50 %, mid 30 %, frontier 20 %"' in shown


def test_every_point_has_a_bar_and_unknown_shares_have_none(make, section):
    assert section("mix").count("<svg") == 4
    points = {
        "match": make["point"](tier_share={"slm": None}),
        "budget": make["point"](tier_share={"slm": 1.0}),
    }
    assert section("mix", {"a": make["panel"](operating_points=points)}).count("<svg") == 1


def test_a_note_says_how_many_judges_are_simulated(make, section):
    simulated, recorded = make["panel"](), make["panel"](judge={"recorded_pairs": 5})
    assert "Judges are simulated in all panels." in section("headline", {"a": simulated, "b": simulated})
    assert "Judges are simulated in 1 of 2 panels" in section("headline", {"a": simulated, "b": recorded})
    assert "simulated" not in section("headline", {"b": recorded})
    assert "recorded, resampled" in section("headline", {"b": recorded})
