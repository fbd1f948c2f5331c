import math
from dataclasses import replace

import pytest

from x25.training.data.outcomes import Outcome, Outcomes


def outcome(prompt_id="p", model_id="m", score=1.0, **fields):
    return Outcome(
        **{"prompt": f"text of {prompt_id}", "source": "test"}
        | fields
        | {"prompt_id": prompt_id, "model_id": model_id, "score": score}
    )


def answered(prompt_id, scores):
    """Return one outcome of a prompt for each score, each of another model."""
    return [outcome(prompt_id, f"m{index}", score) for index, score in enumerate(scores)]


def many(prompts):
    return Outcomes(tuple(outcome(f"p{index}", model) for index in range(prompts) for model in ("a", "b")))


def prompts_of(outcomes):
    return {row.prompt_id for row in outcomes}


@pytest.mark.parametrize("name", ["prompt_id", "prompt", "model_id", "source"])
def test_an_outcome_needs_its_names_and_its_prompt(name):
    with pytest.raises(ValueError, match=f"expected {name} to hold text, got ''"):
        replace(outcome(), **{name: ""})


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_score_is_finite(score):
    with pytest.raises(ValueError, match="expected score to be a finite number"):
        outcome(score=score)


@pytest.mark.parametrize("name", ["cost_usd", "latency_s"])
@pytest.mark.parametrize("amount", [-0.1, math.nan, math.inf])
def test_cost_and_latency_are_finite_and_not_negative(name, amount):
    with pytest.raises(ValueError, match=f"expected {name} to be a finite number of at least 0"):
        outcome(**{name: amount})


def test_counts_say_rows_prompts_and_subjects():
    counts = Outcomes((outcome("p", "a"), outcome("p", "b"), outcome("q", "b"))).counts()
    assert (counts.rows, counts.prompts, counts.subjects) == (3, 2, 2)
    assert str(replace(counts, rows=378_397)) == "378,397 rows, 2 prompts, 2 subjects"


def test_scores_within_zero_and_one_stay_as_they_are():
    scores = [0.2, 0.5, 0.8]
    assert [row.score for row in Outcomes.scaled(answered("p", scores))] == scores


@pytest.mark.parametrize("scores", [[1.0, 3.0, 5.0], [-1.0, 0.0, 1.0]])
def test_other_scores_are_scaled_over_the_whole_set(scores):
    assert [row.score for row in Outcomes.scaled(answered("p", scores))] == [0.0, 0.5, 1.0]


def test_one_score_outside_zero_and_one_has_no_range_to_scale():
    with pytest.raises(ValueError, match=r"of more than one value, got only 7\.0"):
        Outcomes.scaled(answered("p", [7.0, 7.0]))


def test_a_set_holds_no_score_outside_zero_and_one():
    with pytest.raises(ValueError, match=r"expected scores in \[0, 1\], got 1.5 for 'm' on 'p'"):
        Outcomes((outcome(score=1.5),))


def test_joined_sets_keep_their_own_scale_and_add_up_what_they_skipped():
    first = Outcomes.scaled(answered("p", [0.2, 0.4]), {"no score": 2}, {"p": "g"})
    second = Outcomes.scaled(answered("q", [0.0, 10.0]), {"no score": 1, "demo run": 4})
    joined = Outcomes.join([first, second])
    assert [row.score for row in joined] == [0.2, 0.4, 0.0, 1.0]
    assert joined.skipped == {"no score": 3, "demo run": 4}
    assert joined.groups == {"p": "g"}


def test_sets_that_mean_different_prompts_by_one_id_are_not_joined():
    sets = [Outcomes((outcome("1", prompt="Hi"),)), Outcomes((outcome("1", prompt="Bye"),))]
    with pytest.raises(ValueError, match="expected one text per prompt_id, got two for '1'"):
        Outcomes.join(sets)


def test_an_answer_completes_its_prompt_from_the_threshold_on():
    outcomes = Outcomes(tuple(answered("p", [0.74, 0.75, 1.0])))
    assert outcomes.completed().tolist() == [False, True, True]
    assert outcomes.completed(0.8).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("prompts", "test_size", "expected"), [(10, 0.2, 2), (10, 0.25, 3), (3, 0.01, 1), (2, 0.9, 1)]
)
def test_a_split_keeps_each_prompt_on_one_side(prompts, test_size, expected):
    train, test = many(prompts).split_by_prompt(test_size)
    assert len(prompts_of(test)) == expected
    assert not prompts_of(train) & prompts_of(test)
    assert len(train) + len(test) == 2 * prompts


def test_a_split_depends_on_the_seed_and_not_on_the_order_of_the_rows():
    outcomes = many(50)
    backwards = replace(outcomes, outcomes=outcomes.outcomes[::-1])
    _, test = outcomes.split_by_prompt(seed=1)
    assert prompts_of(backwards.split_by_prompt(seed=1)[1]) == prompts_of(test)
    assert prompts_of(outcomes.split_by_prompt(seed=2)[1]) != prompts_of(test)


@pytest.mark.parametrize("seed", range(5))
def test_a_split_keeps_each_group_on_one_side(seed):
    groups = {f"p{index}": f"g{index // 4}" for index in range(40)}
    train, test = replace(many(50), groups=groups).split_by_prompt(seed=seed)
    sides = [{groups.get(name, name) for name in prompts_of(side)} for side in (train, test)]
    assert not sides[0] & sides[1]
    assert 10 <= len(prompts_of(test)) <= 13


def test_a_group_that_is_named_like_a_prompt_does_not_take_it_in():
    train, test = replace(many(2), groups={"p0": "p1"}).split_by_prompt()
    assert len(prompts_of(train)) == len(prompts_of(test)) == 1


def test_one_group_cannot_be_split():
    with pytest.raises(ValueError, match="expected at least 2 groups of prompts to split, got 1"):
        replace(many(3), groups=dict.fromkeys(("p0", "p1", "p2"), "g")).split_by_prompt()


@pytest.mark.parametrize("test_size", [0.0, 1.0])
def test_a_test_set_is_a_part_of_the_whole(test_size):
    with pytest.raises(ValueError, match=r"expected test_size in \(0, 1\)"):
        many(3).split_by_prompt(test_size)
