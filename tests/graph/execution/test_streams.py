import pytest

from x25.graph.execution.streams import PIECE_CHARS, answer_chunks


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
