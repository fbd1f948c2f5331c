from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from x25.state.complaints import Complaint, complain, complain_all, nearest_key

Share = Annotated[float, Field(strict=True, ge=0, le=1, description="a share")]


class Part(BaseModel):
    """Words about the class, which nobody wants to read in a complaint."""

    model_config = ConfigDict(extra="forbid")
    share: Share
    size: int = 1


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")
    one: Part | None = None
    many: Annotated[list[Part], Field(description="a list of parts")] = []
    shares: dict[str, Share | None] = {}


def complaint(given):
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate(given)
    return complain(caught.value.errors(), Whole.model_json_schema(), given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"one": {"share": 2}}, Complaint("one.share", "a share", "2")),
        ({"one": {}}, Complaint("one.share", "a share", "nothing")),
        ({"one": 5}, Complaint("one", "a mapping", "5")),
        ({"many": 5}, Complaint("many", "a list of parts", "5")),
        ({"many": [{"share": 0}, {"share": -1}]}, Complaint("many[1].share", "a share", "-1")),
        ({"shares": {"a.b": "x"}}, Complaint("shares.a.b", "a share", "'x'")),
        ([], Complaint("", "a mapping", "[]")),
        ({1: 2}, Complaint("", "a mapping whose keys are texts", "the key 1")),
    ],
)
def test_a_complaint_names_the_part_what_it_must_be_and_what_came(given, expected):
    assert complaint(given) == expected


def test_where_the_format_does_not_say_pydantics_words_are_used():
    found = complaint({"one": {"share": 0, "size": "large"}})
    assert found.place == "one.size"
    assert "valid integer" in found.expected


def test_an_unknown_key_wins_over_the_one_that_is_missing_for_it():
    assert complaint({"one": {"shar": 1}}) == Complaint("one.shar", hint="did you mean 'share'?")
    assert complaint({"two": 1}).hint == "known keys are one, many, shares"


def test_all_that_is_wrong_is_told_a_misspelt_key_once():
    given = {"one": {"shar": 1}, "many": [{"share": 2}, {}]}
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate(given)
    found = complain_all(caught.value.errors(), Whole.model_json_schema(), given, len)
    assert [(one.place, one.line) for one in found] == [
        ("one.shar", 2),
        ("many[0].share", 3),
        ("many[1].share", 3),
    ]


def test_a_complaint_of_a_file_names_it():
    assert (
        str(complaint({"one": {"share": 2}}).in_file("a.yaml")) == "a.yaml: one.share must be a share, got 2"
    )
    assert str(complaint([]).in_file("a.yaml")) == "a.yaml: the file must be a mapping, got []"
    assert str(complaint({"one": {"shar": 1}}).in_file("a.yaml")).startswith(
        "a.yaml: unknown key 'one.shar'; did"
    )


def test_what_came_is_not_quoted_at_length():
    assert len(complaint({"one": "x" * 10_000}).got) < 250


def test_a_key_near_to_none_gets_the_whole_list():
    assert nearest_key("zzz", ["alpha", "beta"]) == "known keys are alpha, beta"
    known = ["max_tier", "max_cost_per_call_usd"]
    assert nearest_key("max_cost", known) == "did you mean 'max_cost_per_call_usd'?"
