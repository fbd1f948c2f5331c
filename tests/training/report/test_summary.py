"""What the first paragraph says."""

import pytest

from x25.training.report import render


@pytest.fixture
def said(eyes):
    return lambda panels: eyes["text"](eyes["section"](render(panels), "result"))


def test_a_claim_names_its_panel_its_saving_and_other_splits(make, said):
    text = said({"sums": make["panel"]()})
    assert "on 1 of 1 panels the bill is lower and the 95 % interval excludes a loss of quality" in text
    assert "Synthetic sums: 60 % cheaper at +2.3 points (+1.7 ± 0.9 over 5 splits)" in text


def test_where_a_loss_is_not_excluded_no_saving_is_claimed_and_the_worst_is_said(make, said):
    points = {"match": make["point"](score_delta_points=make["spread"](0.4, -1.9, 2.7))}
    text = said({"sums": make["panel"](operating_points=points)})
    assert "no saving at equal quality may be claimed on any panel" in text
    assert "a loss of up to 1.9 points cannot be excluded" in text
    assert "0 of 1 panels where a saving without loss may be claimed" in text
    assert "none cost cut on those panels" in text


def test_beside_a_claim_the_panels_without_one_are_told_apart(make, said):
    points = {"match": make["point"](score_delta_points=make["spread"](0.4, -1.9, 2.7))}
    text = said({"a": make["panel"](), "b": make["panel"](operating_points=points)})
    assert "on 1 of 2 panels the bill is lower" in text
    assert "On 1 more the bill is 60 % lower and the score within 0.4 points of the strongest model's" in text
    assert "so no saving at equal quality is claimed there." in text


def test_a_point_not_reached_on_train_is_named_and_claims_nothing(make, said):
    points = {"match": make["point"](is_reached_on_train=False)}
    text = said({"sums": make["panel"](operating_points=points)})
    assert "was not reached on train, so nothing is claimed: Synthetic sums" in text


def test_a_loss_that_is_sure_is_called_one(make, said):
    points = {"match": make["point"](score_delta_points=make["spread"](-4.0, -6.0, -2.0))}
    assert "at a loss of quality that the interval confirms" in said(
        {"a": make["panel"](operating_points=points)}
    )


def test_a_higher_bill_is_no_saving_and_missing_figures_are_said(make, said):
    points = {"match": make["point"](cut=make["spread"](-0.2, -0.3, -0.1))}
    panels = {
        "a": make["panel"](operating_points=points),
        "b": make["panel"](operating_points={}, title="Empty"),
    }
    text = said(panels)
    assert "No saving is shown on Synthetic sums." in text
    assert "Without figures: Empty." in text


def test_routing_without_a_judge_is_reported_as_it_is(make, said):
    assert "may claim such a saving on none of 1" in said({"sums": make["panel"]()})


def test_large_cuts_are_stated_whatever_they_are(make, said):
    assert "reached on 2 of 2 task types, on 1 of them with no lower score" in said({"sums": make["panel"]()})


def test_simulated_judges_are_confessed(make, said):
    assert "The judge is simulated in 1 of 1 panels" in said({"sums": make["panel"]()})
    recorded = make["panel"](judge={"recorded_pairs": 9})
    assert "resampled from recorded judges" in said({"sums": recorded})
    assert "in the rest its scores are resampled" in said({"a": make["panel"](), "b": recorded})


def test_prompts_are_counted(make, said):
    assert "recorded answers to 400 prompts" in said(
        {"a": make["panel"](), "b": make["panel"](source="other")}
    )
