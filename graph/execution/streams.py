"""What a call sends to LangGraph's `custom` stream: its answer, in pieces.

While it is written, where nothing can come in its place; else once it has been judged.
"""

import re
from collections.abc import Callable, Iterator
from typing import Literal

from typing_extensions import TypedDict

from ...providers.deltas import Ending, Source
from ...state.types import JSONObject, Reply

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


class StreamReader:
    """A `Reader` that writes the text of an answer to the `custom` stream of its run; nobody can leave that."""

    has_left = False

    def __init__(self, tell: Callable[[AnswerChunk], None]) -> None:
        self._tell = tell
        self._call_id = ""
        self._index = 0

    def begin(self, source: Source) -> None:
        """Take note of whose words come."""
        self._call_id = source.call_id

    async def take(self, delta: JSONObject, logprobs: JSONObject | None = None) -> None:  # noqa: ARG002 - a reader's signature
        """Write the text of a piece."""
        if text := delta.get("content"):
            self._write(text, is_last=False)

    def end(self, ending: Ending) -> None:  # noqa: ARG002 - a reader's signature
        """Write that the answer is whole."""
        self._write("", is_last=True)

    def on_leave(self, tell: Callable[[], None] | None) -> None:
        """Nobody leaves."""

    def _write(self, text: str, *, is_last: bool) -> None:
        self._tell(
            AnswerChunk(type="answer", call_id=self._call_id, index=self._index, text=text, is_last=is_last)
        )
        self._index += 1
