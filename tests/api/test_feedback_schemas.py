import pytest
from pydantic import ValidationError

from x25.api.feedback_schemas import MOST_CORRECTED, FeedbackPatch, FeedbackRequest
from x25.graph.feedback import Feedback


def test_a_body_becomes_what_is_said_without_whose_call_it_is():
    body = FeedbackRequest(call_id="c1", org="acme", score=0.5, corrected_answer="42")
    assert body.feedback() == Feedback(score=0.5, corrected_answer="42")


@pytest.mark.parametrize(
    "wrong", [{"score": float("nan")}, {"outcome": "BAD"}, {"corrected_answer": "x" * (MOST_CORRECTED + 1)}]
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        FeedbackRequest(call_id="c1", **wrong)


def test_a_patch_says_what_the_other_door_says_but_for_the_call():
    own = {"call_id", "org", "step"}
    assert FeedbackPatch.model_fields.keys() == FeedbackRequest.model_fields.keys() - own
    with pytest.raises(ValidationError):
        FeedbackPatch(score=1.5)
