import json
from types import MappingProxyType

import pytest

from x25.state.errors import InvalidRequest
from x25.state.json_values import MAX_DEPTH, MAX_VALUES, check_json


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"a": "\ud800"}, "messages.a"),
        ([float("nan")], "messages[0]"),
        ({"a": [1, 2**63]}, "messages.a[1]"),
        ({"a": object()}, "messages.a"),
        ({"a": {1, 2}}, "messages.a"),
        (b"bytes", "messages"),
    ],
)
def test_what_json_has_no_word_for_is_refused_by_its_place(value: object, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_json(value, "messages")
    assert caught.value.field == field


def test_depth_and_number_of_values_are_bounded() -> None:
    check_json(json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH))
    with pytest.raises(InvalidRequest, match=f"at most {MAX_DEPTH} objects"):
        check_json(json.loads("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2)))
    check_json([0] * (MAX_VALUES - 1))
    check_json([[0] * 9] * (MAX_VALUES // 10 - 1))
    with pytest.raises(InvalidRequest, match=f"at most {MAX_VALUES} values"):
        check_json([0] * (2 * MAX_VALUES))
    with pytest.raises(InvalidRequest, match=f"at most {MAX_VALUES} values"):
        check_json([[0]] * MAX_VALUES)


@pytest.mark.parametrize("inner", [float("nan"), "\ud800", 2**64, object()])
def test_what_no_parser_makes_is_looked_into_as_well(inner):
    with pytest.raises(InvalidRequest, match="a"):
        check_json({"a": (MappingProxyType({"b": inner}),)})
    check_json({"a": (MappingProxyType({"b": 1}),)})
