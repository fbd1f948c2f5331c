import re

import pytest

from x25.training.report import sections


def rows(section):
    """Return the cells of each row of tables as texts."""
    return [
        [re.sub(r"<[^>]+>", " ", cell).split() for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", str(section))
    ]


@pytest.mark.parametrize(
    "make_section",
    [
        sections.headline,
        sections.points,
        sections.baselines,
        sections.matched,
        sections.task_types,
        sections.splits,
    ],
)
def test_no_panel_is_no_section(make_section):
    assert make_section({}) is None


def test_the_headline_has_one_row_a_panel_with_models_and_judge(make):
    head, first, second = rows(sections.headline({"a": make["panel"](), "b": make["panel"]()}))
    assert len(head) == len(first) == len(second) == 9
    assert {"Synthetic", "sums", "a", "small-1", "middle-1", "large-1", "200"} <= set(first[0])
    assert first[1] == ["simulated", "AUC", "0.84"]


def test_all_frozen_points_are_listed_with_their_findings(make):
    section = sections.points({"a": make["panel"]()})
    assert len(rows(section)) == 1 + 4
    found = re.findall(r'class="chip (\w+)"', str(section))
    assert found == ["claimed", "unproven", "no_saving", "worse"]


def test_baselines_stand_beneath_the_router_with_unknown_ones_last(make):
    panel = make["panel"]()
    panel["baselines"]["mine"] = {"score": 0.5}
    names = [" ".join(row[0]) for row in rows(sections.baselines({"a": panel}))[1:]]
    assert names == [
        "Router, Match", "Always slm small-1", "Always mid middle-1", "Always frontier large-1", "Random",
        "Best single large-1", "Oracle", "mine",
    ]  # fmt: skip


def test_a_baseline_shows_score_cost_cut_and_points(make):
    held = {" ".join(row[0]): row[1:] for row in rows(sections.baselines({"a": make["panel"]()}))}
    assert held["Oracle"] == [["88.0"], ["$0.00110"], ["78", "%"], ["+8.0"]]


def test_the_external_marks_stand_beneath_our_figures(make):
    _, ours, mark = rows(sections.matched({"a": make["panel"]()}))
    assert [" ".join(cell) for cell in ours[2:]] == ["+2.9 %", "60.0 %", "80.0 %"]
    assert [" ".join(cell) for cell in mark[2:]] == ["+4.0 %", "31.7 %", "–"]


def test_task_types_are_counted_before_they_are_listed(make):
    section = sections.task_types({"a": make["panel"]()})
    said = re.sub(r"<[^>]+>", "", str(section))
    assert (
        "1 of 2 rows cut cost by 79 % or more with a score that is not lower; on 1 the interval excludes"
        in said
    )
    assert [row[0][0] for row in rows(section)[1:]] == ["code", "qa"]


def test_the_spread_over_splits_is_left_out_where_there_was_one(make):
    assert "+1.7 ± 0.9" in sections.splits({"a": make["panel"]()})
    assert sections.splits({"a": make["panel"](over_splits={})}) is None
