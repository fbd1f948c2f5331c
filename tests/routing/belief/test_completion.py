import pytest

from x25.routing.belief.completion import TIER_PRIOR, completion_prob, measured_prob
from x25.routing.prompt.logistic import logit, sigmoid


@pytest.mark.parametrize(("tier", "level"), TIER_PRIOR.items())
def test_an_average_prompt_stands_at_the_tiers_prior(tier, level):
    assert completion_prob(tier=tier, capability=None, difficulty=0.0) == pytest.approx(level)


def test_harder_prompts_are_answered_less_often():
    easy, hard = (completion_prob(tier="mid", capability=None, difficulty=d) for d in (-2.0, 2.0))
    assert easy > 0.75 > hard


def test_without_trust_difficulty_does_not_count():
    assert completion_prob(tier="slm", capability=0.5, difficulty=3.0, trust=0.0) == pytest.approx(
        completion_prob(tier="slm", capability=0.5, difficulty=-3.0, trust=0.0)
    )


def test_capability_replaces_the_tier_by_the_published_coefficients():
    assert completion_prob(tier="slm", capability=0.5, difficulty=0.0) == pytest.approx(
        sigmoid(3.9 * 0.5 - 1.65)
    )
    assert completion_prob(tier="slm", capability=0.5, difficulty=0.0) == completion_prob(
        tier="frontier", capability=0.5, difficulty=0.0
    )


def test_the_level_of_an_extreme_capability_is_clipped():
    assert completion_prob(tier="slm", capability=5.0, difficulty=0.0) == pytest.approx(0.98)


def test_logit_and_sigmoid_undo_each_other_and_survive_extremes():
    assert sigmoid(logit(0.3)) == pytest.approx(0.3)
    assert sigmoid(-1e4) == 0.0
    assert sigmoid(1e4) == 1.0
    assert logit(0.0) == pytest.approx(logit(0.02))


def test_a_measured_model_is_as_good_as_measured_on_such_prompts_and_better_on_easier_ones():
    assert measured_prob(0.7, 1.5, 1.5) == pytest.approx(0.7)
    assert measured_prob(0.7, 1.5, -1.0) > 0.7 > measured_prob(0.7, 1.5, 3.0)


def test_a_few_prompts_prove_no_certainty():
    assert measured_prob(1.0, 0.0, 0.0) == pytest.approx(0.95)
    assert measured_prob(0.0, 0.0, 0.0) == pytest.approx(0.05)
