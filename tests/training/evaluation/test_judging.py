import numpy as np
import pytest

from x25.routing.belief.judge_table import BINS, DEFAULT_TABLE
from x25.training.data.metrics import auc
from x25.training.data.parquet import write_rows
from x25.training.evaluation.judging import (
    JudgePrice,
    RecordedJudge,
    fit_table,
    read_recorded_judge,
    simulated_scores,
)

PAIRS = 4_000


def half_right(count):
    return np.tile([[1.0, 0.0]], (count, 1))


def test_a_judgement_costs_the_tokens_it_reads_and_writes():
    price = JudgePrice(
        input_usd_per_mtok=1.0, output_usd_per_mtok=10.0, instruction_tokens=50, answer_tokens=5
    )
    cost = price.cost_usd(np.array([[100.0, 0.0]]), np.array([[50.0, 0.0]]))
    assert cost == pytest.approx(np.array([[250e-6, 100e-6]]))


@pytest.mark.parametrize("strength", [0.75, 0.85, 0.95])
def test_a_simulated_judge_is_as_strong_as_asked(strength):
    correct = half_right(PAIRS)
    found = auc(simulated_scores(correct, strength, np.random.default_rng(1), shared=0.0), correct)
    # Hanley and McNeil (1982): three standard errors of an AUC.
    q1, q2 = strength / (2 - strength), 2 * strength**2 / (1 + strength)
    spread = strength * (1 - strength) + (PAIRS - 1) * (q1 + q2 - 2 * strength**2)
    assert found == pytest.approx(strength, abs=3 * np.sqrt(spread) / PAIRS)


def test_scores_are_probabilities_of_no_fixed_sign_of_the_truth():
    scores = simulated_scores(half_right(PAIRS), 0.85, np.random.default_rng(0))
    assert 0.0 < scores.min() < scores.max() < 1.0
    assert scores.mean() == pytest.approx(0.5, abs=0.02)
    assert 0.05 < (scores[:, 0] < scores[:, 1]).mean() < 0.25  # some wrong answers look better


@pytest.mark.parametrize("shared", [0.0, 0.2, 0.6])
def test_the_noise_of_two_answers_to_one_prompt_is_shared_as_asked(shared):
    scores = simulated_scores(np.ones((PAIRS, 2)), 0.85, np.random.default_rng(2), shared)
    logits = np.log(scores / (1 - scores))
    # Three standard errors of a correlation.
    assert np.corrcoef(logits.T)[0, 1] == pytest.approx(shared, abs=3 * (1 - shared**2) / np.sqrt(PAIRS))


def test_shared_noise_does_not_change_how_single_answers_are_ranked():
    correct = half_right(PAIRS)
    apart, together = (
        auc(simulated_scores(correct, 0.85, np.random.default_rng(3), shared), correct)
        for shared in (0.0, 0.6)
    )
    assert together == pytest.approx(apart, abs=0.03)


@pytest.mark.parametrize("strength", [0.75, 0.85, 0.95])
def test_a_table_of_many_labels_is_as_strong_as_the_judge(strength):
    correct = half_right(PAIRS)
    scores = simulated_scores(correct, strength, np.random.default_rng(4))
    table = fit_table(scores, correct, "many")
    assert sum(table.right) == pytest.approx(1.0)
    assert sum(table.wrong) == pytest.approx(1.0)
    # Five bins lose a point or two against the scores themselves.
    assert strength - 0.03 < table.auc < strength + 0.01
    filled = np.bincount([table.bin_of(score) for score in scores.ravel()], minlength=BINS)
    assert filled == pytest.approx(np.full(BINS, 2 * PAIRS / BINS), abs=2)


def test_a_table_without_labels_of_its_own_is_the_default_one():
    few = np.array([0.1, 0.9])
    table = fit_table(few, np.array([0.0, 1.0]), "few")
    assert table.right == pytest.approx(DEFAULT_TABLE.right, abs=0.05)
    assert table.wrong == pytest.approx(DEFAULT_TABLE.wrong, abs=0.05)
    heavy = fit_table(few, np.array([0.0, 1.0]), "heavy", start=1e9)
    assert (heavy.right, heavy.wrong) == (
        pytest.approx(DEFAULT_TABLE.right, abs=1e-6),
        pytest.approx(DEFAULT_TABLE.wrong, abs=1e-6),
    )


def test_soft_qualities_are_shared_between_right_and_wrong():
    scores = np.repeat([0.1, 0.3, 0.5, 0.7, 0.9], 100)
    table = fit_table(scores, np.full(500, 0.25), "soft", start=1e-9)
    # A quality that says nothing of the score fills all bins alike, for right as for wrong.
    assert table.right == pytest.approx([0.2] * 5)
    assert table.wrong == pytest.approx([0.2] * 5)
    assert not table.is_trusted


@pytest.mark.parametrize("scores", [[0.5] * 20, [0.0] * 18 + [1.0] * 2, [0.2, 0.8] * 10])
def test_scores_that_are_mostly_equal_still_make_a_table(scores):
    table = fit_table(np.array(scores), np.tile([0.0, 1.0], 10), "ties")
    assert all(low < high for low, high in zip(table.edges, table.edges[1:], strict=False))


def test_resampled_scores_come_from_answers_of_a_like_reference_score():
    reference = np.concatenate([np.full(50, 0.1), np.full(50, 0.75), np.full(50, 0.97)])
    judge = RecordedJudge(
        reference, np.concatenate([np.arange(50), 100 + np.arange(50), 200 + np.arange(50.0)])
    )
    asked = np.array([[0.2, 0.96], [0.79, 0.0], [0.71, 1.0]] * 30)
    drawn = judge.resample(asked, np.random.default_rng(0))
    assert (drawn // 100).tolist() == [[0.0, 2.0], [1.0, 0.0], [1.0, 2.0]] * 30
    assert len(np.unique(drawn[:, 0])) > 20  # drawn, not copied from one
    assert not np.array_equal(drawn, judge.resample(asked, np.random.default_rng(1)))


def test_a_reference_score_nobody_recorded_takes_the_nearest_bucket():
    judge = RecordedJudge(np.array([0.1, 0.97]), np.array([1.0, 2.0]))
    rng = np.random.default_rng(0)
    assert judge.resample(np.array([0.4, 0.92]), rng).tolist() == [1.0, 2.0]


def test_a_recorded_judge_is_paired_with_the_reference_by_answer(tmp_path):
    pytest.importorskip("pyarrow", reason="needs the train extra")

    rows = [("p1", "a", "ref", 0.9), ("p1", "b", "ref", 0.2), ("p2", "a", "ref", 0.5), ("p1", "b", "own", 0.3),
            ("p1", "a", "own", 0.8), ("p3", "a", "own", 0.1)]  # fmt: skip
    names = ("prompt_id", "model", "judge", "score")
    rows = [dict(zip(names, row, strict=True)) for row in rows]
    write_rows(tmp_path / "judges" / "small.parquet", rows)
    judge = read_recorded_judge(tmp_path, "small", "own", "ref")
    assert sorted(zip(judge.reference, judge.score, strict=True)) == [(0.2, 0.3), (0.9, 0.8)]
    with pytest.raises(ValueError, match="no scores of judge 'other' for small; there are own, ref"):
        read_recorded_judge(tmp_path, "small", "other", "ref")
    with pytest.raises(FileNotFoundError, match=r"judges/none\.parquet"):
        read_recorded_judge(tmp_path, "none", "own", "ref")
