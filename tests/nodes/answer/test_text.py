import pytest

from x25.nodes.answer.text import message_text

CALLS = [{"id": "1", "function": {"name": "look"}}]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "Paris"}, "Paris"),
        ({"content": ""}, ""),
        ({"content": None}, ""),
        ({}, ""),
        (
            {
                "content": [
                    {"type": "text", "text": "Pa"},
                    {"type": "image_url"},
                    {"type": "text", "text": "ris"},
                ]
            },
            "Paris",
        ),
        ({"content": None, "tool_calls": CALLS}, '[{"id": "1", "function": {"name": "look"}}]'),
        ({"content": "so", "tool_calls": CALLS}, "so"),
    ],
)
def test_a_messages_text_is_what_a_person_reads(message, text):
    assert message_text(message) == text
