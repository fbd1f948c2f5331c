import pytest

from x25.routing.answer.plain_json import unwrapped, with_plain_json

JSON = {"response_format": {"type": "json_object"}}


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ('```json\n{"a": 1}\n```', '{"a": 1}'),
        ('  ```JSON \r\n{"a": 1}\r\n```\n', '{"a": 1}'),
        ("```\n[1, 2]\n```", "[1, 2]"),
        ('<think>three ticks: ``</think>\n{"a": 1}', '{"a": 1}'),
        ('<think>\nhm\n</think>```json\n{"a": "b"}```', '{"a": "b"}'),
        ('\ufeff{"a": 1}', '{"a": 1}'),
    ],
)
def test_json_is_taken_out_of_what_stands_around_it(text, inner):
    assert unwrapped(text) == inner


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        ' {"a": 1}\n',
        "",
        "```json\n{'a': 1}\n```",
        "```json\n{}\n```\nThat is only an example.",
        "Here it is:\n```json\n{}\n```",
        "```json\n{}\n```\n```json\n{}\n```",
        "```python\n{}\n```",
        "```json\nNaN\n```",
        "```json\n" + "[" * 100_000 + "\n```",
        "<think>{}",
        "```",
    ],
)
def test_anything_else_stays_as_it_is(text):
    assert unwrapped(text) is None


def test_only_where_json_was_asked_for_and_no_tool_is_called():
    fenced = {"role": "assistant", "content": "```json\n{}\n```", "reasoning": "so"}
    assert with_plain_json(fenced, JSON) == {**fenced, "content": "{}"}
    assert with_plain_json(fenced, {"response_format": {"type": "json_schema", "json_schema": {}}})
    for options in ({}, {"response_format": None}, {"response_format": {"type": "text"}}):
        assert with_plain_json(fenced, options) is None
    assert with_plain_json({**fenced, "tool_calls": [{}]}, JSON) is None
    assert with_plain_json({**fenced, "content": [{"type": "text", "text": "```\n{}\n```"}]}, JSON) is None
