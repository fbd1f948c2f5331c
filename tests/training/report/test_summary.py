import re

from x25.training.report.summary import findings, summary


def text(panels):
    return re.sub(r"<[^>]+>", "", str(summary(panels)))


def test_a_claim_names_its_panel_its_saving_and_other_splits(make):
    said = text({"sums": make["panel"]()})
    assert "on 1 of 1 panels the bill is lower and the 95 % interval excludes a loss of quality" in said
    assert "Synthetic sums: 60 % cheaper at +2.3 points (+1.7 ± 0.9 over 5 splits)" in said


def test_where_a_loss_is_not_excluded_no_saving_is_claimed_and_the_worst_is_said(make):
    spread = make["spread"]
    points = {"match": make["point"](score_delta_points=spread(0.4, -1.9, 2.7))}
    said = text({"sums": make["panel"](operating_points=points)})
    assert "no saving at equal quality may be claimed on any panel" in said
    assert "a loss of up to 1.9 points cannot be excluded" in said
    assert "0 of 1panels where a saving without loss may be claimed" in said
    assert "nonecost cut on those panels" in said


def test_a_point_not_reached_on_train_is_named_and_claims_nothing(make):
    points = {"match": make["point"](is_reached_on_train=False)}
    said = text({"sums": make["panel"](operating_points=points)})
    assert "was not reached on train, so nothing is claimed: Synthetic sums" in said


def test_a_loss_that_is_sure_is_called_one(make):
    points = {"match": make["point"](score_delta_points=make["spread"](-4.0, -6.0, -2.0))}
    assert "at a loss of quality that the interval confirms" in text(
        {"a": make["panel"](operating_points=points)}
    )


def test_routing_without_a_judge_is_reported_as_it_is(make):
    assert "may claim such a saving on none of 1" in text({"sums": make["panel"]()})


def test_large_cuts_are_stated_whatever_they_are(make):
    assert "reached on 2 of 2 task types, on 1 of them with no lower score" in text({"sums": make["panel"]()})


def test_simulated_judges_are_confessed(make):
    assert "The judge is simulated in 1 of 1 panels" in text({"sums": make["panel"]()})
    recorded = make["panel"](judge={"recorded_pairs": 9})
    assert "resampled from recorded judges" in text({"sums": recorded})
    assert "in the rest its scores are resampled" in text({"a": make["panel"](), "b": recorded})


def test_prompts_of_one_source_are_counted_once(make):
    panels = {
        "a": make["panel"](),
        "b": make["panel"](prompts={"test": 199}),
        "c": make["panel"](source="other"),
    }
    assert "recorded answers to 400 prompts" in text(panels)


def test_every_panel_has_one_finding(make):
    points = {"match": make["point"](is_reached_on_train=False)}
    panels = {"a": make["panel"](), "b": make["panel"](operating_points=points), "c": make["panel"]()}
    assert findings(panels) == {"claimed": ["a", "c"], "not_reached": ["b"]}


def test_no_panel_is_no_result():
    assert "holds no panel" in summary({})
