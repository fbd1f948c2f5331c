import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE, JudgeTable, table_from_counts
from x25.state.logged_arms import LoggedArm
from x25.training.off_policy.outcomes import NEVER, Judges, worth_of

SMALL = LoggedArm("v/small", "slm", 0.7, 0.7, 0.6, 40.0, 1_000, 1_000.0, 1.0)
LARGE = LoggedArm("v/large", "frontier", 0.3, 0.9, 0.9, 40.0, 100_000, 1_000.0, 1.0)
ARMS = [SMALL, LARGE]
WEIGHTS = DEFAULT_TABLE.reward_weights()


@pytest.fixture
def worth(logged_call, seen):
    """Return a function that says what a call of the small model was worth."""

    def of(score_bin=None, seen_prob=0.25, judges=None, **more):
        verdict = more.pop("verdict", None) or seen(score_bin, seen_prob)
        call = logged_call(0, ARMS, 0, decision={"first_verdict": verdict}, **more)
        return worth_of(call, ARMS, SMALL, judges or Judges())

    return of


def test_an_answer_nobody_looked_at_is_worth_what_is_believed_and_weighs_nothing(worth):
    assert worth() == worth()
    assert (worth().value, worth().sighting, worth().source) == (0.6, 0.0, "not looked at")
    assert worth(seen_prob=0.0).source == NEVER


def test_an_answer_looked_at_stands_for_those_that_were_not(worth):
    found = worth(4, quality_score=0.9, quality_source="judge")
    assert found.value == pytest.approx(0.6 + (WEIGHTS[4] - 0.6) / 0.25)
    assert (found.sighting, found.source) == (4.0, "judge")


def test_over_scores_and_looks_it_is_right_on_average_whatever_is_believed(worth):
    true, seen_prob = 0.8, 0.25
    looked = sum(
        (true * DEFAULT_TABLE.right[b] + (1 - true) * DEFAULT_TABLE.wrong[b]) * worth(b).value
        for b in range(5)
    )
    assert seen_prob * looked + (1 - seen_prob) * worth().value == pytest.approx(true)


def test_a_climb_takes_off_the_answer_it_replaced_and_adds_the_one_it_bought(worth):
    climbed = {"model_id": "v/large", "escalations": 1, "quality_score": 0.93}
    found = worth(0, **climbed)
    replaced = DEFAULT_TABLE.posterior(0.6, 0)
    assert found.value == pytest.approx(0.6 + (WEIGHTS[0] - 0.6) / 0.25 + 0.93 - replaced)
    assert found.source == "estimate"
    judged = worth(0, **(climbed | {"quality_score": 0.1, "quality_source": "judge"}))
    assert judged.value == pytest.approx(found.value - 0.93 + DEFAULT_TABLE.posterior(0.9, 0))


def test_a_failed_check_and_a_call_without_an_answer_are_worth_nothing(worth):
    assert worth(verdict={"outcome": "failed_check"}, quality_source="checks", quality_score=0.0).value == 0.0
    assert worth(status="failed", model_id=None).value == 0.0


def test_a_failover_and_what_a_verifier_decided_are_as_the_log_took_them(worth):
    found = worth(verdict={"outcome": None}, model_id="v/large", fallbacks=1, quality_score=0.77)
    assert (found.value, found.sighting, found.source) == (0.77, 1.0, "estimate")


def test_labels_move_what_a_score_stands_for(worth):
    moved = table_from_counts(DEFAULT_TABLE, (0, 0, 0, 0, 400), (400, 0, 0, 0, 0))
    assert worth(4, judges=Judges({"v/judge": moved})).value < worth(4).value


def test_scores_of_a_judge_too_weak_to_be_trusted_say_nothing(worth):
    blunt = JudgeTable("blunt", DEFAULT_TABLE.edges, (0.2, 0.2, 0.2, 0.2, 0.2), (0.21, 0.2, 0.2, 0.2, 0.19))
    found = worth(4, quality_score=0.9, quality_source="judge", judges=Judges({"v/judge": blunt}))
    assert (found.value, found.source) == (0.6, NEVER)


@pytest.mark.parametrize("score", [None, "high", float("nan")])
def test_a_damaged_score_says_nothing(worth, score):
    verdict = {"outcome": "scored", "score": score, "seen_prob": 0.5, "judge_model": "v/judge"}
    assert worth(verdict=verdict).value == 0.6
