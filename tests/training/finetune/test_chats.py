import pytest

from x25.training.finetune.chats import MOST_TOKENS, Row, row_of, text_of

USER = {"role": "user", "content": "Name a colour."}
SYSTEM = {"role": "system", "content": "Answer in French."}
ANSWER = {"role": "assistant", "content": "Bleu."}


def row(messages=(USER,), answer=ANSWER, options=None, finish_reason="stop"):
    return row_of(list(messages), answer, options or {}, finish_reason)


def test_a_prompt_alone_is_the_instruction():
    assert row() == Row("Name a colour.", "", "Bleu.")


@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_system_message_is_the_instruction_and_the_prompt_its_input(role):
    assert row([{**SYSTEM, "role": role}, USER]) == Row("Answer in French.", "Name a colour.", "Bleu.")


def test_text_parts_are_one_text():
    parts = [{"type": "text", "text": "Name "}, {"type": "text", "text": "a colour."}]
    assert row([{"role": "user", "content": parts}]) == row()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"messages": [USER, ANSWER, USER]}, "multi_turn"),
        ({"messages": [SYSTEM, SYSTEM, USER]}, "multi_turn"),
        ({"messages": [SYSTEM]}, "multi_turn"),
        ({"messages": []}, "multi_turn"),
        ({"options": {"tools": [{}]}}, "tool_calls"),
        ({"answer": {"content": None, "tool_calls": [{}]}}, "tool_calls"),
        ({"messages": [USER, {"role": "tool", "content": "3"}]}, "tool_calls"),
        ({"options": {"response_format": {"type": "json_object"}}}, "structured_output"),
        ({"finish_reason": "length"}, "cut_off"),
        ({"answer": {"content": None}}, "not_text"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "not_text"),
        ({"messages": [{"role": "user", "content": 7}]}, "not_text"),
        ({"answer": {"content": "  "}}, "empty"),
        ({"messages": [{"role": "user", "content": "word " * (2 * MOST_TOKENS)}]}, "too_long"),
    ],
)
def test_what_three_texts_cannot_say_is_left_out_with_its_reason(changes, reason):
    assert row(**changes) == reason


def test_a_plain_response_format_changes_nothing():
    assert row(options={"response_format": {"type": "text"}}) == row()


def test_an_empty_system_message_is_none():
    assert row([{"role": "system", "content": " "}, USER]) == row()


def test_content_of_other_kinds_is_no_text():
    assert [text_of(one) for one in ("a", None, 3, [{"type": "text"}], ["a"])] == [
        "a",
        None,
        None,
        None,
        None,
    ]
