import pytest

from x25.state.errors import InvalidRequest
from x25.state.gathering import Gathering


def test_the_usual_options_are_above_seven_tenths_with_personal_data_replaced():
    usual = Gathering()
    assert (usual.min_quality, usual.personal_data, usual.judged_only) == (0.7, "redact", False)
    assert Gathering(**usual.to_dict()) == usual


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("min_quality", 0.69), ("min_quality", 1.0), ("min_quality", float("nan")), ("held_out_share", 0.0),
        ("held_out_share", 0.51), ("min_examples", 1), ("min_examples", 5_001), ("max_examples", 20_001),
        ("personal_data", "hide"), ("base_model", "gpt"),
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused_by_name(field, value):
    with pytest.raises(InvalidRequest, match=f"{field} must be") as told:
        Gathering(**{field: value})
    assert told.value.field == field
