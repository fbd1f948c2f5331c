"""What a call sends to LangGraph's `custom` stream: its answer, in pieces, once it has been judged."""

import re
from collections.abc import Iterator
from typing import Literal

from typing_extensions import TypedDict

from ...state.types import Reply

PIECE_CHARS = 80
"""Characters of a piece, at least; it ends with the word, or with its line."""
_PIECES = re.compile(rf"(?s).{{{PIECE_CHARS}}}\S*\s*|.+")


class AnswerChunk(TypedDict):
    """One event of the `custom` stream. The texts of a call's chunks, joined, are its reply's `text`."""

    type: Literal["answer"]
    call_id: str
    index: int
    """0 for the first chunk, then up."""
    text: str
    is_last: bool


def answer_chunks(reply: Reply) -> Iterator[AnswerChunk]:
    """Yield the answer of a reply; one empty chunk for an answer without text.

    The whole answer is there before the first chunk: a dearer model may have been asked after the first one, and words
    that were sent could not be taken back.
    """
    pieces = _PIECES.findall(reply["text"]) or [""]
    for index, piece in enumerate(pieces):
        yield AnswerChunk(
            type="answer", call_id=reply["call_id"], index=index, text=piece, is_last=index == len(pieces) - 1
        )
