import pytest
from pydantic import ValidationError

from x25.api.report_schemas import Stage
from x25.api.schemas import Body, ChatRequest, RouteReply, RouteRequest
from x25.state.errors import InvalidRequest
from x25.state.json_values import MAX_DEPTH
from x25.state.types import Reply, Request


class Anything(Body):
    value: object = None


def nested(depth: int) -> object:
    value: object = "inner"
    for level in range(depth):
        value = [value] if level % 2 else {"k": value}
    return value


def test_a_request_has_the_fields_of_the_graphs_request() -> None:
    assert RouteRequest.model_fields.keys() == Request.__annotations__.keys()


def test_a_reply_has_the_fields_of_the_graphs_reply() -> None:
    assert list(RouteReply.model_fields) == list(Reply.__annotations__)


def test_the_schema_of_a_reply_says_what_logprobs_look_like() -> None:
    schema = RouteReply.model_json_schema()
    assert schema["properties"]["logprobs"]["anyOf"] == [{"$ref": "#/$defs/Logprobs"}, {"type": "null"}]
    assert schema["$defs"]["Logprobs"]["properties"].keys() == {"content", "refusal"}
    token = schema["$defs"]["TokenLogprob"]
    assert token["required"] == ["token", "logprob", "bytes", "top_logprobs"]
    assert "logprobs" not in schema["required"]


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("\ud800", "value"),
        ({"a": ["ok", "\udfff"]}, "value.a[1]"),
        ({"a": {"\ud800": 1}}, "value.a"),
        ([float("nan")], "value[0]"),
        (float("-inf"), "value"),
        (2**63, "value"),
        (-(2**63) - 1, "value"),
    ],
)
def test_what_json_cannot_carry_is_refused_by_its_place(value: object, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Anything.model_validate({"value": value})
    assert caught.value.field == field
    assert str(caught.value).encode("utf-8")


@pytest.mark.parametrize(
    "value", ["\U0001f600", "\u0000", 2**63 - 1, -(2**63), 1e308, True, None, [{}], {"": ""}]
)
def test_what_json_can_carry_is_kept_as_it_is(value: object) -> None:
    assert Anything.model_validate({"value": value}).value == value


def test_nesting_is_allowed_up_to_the_limit() -> None:
    assert Anything.model_validate({"value": nested(MAX_DEPTH - 1)}).value
    with pytest.raises(InvalidRequest, match=f"at most {MAX_DEPTH}"):
        Anything.model_validate({"value": nested(MAX_DEPTH)})


def test_text_is_never_taken_for_a_number() -> None:
    with pytest.raises(ValidationError, match="stream"):
        ChatRequest.model_validate({"messages": [{"role": "user"}], "stream": "1"})


def test_a_chat_keeps_parameters_it_does_not_know() -> None:
    chat = ChatRequest.model_validate({"messages": [{"role": "user"}], "temperature": 0.5, "tools": []})
    assert chat.model_extra == {"temperature": 0.5, "tools": []}
    assert (chat.model, chat.stream, chat.x25) == ("auto", False, None)


def test_a_stage_is_one_of_four() -> None:
    with pytest.raises(ValidationError):
        Stage(
            stage=5,
            stage_name="",
            total_calls=0,
            calls_to_next_stage=0,
            progress_in_stage=0,
            improvement_available=True,
        )
