import json
import time

import pytest

from x25.routing.answer.checks import offered_tools, response_schema, run_checks

SCHEMA = {
    "type": "object",
    "required": ["name", "tags"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "age": {"type": ["integer", "null"]},
        "tags": {"type": "array", "items": {"type": "object", "required": ["id"]}},
        "kind": {"enum": ["cat", "dog"]},
    },
}
JSON_SCHEMA = {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}}
JSON_OBJECT = {"response_format": {"type": "json_object"}}
TOOLS = {
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "parameters": {
                    "type": "object",
                    "required": ["city"],
                    "properties": {"city": {"type": "string"}},
                },
            },
        }
    ]
}


def checked(content, *, finish_reason="stop", options=None, **message):
    return run_checks({"role": "assistant", "content": content, **message}, finish_reason, options or {})


def call(arguments, name="weather"):
    return {
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}]
    }


def test_a_plain_answer_passes_the_three_checks_every_answer_gets():
    report = checked("Paris.")
    assert (report.made, report.failed, report.reason) == (
        ("not_empty", "not_cut_off", "not_refused"),
        None,
        None,
    )


@pytest.mark.parametrize("content", [None, "", "  \n", []])
def test_an_answer_without_text_or_tool_calls_is_empty(content):
    report = checked(content)
    assert (report.made, report.failed) == (("not_empty",), "not_empty")


def test_an_answer_at_its_token_limit_was_cut_off():
    report = checked("Once upon a", finish_reason="length")
    assert (report.made[-1], report.failed) == ("not_cut_off", "not_cut_off")


@pytest.mark.parametrize(
    "content",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot assist with this request.",
        "I can’t provide that information.",
        "Sorry, I am unable to help with this.",
        "As an AI language model, I cannot have opinions.",
        "I must decline.",
        "  Unfortunately, I won't create such content.",
    ],
)
def test_a_short_refusal_is_recognised(content):
    assert checked(content).failed == "not_refused"


@pytest.mark.parametrize(
    "content",
    [
        "\"I'm sorry, but I can't help with that\" is what the bot said.",
        "I can't help but admire the plan.",
        "I cannot find the date in the text, so the answer is null.",
        "The phrase 'I cannot assist' is common.",
        "I can't help with the first part. " + "The second part is as follows. " * 30,
        "Sorry to hear that! Try restarting the router.",
    ],
)
def test_quoting_or_opening_like_a_refusal_is_no_refusal(content):
    assert checked(content).failed is None


def test_a_refusal_in_its_own_field_is_a_refusal_not_an_empty_answer():
    assert checked(None, refusal="No.").failed == "not_refused"


@pytest.mark.parametrize("content", ['{"a": 1}', " {} \n"])
def test_a_json_object_passes_where_one_is_asked_for(content):
    report = checked(content, options=JSON_OBJECT)
    assert report.made[-1] == "json_valid"
    assert report.failed is None


@pytest.mark.parametrize("content", ["{a: 1}", "[1]", "Here it is: {}", '{"a": NaN}', "[" * 100_000])
def test_anything_else_fails_where_a_json_object_is_asked_for(content):
    assert checked(content, options=JSON_OBJECT).failed == "json_valid"


def test_json_that_fits_its_schema_passes():
    value = {"name": "Tom", "age": None, "tags": [{"id": 1}], "kind": "cat"}
    assert checked(json.dumps(value), options=JSON_SCHEMA).failed is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"name": "Tom"}, "$.tags is missing"),
        ({"name": 3, "tags": []}, "$.name must be string, got int"),
        ({"name": "Tom", "tags": [], "age": 1.5}, "$.age must be integer or null, got float"),
        ({"name": "Tom", "tags": [{"id": 1}, {}]}, "$.tags[1].id is missing"),
        ({"name": "Tom", "tags": [], "kind": "cow"}, "$.kind must be one of ['cat', 'dog'], got 'cow'"),
        ({"name": "Tom", "tags": [], "size": 1}, "$.size is not allowed"),
        ([], "$ must be object, got list"),
    ],
)
def test_the_first_break_of_a_schema_is_named(value, reason):
    report = checked(json.dumps(value), options=JSON_SCHEMA)
    assert (report.failed, report.reason) == ("json_valid", reason)


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        ({"type": "integer"}, True, False),
        ({"type": "integer"}, 2.0, True),
        ({"type": "string", "minLength": 5}, "x", False),
        ({"pattern": "^[A-Z]{3}$"}, "abc", False),
        ({"anyOf": [{"type": "null"}, {"minimum": 3}]}, 2, False),
        ({"$defs": {"id": {"minimum": 1}}, "properties": {"id": {"$ref": "#/$defs/id"}}}, {"id": 0}, False),
        ({"type": "array", "uniqueItems": True}, [1, 1], False),
        ({"format": "date"}, "yesterday", True),
        ({}, None, True),
        (None, None, True),
    ],
)
def test_every_keyword_of_the_schema_counts(schema, value, fits):
    options = {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}}
    report = checked(json.dumps(value), options=options)
    assert (report.failed is None) is fits
    assert report.made[-1] == "json_valid"


def test_a_reason_quotes_little_of_the_answer():
    secret = "word " * 10_000
    for value in (
        {"name": "n", "tags": [], "kind": secret},
        {"name": "n", "tags": [], secret: 1},
        {"name": [secret]},
    ):
        assert len(checked(json.dumps(value), options=JSON_SCHEMA).reason) < 200
    assert len(checked(None, options=TOOLS, **call("{}", secret)).reason) < 200


