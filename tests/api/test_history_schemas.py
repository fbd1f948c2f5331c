import pytest
from pydantic import ValidationError

from x25.api.history_schemas import DecisionRequest
from x25.graph.question import FIELDS, KNOBS


def test_the_door_takes_the_fields_of_a_question_and_one_other_name():
    assert DecisionRequest.model_fields.keys() == FIELDS | {"config_name"}


@pytest.mark.parametrize("knob", KNOBS)
def test_a_knob_is_a_number_in_its_range(knob):
    for wrong in (-1, "1", True, [1]):
        with pytest.raises(ValidationError, match=knob):
            DecisionRequest(prompt="x", **{knob: wrong})
    assert getattr(DecisionRequest(prompt="x", **{knob: 1}), knob) == 1


def test_an_unknown_field_is_refused():
    with pytest.raises(ValidationError, match="lambda_costs"):
        DecisionRequest(prompt="x", lambda_costs=1)
