from contextlib import contextmanager

import pytest
from jsonschema import Draft4Validator, Draft7Validator, Draft201909Validator, Draft202012Validator
from referencing import Registry

from x25.routing.answer.patterns import read_pattern
from x25.routing.answer.schema_keywords import RUN, Run, counted, metaschema
from x25.routing.answer.work import OutOfWork, Work

DRAFTS = [Draft4Validator, Draft7Validator, Draft201909Validator, Draft202012Validator]


@contextmanager
def running(units=1_000_000, *patterns):
    run = Run(Work(units), {source: read_pattern(source) for source in patterns})
    token = RUN.set(run)
    try:
        yield run
    finally:
        RUN.reset(token)


def errors(schema, value, draft=Draft202012Validator, left_out=()):
    validator = counted(draft, frozenset(left_out))(schema, registry=Registry())
    return list(validator.iter_errors(value))


def spent(schema, value):
    with running() as run:
        errors(schema, value)
    return 1_000_000 - run.work.left


def test_every_use_of_a_keyword_is_paid_for():
    item = {"type": "integer", "minimum": 0}
    one, many = (spent({"items": item}, [1] * count) for count in (1, 100))
    assert many > 50 * one


def test_a_large_value_costs_more_than_a_small_one():
    assert spent({"anyOf": [{"type": "null"}] * 9}, "x" * 10_000) > 90_000
    assert spent({"uniqueItems": True}, [{"a": i} for i in range(500)]) > 100_000
    assert spent({"uniqueItems": True}, [str(i) for i in range(500)]) < 1_000
    assert spent({"enum": [["x" * 1_000] * 10]}, ["y"]) > 10_000


def test_an_anchor_costs_what_looking_for_it_does():
    def cost(reference):
        with running() as run:
            run.schema_chars = 50_000
            errors({"$defs": {"a": {"$anchor": "a"}}, "$ref": reference}, 1)
        return 1_000_000 - run.work.left

    assert cost("#/$defs/a") < 1_000
    assert cost("#a") > 50_000


def test_an_empty_purse_ends_the_check():
    with running(100), pytest.raises(OutOfWork):
        errors({"items": {"type": "integer"}}, [1] * 100)


def test_a_pattern_costs_its_size_for_each_character():
    with running(1_000_000, "a{100}") as run:
        errors({"pattern": "a{100}"}, "b" * 3_000)
    assert run.work.left < 900_000


def test_keywords_that_are_left_out_count_as_met():
    with running():
        assert errors({"minimum": 3, "type": "integer"}, 1, left_out=("minimum",)) == []


@pytest.mark.parametrize("draft", DRAFTS)
def test_additional_properties_are_those_that_neither_name_nor_pattern_knows(draft):
    schema = {"properties": {"a": {}}, "patternProperties": {"^x": {}}, "additionalProperties": False}
    with running(1_000_000, "^x"):
        (error,) = errors(schema, {"a": 1, "x1": 2, "b": 3}, draft)
    assert list(error.absolute_path) == ["b"]


def test_what_an_unknown_pattern_leaves_open_is_no_error():
    unknown = "^(?=a)"
    with running(1_000_000, unknown) as run:
        assert errors({"pattern": unknown}, "b") == []
        assert errors({"patternProperties": {unknown: False}, "additionalProperties": False}, {"b": 1}) == []
    assert run.has_guessed


@pytest.mark.parametrize(
    ("schema", "certain"),
    [
        ({"minLength": 9}, True),
        ({"allOf": [{"minLength": 9}]}, True),
        ({"not": {"minLength": 0}}, False),
        ({"oneOf": [{}, {}]}, False),
        ({"if": {}, "then": {"minLength": 9}}, False),
        ({"anyOf": [{"minLength": 9}]}, False),
    ],
)
def test_after_a_guess_only_errors_that_no_other_outcome_would_undo_are_certain(schema, certain):
    with running() as run:
        (error,) = errors(schema, "b")
        assert run.is_certain(error)
        run.has_guessed = True
        assert run.is_certain(error) is certain


@pytest.mark.parametrize("draft", DRAFTS)
def test_the_rules_of_a_draft_come_in_one_piece_without_dynamic_references(draft):
    rules = metaschema(draft)
    assert "allOf" not in rules
    assert "dynamicRef" not in str([rule for name, rule in rules["properties"].items() if name[0] != "$"])
    assert {"properties", "items", "anyOf", "pattern", "minLength", "enum"} <= rules["properties"].keys()