def test_checks_against_schemas_end_in_bounded_time_however_many_calls_there_are():
    doubling = {f"n{i}": {"allOf": [{"$ref": f"#/$defs/n{i + 1}"}] * 2} for i in range(40)}
    schema = {"$defs": {**doubling, "n40": {}}, "properties": {"x": {"$ref": "#/$defs/n0"}}}
    tools = [{"type": "function", "function": {"name": "weather", "parameters": schema}}]
    calls = call('{"x": 1}')["tool_calls"] * 500
    started = time.process_time()
    assert checked(None, options={"tools": tools}, tool_calls=calls).failed is None
    assert time.process_time() - started < 1.5


def test_a_fitting_tool_call_passes_without_text():
    report = checked(None, options=TOOLS, **call('{"city": "Oslo"}'))
    assert report.failed is None
    assert "tool_arguments" in report.made


@pytest.mark.parametrize(
    ("arguments", "name", "reason"),
    [
        ('{"city": "Oslo"}', "wether", "'wether', which was not offered"),
        ("{city}", "weather", "are not JSON"),
        ("[]", "weather", "are not an object"),
        ("{}", "weather", "$.city is missing"),
        ('{"city": 5}', "weather", "$.city must be string"),
    ],
)
def test_a_tool_call_that_cannot_be_made_fails(arguments, name, reason):
    report = checked(None, options=TOOLS, **call(arguments, name))
    assert report.failed == "tool_arguments"
    assert reason in report.reason


CUSTOM = {"tools": [{"type": "custom", "custom": {"name": "run_code"}}]}


def test_the_input_of_a_custom_tool_is_free():
    made = {"id": "c1", "type": "custom", "custom": {"name": "run_code", "input": "print(1"}}
    assert checked(None, options=CUSTOM, tool_calls=[made]).failed is None
    other = {**made, "custom": {"name": "run_cod", "input": ""}}
    assert "'run_cod', which was not offered" in checked(None, options=CUSTOM, tool_calls=[other]).reason


def test_arguments_that_come_as_an_object_are_read_as_one():
    assert checked(None, options=TOOLS, **call({"city": "Oslo"})).failed is None
    assert "$.city must be string" in checked(None, options=TOOLS, **call({"city": 5})).reason


@pytest.mark.parametrize("made", [{}, {"type": "function"}, {"function": "weather"}, {"type": ["function"]}])
def test_a_call_that_names_no_tool_fails(made):
    assert checked(None, options=TOOLS, tool_calls=[made]).failed == "tool_arguments"


def test_tools_are_offered_by_the_name_under_their_type():
    tools = [*TOOLS["tools"], *CUSTOM["tools"], {"type": "function", "function": {}}, {"type": "web_search"}]
    assert offered_tools({"tools": tools}).keys() == {"weather", "run_code"}
    assert offered_tools({"tools": None}) == offered_tools({}) == {}


def test_a_response_format_may_name_no_schema():
    assert response_schema({"type": "json_schema"}) is None
    assert response_schema({"type": "json_schema", "json_schema": {"schema": True}}) is True


def test_tool_calls_are_not_held_to_the_json_format():
    assert (
        "json_valid" not in checked(None, options={**TOOLS, **JSON_OBJECT}, **call('{"city": "Oslo"}')).made
    )


@pytest.mark.parametrize(
    "content",
    [
        "```python\ndef f():\n    return 1\n```",
        "- a list:\n\n  ```py\n  x = 1\n  ```\nand text (that would not parse",
        '```json\n{"a": 1}\n```',
        "```python\n>>> 1 + 1\n2\n```",
        "```python\nx = '\\d'\n```",
    ],
)
def test_fenced_code_that_parses_passes(content):
    report = checked(content)
    assert report.made[-1] == "code_parses"
    assert report.failed is None


@pytest.mark.parametrize(
    "content",
    [
        "```python\ndef f(:\n```",
        "fine\n```json\n{'a': 1}\n```",
        "```python\nx = 1\n```\n```python\ny = (\n```",
    ],
)
def test_fenced_code_that_does_not_parse_fails(content):
    assert checked(content).failed == "code_parses"


@pytest.mark.parametrize("content", ["```\nnot ( code\n```", "```rust\nfn main( {\n```", "inline `x = (`"])
def test_other_languages_are_not_parsed(content):
    assert "code_parses" not in checked(content).made


@pytest.mark.parametrize(
    "content", ["I'm sorry " * 50_000, "```python\n" * 50_000, " " * 500_000 + "I can't"]
)
def test_long_answers_are_checked_to_their_end(content):
    """A pattern that backtracks would keep the suite here for minutes."""
    assert "not_refused" in checked(content).made


@pytest.mark.parametrize(
    "piece", ["x = f(a, b)\n", "word ", "```\n```python\n", '{"a": 1}\n', "'", "I can't help "]
)
def test_all_checks_of_a_million_characters_take_less_than_a_quarter_of_a_second(piece):
    """The event loop waits for them."""
    content = "```python\n" + piece * (1_000_000 // len(piece)) + "\n```"
    started = time.process_time()
    checked(content)
    checked(content, options=JSON_OBJECT)
    assert time.process_time() - started < 0.5  # two answers


@pytest.mark.parametrize("content", ['{"a": [1,', "", "I can't help with that.", "```python\nf("])
def test_nothing_is_checked_of_an_answer_cut_by_somebody_elses_limit(content):
    cut = run_checks({"content": content}, "length", JSON_OBJECT, is_cut_by_limit=True)
    assert (cut.made, cut.failed) == ((), None)
    assert run_checks({"content": content}, "length", JSON_OBJECT).failed is not None


@pytest.mark.parametrize("name", ["audio", "images", "function_call"])
def test_an_answer_in_another_form_than_text_is_not_empty(name):
    assert checked(None, **{name: {"id": "1"}}).failed is None
