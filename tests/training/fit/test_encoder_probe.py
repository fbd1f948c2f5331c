import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from x25.training.data.recorded import Recorded, fold_of, is_held_out
from x25.training.fit.encoder_probe import cross_validated_pearson, main, read_train_prompts

pytestmark = pytest.mark.slow

DATA = Path(os.environ.get("X25_DATA", Path(__file__).parents[4] / "shared" / "data"))
needs_data = pytest.mark.skipif(not (DATA / "prompts").is_dir(), reason=f"no recorded outcomes at {DATA}")


def recorded_of(difficulty, models=40):
    """Return prompts in groups of their own that so many models answered, fewer the harder they are."""
    count = len(difficulty)
    chance = 1.0 / (1.0 + np.exp(difficulty))
    correct = (np.random.default_rng(9).random((count, models)) < chance[:, None]).astype(float)
    names = np.array([f"p{row}" for row in range(count)])
    return Recorded(
        source="made", prompt_ids=names, prompts=names.tolist(), datasets=names, task_types=names, groups=names,
        models=tuple(f"m{column}" for column in range(models)),
        scores=correct, correct=correct, costs_usd=correct, input_tokens=correct, output_tokens=correct,
    )  # fmt: skip


def test_inputs_that_cause_the_difficulty_are_told_from_inputs_that_do_not():
    rng = np.random.default_rng(0)
    values, other = rng.normal(size=(2_000, 8)), rng.normal(size=(2_000, 8))
    recorded = recorded_of(values @ np.linspace(0.2, 0.6, 8))
    assert cross_validated_pearson(values, recorded) > 0.9
    assert abs(cross_validated_pearson(other, recorded)) < 0.1


def test_a_row_is_never_estimated_from_its_own_fold():
    # One input a row: only a row's own fold could tell its difficulty.
    recorded = recorded_of(np.random.default_rng(1).normal(size=1_000))
    assert cross_validated_pearson(np.eye(1_000), recorded) < 0.1


def test_an_input_that_never_varies_does_no_harm():
    values = np.column_stack([np.ones(500), np.random.default_rng(2).normal(size=500)])
    assert cross_validated_pearson(values, recorded_of(values[:, 1])) > 0.85


def test_near_duplicates_share_a_fold():
    recorded = recorded_of(np.zeros(100))
    recorded = replace(recorded, groups=np.array([f"g{row // 4}" for row in range(100)]))
    assert (fold_of(recorded.groups).reshape(25, 4).std(axis=1) == 0).all()


@pytest.mark.train
@needs_data
def test_held_out_prompts_are_not_read_and_the_same_ones_are_drawn():
    recorded = read_train_prompts(DATA, "routerbench", 500)
    assert len(recorded) == 500
    assert not is_held_out(recorded.groups).any()
    assert read_train_prompts(DATA, "routerbench", 500).prompts == recorded.prompts


@pytest.mark.train
@needs_data
def test_two_encoders_are_compared_on_the_same_prompts(capsys, tmp_path):
    from x25.providers.embeddings import BUNDLED_FOLDER

    other = tmp_path / "copy"
    other.symlink_to(BUNDLED_FOLDER)
    main(
        ["--data", str(DATA), "--encoder", "bundled", "--encoder", str(other), "--source", "zeroeval",
         "--most-prompts", "800"]
    )  # fmt: skip
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["encoder", "source"]
    assert first.split()[1:5] == second.split()[1:5]
    assert float(first.split()[4]) > 0.4
