import os
from pathlib import Path

import numpy as np
import pytest

from x25.training.data.recorded import is_held_out
from x25.training.fit.encoder_probe import cross_validated_pearson, main, read_train_rows

DATA = Path(os.environ.get("X25_DATA", Path(__file__).parents[4] / "shared" / "data"))
needs_data = pytest.mark.skipif(not (DATA / "prompts").is_dir(), reason=f"no recorded outcomes at {DATA}")


def test_inputs_that_cause_the_target_are_told_from_inputs_that_do_not():
    rng = np.random.default_rng(0)
    values, other = rng.normal(size=(2_000, 8)), rng.normal(size=(2_000, 8))
    target = values @ np.arange(8.0) + rng.normal(size=2_000)
    folds = np.arange(2_000) % 5
    assert cross_validated_pearson(values, folds, target) > 0.95
    assert abs(cross_validated_pearson(other, folds, target)) < 0.1


def test_a_row_is_never_estimated_from_its_own_fold():
    rng = np.random.default_rng(1)
    folds = np.arange(1_000) % 5
    # One input per row pair of a fold: only a row's own fold could tell its target.
    values = np.eye(1_000)
    assert cross_validated_pearson(values, folds, rng.normal(size=1_000)) < 0.1


def test_an_input_that_never_varies_does_no_harm():
    rng = np.random.default_rng(2)
    values = np.column_stack([np.ones(500), rng.normal(size=500)])
    assert cross_validated_pearson(values, np.arange(500) % 5, values[:, 1]) > 0.99


@pytest.mark.train
@needs_data
def test_held_out_prompts_are_not_read_and_a_group_is_in_one_fold():
    from x25.training.data.dataset import load_source

    data = load_source(DATA, "routerbench")
    prompts, folds, target = read_train_rows(DATA, "routerbench", 500)
    group_of = dict(zip(data["prompt"], data["group"], strict=True))
    groups = [group_of[prompt] for prompt in prompts]
    assert len(prompts) == len(folds) == len(target) == 500
    assert not is_held_out(groups).any()
    assert len(set(zip(groups, folds.tolist(), strict=True))) == len(set(groups))
    assert read_train_rows(DATA, "routerbench", 500)[0] == prompts


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
