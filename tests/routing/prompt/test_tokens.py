import pytest

from x25.routing.prompt.tokens import (
    PromptBound,
    bound_prompt,
    content_text,
    count_images,
    estimate_prompt_tokens,
    estimate_tokens,
    messages_text,
    prompt_chars,
)

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a" * 400, 100), ("я" * 250, 100), ("漢" * 100, 100), ("한" * 10, 10), ("😀" * 3, 3)],
)
def test_tokens_are_estimated_by_script(text, tokens):
    assert estimate_tokens(text) == tokens


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


def photo(size):
    url = "data:image/jpeg;base64," + "A" * size
    return {
        "role": "user",
        "content": [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": url}}],
    }


def test_base64_is_no_prompt_text():
    small, large = [photo(40)], [photo(2_200_000)]
    assert prompt_chars(large) == prompt_chars(small) < 200
    assert estimate_prompt_tokens(large, {}) == estimate_prompt_tokens(small, {}) < 1_000
    assert bound_prompt(large, {}) == bound_prompt(small, {})
    assert messages_text(large) == "Look"


@pytest.mark.parametrize("text", ["", "hello", "я" * 50, "漢字", "😀", "\ud800", '"\\\n' * 20])
def test_a_prompt_has_no_more_tokens_than_bytes(text):
    messages = [{"role": "user", "content": text}]
    assert bound_prompt(messages, {}).tokens >= len(text.encode("utf-8", "surrogatepass")) + 64
    assert bound_prompt(messages, {}).tokens > estimate_prompt_tokens(messages, {})


LONG = "w" * 5_000
BILLED = {
    "content": ([{"role": "user", "content": LONG}], {}),
    "name": ([{"role": "user", "content": "hi", "name": LONG}], {}),
    "reasoning_content": ([{"role": "assistant", "content": "hi", "reasoning_content": LONG}], {}),
    "function_call": ([{"role": "assistant", "function_call": {"name": "f", "arguments": LONG}}], {}),
    "tool_calls": ([{"role": "assistant", "tool_calls": [{"function": {"arguments": LONG}}]}], {}),
    "refusal": ([{"role": "assistant", "content": [{"type": "refusal", "refusal": LONG}]}], {}),
    "a part nobody knows": ([{"role": "user", "content": [{"type": "hologram", "payload": LONG}]}], {}),
    "a key nobody knows": ([{"role": "user", "content": "hi", "aura": {"x": [LONG]}}], {}),
    "tools": ([], {"tools": [{"type": "function", "function": {"name": "f", "description": LONG}}]}),
    "functions": ([], {"functions": [{"name": "f", "description": LONG}]}),
    "response_format": ([], {"response_format": {"type": "json_schema", "json_schema": {"description": LONG}}}),
    "documents": ([], {"documents": [{"text": LONG}]}),
    "prediction": ([], {"prediction": {"type": "content", "content": LONG}}),
    "an option nobody knows": ([], {"extra_context": LONG}),
    "a text file": ([{"role": "user", "content": [{"type": "file", "file": {
        "file_data": "data:text/plain;base64," + "d3d3" * 1_667}}]}], {}),
}  # fmt: skip


@pytest.mark.parametrize("name", BILLED)
def test_everything_that_is_sent_counts_into_the_bound(name):
    messages, options = BILLED[name]
    assert bound_prompt(messages, options).tokens >= 5_000


def test_an_attachment_without_a_bound_of_its_own_may_take_the_whole_window():
    pdf = {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA"}}
    bound = bound_prompt([{"role": "user", "content": [pdf]}], {})
    assert bound.is_open
    assert (bound.within(128_000), bound.within(10)) == (128_000, bound.tokens)
    assert PromptBound(900, is_open=False, has_audio=False).within(128_000) == 900


def test_sound_is_told_apart_as_it_has_a_price_of_its_own():
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    assert bound_prompt([{"role": "user", "content": [sound]}], {}).has_audio
    assert not bound_prompt([photo(40)], {}).has_audio


def test_a_prompt_marked_to_be_cached_may_cost_twice():
    part = {"type": "text", "text": "x" * 1_000}
    plain = bound_prompt([{"role": "user", "content": [part]}], {}).tokens
    marked = part | {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert bound_prompt([{"role": "user", "content": [marked]}], {}).tokens > 2 * plain
