import numpy as np
import pytest

from x25.training.data.parquet import write_rows
from x25.training.data.recorded import fold_of, is_held_out, read_recorded

PROMPTS = ("p1", "p2", "p3")
GROUPS = [f"group {number}" for number in range(2_000)]


def outcome(prompt_id, model, score, cost_usd=0.001):
    return {
        "prompt_id": prompt_id, "model": model, "score": score, "correct": score > 0.5, "cost_usd": cost_usd,
        "input_tokens": 10, "output_tokens": 5,
    }  # fmt: skip


def write(folder, outcomes):
    pytest.importorskip("pyarrow", reason="needs the train extra")

    prompts = [
        {
            "prompt_id": one,
            "dataset": f"d{one}",
            "task_type": "qa",
            "group": f"g{one}",
            "prompt": f"Ask {one}",
        }
        for one in PROMPTS
    ]
    for table, rows in (("prompts", prompts), ("outcomes", outcomes)):
        write_rows(folder / table / "small.parquet", rows)
    return folder


@pytest.fixture
def recorded(tmp_path):
    outcomes = [outcome("p3", "b", 0.25), outcome("p1", "b", 1.0), outcome("p1", "a", 0.75, None)]
    return read_recorded(write(tmp_path, outcomes), "small")


def test_outcomes_stand_in_the_row_of_their_prompt_and_the_column_of_their_model(recorded):
    assert recorded.models == ("a", "b")
    assert recorded.prompt_ids.tolist() == list(PROMPTS)
    assert recorded.scores[0].tolist() == [0.75, 1.0]
    assert recorded.scores[2, 1] == 0.25
    assert recorded.correct[2, 1] == 0.0
    assert recorded.input_tokens[0].tolist() == [10.0, 10.0]


def test_what_was_not_recorded_is_nan(recorded):
    assert np.isnan(recorded.scores).tolist() == [[False, False], [True, True], [True, False]]
    assert np.isnan(recorded.costs_usd).tolist() == [[True, False], [True, True], [True, False]]


@pytest.mark.parametrize("rows", [[2, 0], np.array([True, False, True])])
def test_rows_are_taken_from_everything_that_has_rows(recorded, rows):
    taken = recorded.take(rows)
    order = [2, 0] if isinstance(rows, list) else [0, 2]
    assert len(taken) == 2
    assert taken.prompt_ids.tolist() == [PROMPTS[row] for row in order]
    assert taken.prompts == [f"Ask {PROMPTS[row]}" for row in order]
    assert taken.groups.tolist() == [f"g{PROMPTS[row]}" for row in order]
    assert taken.scores[:, 1].tolist() == recorded.scores[order, 1].tolist()
    assert taken.models == recorded.models


def test_columns_follow_the_order_asked_for(recorded):
    assert recorded.columns(["b", "a"]) == [1, 0]


def test_an_unknown_model_is_refused_by_name(recorded):
    with pytest.raises(ValueError, match="'small' has no outcomes of c; it has a, b"):
        recorded.columns(["a", "c"])


def test_a_pass_rate_needs_enough_models(recorded):
    assert np.isnan(recorded.pass_rate()).all()
    assert recorded.pass_rate(2)[0] == 1.0
    assert recorded.pass_rate(1)[2] == 0.0
    assert np.isnan(recorded.pass_rate(1)[1])


def test_an_outcome_of_no_prompt_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match="a prompt it lacks: 'p9'"):
        read_recorded(write(tmp_path, [outcome("p1", "a", 1.0), outcome("p9", "a", 1.0)]), "small")


def test_a_source_that_is_not_there_is_named(tmp_path):
    pytest.importorskip("pyarrow", reason="needs the train extra")
    with pytest.raises(FileNotFoundError, match=r"prompts/nowhere\.parquet"):
        read_recorded(tmp_path, "nowhere")


def test_a_group_is_on_the_same_side_on_every_machine():
    # Literal: a hash that differs between machines or processes would differ from this.
    assert is_held_out(list("abcdefghij")).tolist() == [
        True, False, False, False, False, True, False, False, False, True,
    ]  # fmt: skip
    assert fold_of(list("abcdef")).tolist() == [4, 4, 3, 2, 3, 1]


@pytest.mark.parametrize("side_of", [is_held_out, fold_of])
def test_groups_are_never_divided(side_of):
    groups = GROUPS[:50] * 4
    sides = side_of(np.random.default_rng(0).permutation(groups), seed=3)
    by_group = dict(zip(np.random.default_rng(0).permutation(groups), sides, strict=True))
    assert [by_group[group] for group in groups] == side_of(groups, seed=3).tolist()


def test_about_one_group_in_five_is_held_out():
    # 2,000 draws of 1/5: a standard deviation of .9 points; three are allowed.
    for seed in range(3):
        assert is_held_out(GROUPS, seed).mean() == pytest.approx(0.2, abs=0.027)


def test_folds_are_about_equally_large():
    sizes = np.bincount(fold_of(GROUPS, folds=4))
    assert sizes.sum() == 2_000
    assert sizes.min() > 2_000 / 4 * 0.85


def test_another_seed_is_an_independent_split():
    first, second = is_held_out(GROUPS, 0), is_held_out(GROUPS, 1)
    assert (first & second).mean() == pytest.approx(0.04, abs=0.015)
    assert (fold_of(GROUPS) != fold_of(GROUPS, seed=1)).mean() > 0.7
    # Folds divide what a split left: they must not follow it.
    assert len(np.unique(fold_of(np.array(GROUPS)[first]))) == 5
