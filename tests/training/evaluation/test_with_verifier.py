"""A panel whose wrong answers hedge: the free verifier must find that out on train and save judgements on test."""

import json

import numpy as np
import pytest

from x25.training.evaluation.panels import load_panels
from x25.training.evaluation.report import evaluate_panels
from x25.training.evaluation.run import Request
from x25.training.evaluation.with_verifier import JUDGES, figures_of

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def figures(verified_fit):
    return figures_of(verified_fit, np.random.default_rng(5))


def test_judgements_are_saved_and_the_score_holds(figures):
    saved = figures["judges"]["85"]["saved"]["match"]["at_the_price_without"]
    assert saved["judge_calls_share"] > 0.1
    assert saved["score_change_points"]["ci95"][1] > 0.0
    assert set(figures["judges"]) == set(JUDGES)
    for one in figures["judges"].values():
        assert (
            set(one["saved"])
            == set(one["judge_alone"])
            == set(one["with_verifier"])
            == {"match", "match_0", "budget"}
        )


def test_alone_no_judge_is_paid(figures):
    for name in ("verifier_alone", "verifier_alone_with_pairs"):
        assert [point["judge_calls_per_request"] for point in figures[name].values()] == [0.0] * 3


def test_errors_shared_are_measured_on_train(figures):
    apart, shared = (figures["judges"][name]["error_correlation"] for name in ("85", "85_shared"))
    assert max(abs(value) for value in apart.values()) < 0.2
    assert min(shared.values()) > 0.25


def test_the_report_holds_them_for_panels_with_answers(answered, panels_dir, encoder, train_dir):
    steps = []
    panels = load_panels(["made"], panels_dir)
    report = evaluate_panels(
        panels, answered, encoder, with_verifier=True, step=lambda name, total: steps.append((name, total))
    )
    assert report["panels"]["made"]["verifier"]["judges"]["85"]["saved"]["match"]
    assert ("made, verifier", 1) in steps
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    plain = evaluate_panels(panels, Request(train_dir, train_dir, seeds=1), encoder, with_verifier=True)
    assert "verifier" not in plain
    assert "verifier" not in plain["panels"]["made"]


def test_figures_are_out_of_fold_on_train_and_frozen_there(figures, verified_fit):
    frontier = float(verified_fit.train.side.scores[:, -1].mean())
    for point in figures["judges"]["85"]["judge_alone"].values():
        if point["is_reached_on_train"]:
            assert 0.0 < point["quality_price"] <= 2.0
    match = figures["judges"]["85"]["with_verifier"]["match"]
    assert match["is_reached_on_train"] == (match["train_score"] >= frontier + 0.01)
