import pytest

from x25.api.surfaces.words import PIECE_CHARS, ToolCall, calls_of, pieces_of, text_of


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("hi", "hi"),
        (None, ""),
        ([{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}], "ab"),
    ],
)
def test_the_words_of_a_message(content, text):
    assert text_of({"content": content, "tool_calls": [{}]}) == text


def test_tool_calls_of_both_kinds():
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "free"}},
        {"function": {"name": "h"}},
    ]
    assert calls_of({"tool_calls": calls}) == [
        ToolCall("function", "c1", "f", "{}"), ToolCall("custom", "c2", "g", "free"),
        ToolCall("function", "call_2", "h", ""),
    ]  # fmt: skip
    assert calls_of({"tool_calls": None}) == []


@pytest.mark.parametrize("text", ["", "short", "word " * 100, "x" * 500, "a" * 79 + " b", "é " * 90 + "\n"])
def test_pieces_are_the_text(text):
    assert "".join(pieces_of(text)) == text
    assert max(map(len, pieces_of(text))) <= PIECE_CHARS
