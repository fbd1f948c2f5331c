import pytest

from x25.routing.prompt.tokens import (
    bound_prompt_tokens,
    bound_tokens,
    content_text,
    count_images,
    estimate_prompt_tokens,
    estimate_tokens,
    messages_text,
)

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a" * 400, 100), ("я" * 250, 100), ("漢" * 100, 100), ("한" * 10, 10), ("😀" * 3, 3)],
)
def test_tokens_are_estimated_by_script(text, tokens):
    assert estimate_tokens(text) == tokens


@pytest.mark.parametrize("text", ["", "hello", "я" * 50, "漢字", "😀", "\ud800"])
def test_the_bound_is_above_one_token_a_byte(text):
    assert bound_tokens(text) == len(text.encode("utf-8", "surrogatepass")) + 8
    assert bound_tokens(text) > estimate_tokens(text)


def test_texts_of_all_messages_are_joined_and_images_left_out():
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}, IMAGE]},
        {"role": "assistant", "content": None},
    ]
    assert messages_text(messages) == "Be kind.\nWhat is this?"
    assert count_images(messages) == 1


def test_content_of_an_unknown_shape_has_no_text():
    assert content_text(42) == ""
    assert content_text([1, {"type": "text"}, {"text": 3}]) == ""


def test_tools_schema_and_tool_calls_count_as_prompt():
    messages = [{"role": "user", "content": "hi"}]
    plain = estimate_prompt_tokens(messages, {})
    tools = [{"type": "function", "function": {"name": "search", "description": "x" * 400}}]
    assert estimate_prompt_tokens(messages, {"tools": tools}) >= plain + 100
    schema = {"type": "json_schema", "json_schema": {"schema": {"description": "y" * 400}}}
    assert estimate_prompt_tokens(messages, {"response_format": schema}) >= plain + 100
    call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"arguments": "z" * 400}}]}
    assert estimate_prompt_tokens([*messages, call], {}) >= plain + 100


def test_each_message_costs_its_framing():
    one = estimate_prompt_tokens([{"role": "user", "content": "abcd"}], {})
    assert estimate_prompt_tokens([{"role": "user", "content": "abcd"}] * 3, {}) == 3 * one == 15


def test_the_prompt_bound_is_above_the_estimate_with_images_too():
    messages = [{"role": "user", "content": [{"type": "text", "text": "Look"}, IMAGE, IMAGE]}]
    assert bound_prompt_tokens(messages, {}) > estimate_prompt_tokens(messages, {}) > 1_000
