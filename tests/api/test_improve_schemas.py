import pytest
from pydantic import ValidationError

from x25.api.improve_schemas import ImproveRequest, RegisterRequest
from x25.state.errors import InvalidRequest
from x25.state.gathering import Gathering


def test_an_empty_body_asks_for_what_the_store_takes_as_usual():
    assert Gathering(**ImproveRequest().model_dump()) == Gathering()


@pytest.mark.parametrize("model_id", ["own/support-3b", "m", "own/a:1.0/b_c", "Own/M-1"])
def test_names_that_can_stand_in_an_address_are_taken(model_id):
    assert RegisterRequest(model_id=model_id, base_url="http://h/v1").model_id == model_id


@pytest.mark.parametrize(
    "model_id", ["", "/m", "own/", "own//m", "a b", "../m", "own/../m", "ä", "m\n", "x" * 129, "m?x"]
)
def test_other_names_are_refused(model_id):
    with pytest.raises(ValidationError, match="model_id"):
        RegisterRequest(model_id=model_id, base_url="http://h/v1")


@pytest.mark.parametrize(
    "body",
    [{"price": 1}, {"input_usd_per_mtok": -1.0}, {"held_out_quality": 1.5}, {"key_env": "A B"},
     {"context_tokens": "8192"}, {"input_usd_per_mtok": float("inf")}],
)  # fmt: skip
def test_what_is_unknown_or_out_of_range_is_refused(body):
    with pytest.raises((ValidationError, InvalidRequest)):
        RegisterRequest(model_id="own/m", base_url="http://h/v1", **body)
