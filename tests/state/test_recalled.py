import pytest

from x25.state.recalled import with_block

SYSTEM = {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Why?", "block Why?"),
        (None, "block "),
        (
            [{"type": "image_url", "image_url": {"url": "x"}}],
            [{"type": "text", "text": "block "}, {"type": "image_url", "image_url": {"url": "x"}}],
        ),
    ],
)
def test_a_block_stands_at_the_head_of_the_newest_user_message(content, expected):
    messages = [
        SYSTEM,
        {"role": "user", "content": "old"},
        {"role": "user", "content": content, "name": "ann"},
    ]
    result = {"role": "tool", "tool_call_id": "c", "content": "found"}
    grown = with_block([*messages, result], "block ")
    assert grown == [*messages[:2], {"role": "user", "content": expected, "name": "ann"}, result]
    assert messages[2]["content"] == content


def test_without_a_user_there_is_no_place_for_it():
    assert with_block([SYSTEM], "block ") == [SYSTEM]
