import pytest
from jsonschema import Draft3Validator, Draft4Validator, Draft202012Validator

from x25.routing.answer.schema_words import describe


def said(schema, value, draft=Draft202012Validator):
    return describe(next(draft(schema).iter_errors(value)))


@pytest.mark.parametrize(
    ("schema", "value", "sentence"),
    [
        ({"type": "string"}, 3, "$ must be string, got int"),
        ({"type": ["integer", "null"]}, 1.5, "$ must be integer or null, got float"),
        ({"required": ["a", "b"]}, {"a": 1}, "$.b is missing"),
        ({"items": {"required": ["id"]}}, [{"id": 1}, {}], "$[1].id is missing"),
        ({"enum": ["cat", "dog"]}, "cow", "$ must be one of ['cat', 'dog'], got 'cow'"),
        ({"const": 3}, {"a": 1}, "$ must be 3, got an object"),
        ({"minimum": 0}, -1, "$ must be at least 0, got -1"),
        ({"minLength": 5}, "abc", "$ must be at least 5 characters long, got 'abc'"),
        ({"maxItems": 1}, [1, 2], "$ must be at most 1 items long, got a list of 2 items"),
        ({"pattern": "^a"}, "b", "$ must be text that matches '^a', got 'b'"),
        ({"properties": {"a": False}}, {"a": 1}, "$ is not allowed"),
        ({"not": {}}, 1, "$ must be other than the schema says, got 1"),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, "$ must be at most 1 characters long, got 'ab'"),
        ({"unevaluatedItems": False}, [1], "$ does not meet unevaluatedItems"),
    ],
)
def test_a_sentence_names_the_place_what_was_expected_and_what_came(schema, value, sentence):
    assert said(schema, value) == sentence


def test_of_several_alternatives_the_one_that_nearly_fits_is_explained():
    schema = {"anyOf": [{"type": "string"}, {"type": "object", "required": ["id"]}]}
    assert said(schema, {}) == "$.id is missing"
    assert said({"anyOf": [{"type": "string"}, {"type": "null"}]}, 3).startswith("$ must be ")


def test_earlier_drafts_are_worded_alike():
    assert said({"properties": {"a": {"required": True}}}, {}, Draft3Validator) == "$.a is missing"
    exclusive = {"minimum": 1, "exclusiveMinimum": True}
    assert said(exclusive, 1, Draft4Validator) == "$ must be at least 1, got 1"


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"maxLength": 1}, "x" * 1_000_000),
        ({"maximum": 1}, 10**4000),
        ({"additionalProperties": {"type": "null"}}, {"k" * 1_000_000: 1}),
        ({"enum": ["e" * 100_000]}, 1),
        ({"uniqueItems": True}, ["x" * 100_000] * 2),
    ],
)
def test_neither_value_nor_schema_is_quoted_at_length(schema, value):
    assert len(said(schema, value)) < 250
