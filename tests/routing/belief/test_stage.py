import pytest

from x25.routing.belief.stage import FEEDBACK_STAGE, FINE_TUNE_STAGE, STAGE_NAMES, require_stage, stage_of
from x25.state.errors import StageNotReached


def test_an_org_of_235_calls_is_in_the_feedback_stage():
    assert stage_of(235).to_json() == {
        "stage": 3,
        "stage_name": "Feedback",
        "total_calls": 235,
        "calls_to_next_stage": 265,
        "progress_in_stage": 0.117,
        "improvement_available": True,
    }


@pytest.mark.parametrize(
    ("calls", "stage", "name"),
    [
        (0, 1, "Explore"),
        (49, 1, "Explore"),
        (50, 2, "Exploit"),
        (199, 2, "Exploit"),
        (200, 3, "Feedback"),
        (499, 3, "Feedback"),
        (500, 4, "Fine-tune"),
        (10_000, 4, "Fine-tune"),
    ],
)
def test_stages_begin_at_their_call(calls, stage, name):
    assert (stage_of(calls).stage, stage_of(calls).name) == (stage, name)


def test_the_last_stage_is_complete_and_has_no_next():
    last = stage_of(500)
    assert last.progress_in_stage == 1.0
    assert last.calls_to_next_stage == 0


def test_improvement_waits_for_the_third_stage():
    assert not stage_of(199).improvement_available
    assert stage_of(200).improvement_available


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="total_calls must be >= 0, got -1"):
        stage_of(-1)


@pytest.mark.parametrize(
    ("calls", "stage", "needed"), [(0, 3, 200), (199, 3, 1), (49, 2, 1), (499, 4, 1), (235, 4, 265)]
)
def test_what_a_stage_opens_is_closed_before_and_says_how_many_calls_are_needed(calls, stage, needed):
    with pytest.raises(StageNotReached, match=f"{needed} more") as caught:
        require_stage(calls, stage, "feedback")
    assert (caught.value.calls_needed, caught.value.required_stage) == (needed, stage)
    assert caught.value.stage == stage_of(calls).stage


@pytest.mark.parametrize(("calls", "stage"), [(0, 1), (50, 2), (200, 3), (500, 4), (10**9, 4)])
def test_what_a_stage_opens_is_open_from_its_first_call_on(calls, stage):
    require_stage(calls, stage, "feedback")


def test_feedback_and_training_open_at_the_stages_of_their_names():
    assert (STAGE_NAMES[FEEDBACK_STAGE - 1], STAGE_NAMES[FINE_TUNE_STAGE - 1]) == ("Feedback", "Fine-tune")
