import pytest

from x25.graph.execution.streams import PIECE_CHARS, StreamReader, answer_chunks
from x25.providers.deltas import Ending, Source


@pytest.mark.parametrize(
    "text", ["", "short", "word " * 100, "one\ntwo\n\nthree\n" * 30, "x" * 1000, " leading", "trailing \n"]
)
def test_the_pieces_joined_are_the_answer(text):
    chunks = list(answer_chunks({"text": text, "call_id": "c"}))
    assert "".join(chunk["text"] for chunk in chunks) == text
    assert [chunk["index"] for chunk in chunks] == list(range(len(chunks)))
    assert [chunk["is_last"] for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert {(chunk["type"], chunk["call_id"]) for chunk in chunks} == {("answer", "c")}


def test_no_word_is_cut():
    words = "marmalade zeppelin quorum " * 20
    pieces = [chunk["text"] for chunk in answer_chunks({"text": words, "call_id": "c"})]
    assert all(piece.endswith(" ") for piece in pieces)
    assert all(len(piece) <= PIECE_CHARS + len("marmalade ") for piece in pieces)


async def test_a_reader_writes_the_text_of_each_piece_and_an_end():
    told = []
    reader = StreamReader(told.append)
    reader.begin(Source("c", "m", "p", "slm"))
    for delta in ({"content": "a "}, {"tool_calls": []}, {"content": "b"}):
        await reader.take(delta)
    reader.end(Ending("stop", {}, 0))
    assert [(one["index"], one["text"], one["is_last"]) for one in told] == [
        (0, "a ", False), (1, "b", False), (2, "", True),
    ]  # fmt: skip
    assert {one["call_id"] for one in told} == {"c"}
    assert not reader.has_left
