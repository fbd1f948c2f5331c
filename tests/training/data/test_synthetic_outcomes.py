import numpy as np

from x25.training.data.synthetic_outcomes import PROMPTS, synthetic_outcomes, synthetic_profiles


def test_the_same_seed_gives_the_same_corpus_and_another_seed_another():
    assert synthetic_outcomes(7).outcomes == synthetic_outcomes(7).outcomes
    assert synthetic_outcomes(7).outcomes != synthetic_outcomes(8).outcomes


def test_every_subject_answers_every_prompt_and_agents_are_not_profiled():
    outcomes = synthetic_outcomes(1)
    counts = outcomes.counts()
    assert (counts.rows, counts.prompts, counts.subjects) == (8 * PROMPTS, PROMPTS, 8)
    assert {row.model_id for row in outcomes if row.subject_profiled} == set(synthetic_profiles())


def test_a_longer_corpus_begins_with_a_shorter_one():
    short, long = synthetic_outcomes(1, prompts=12), synthetic_outcomes(1, prompts=24)
    assert long.outcomes[: len(short)] == short.outcomes


def test_longer_chains_are_harder_and_abler_models_complete_more():
    outcomes = synthetic_outcomes(3)
    share = {
        name: np.mean([row.score for row in outcomes if row.model_id == name])
        for name in ("synthetic/tiny", "synthetic/medium", "synthetic/best")
    }
    assert share["synthetic/tiny"] < share["synthetic/medium"] < share["synthetic/best"]
    easy = [row.score for row in outcomes if len(row.prompt) < 40]
    hard = [row.score for row in outcomes if len(row.prompt) > 70]
    assert np.mean(easy) > np.mean(hard) + 0.3


def test_dearer_models_cost_more_and_agents_have_no_price():
    outcomes = synthetic_outcomes(3, prompts=1)
    costs = [row.cost_usd for row in outcomes if row.subject_profiled]
    assert costs == sorted(costs)
    assert {row.cost_usd for row in outcomes if not row.subject_profiled} == {None}
