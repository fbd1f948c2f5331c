"""An upstream without delay that speaks OpenAI chat completions: `python -m x25.bench.stub`.

One answer for everybody, made once: it costs next to nothing, so that what is measured is what stands before it.
`GET /v1/count` says how many completions were asked for. It announces `{"url": …}` and stops when its stdin ends.
"""

import asyncio
import json
import re
import sys
from functools import partial
from typing import cast

from .load import run

ANSWER = (
    "It comes to 42: add the two parts first, then halve the sum, and check the result against the question."
)
USAGE = {"prompt_tokens": 40, "completion_tokens": 24, "total_tokens": 64}
JUDGE = "bench-judge"
"""The model that answers with a grade."""
GRADE = json.dumps({"reason": "It is right and complete.", "score": 0.9})
_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


def reply(body: bytes) -> bytes:
    """Return a whole HTTP response with these bytes as its JSON."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
    return head + str(len(body)).encode() + _END + body


def completion(text: str) -> bytes:
    """Return the body of a chat completion that says `text`."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({
        "id": "chatcmpl-bench", "object": "chat.completion", "created": 1_767_225_600, "model": "bench",
        "choices": [choice], "usage": USAGE,
    }).encode()  # fmt: skip


def streamed(text: str) -> bytes:
    """Return a whole HTTP response that streams `text` word by word, all of it at once."""
    head = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1_767_225_600,
        "model": "bench",
    }
    deltas = [{"role": "assistant", "content": ""}, *({"content": f"{word} "} for word in text.split())]
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    last = {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    data = [json.dumps(chunk) for chunk in (*chunks, last, {**head, "choices": [], "usage": USAGE})]
    events = [f"data: {one}\n\n".encode() for one in (*data, "[DONE]")]
    body = b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events)
    start = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return start + body + b"0\r\n\r\n"


STREAMED = streamed(ANSWER)
_STREAM = re.compile(rb'"stream": ?true')
ANSWERED, GRADED = reply(completion(ANSWER)), reply(completion(GRADE))


class Counter:
    """How many completions were asked for."""

    def __init__(self) -> None:
        self.count = 0


class Stub(asyncio.Protocol):
    """One connection: reads requests with a Content-Length, answers each at once."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._held += data
        while (end := self._held.find(_END)) >= 0:
            head = self._held[:end].lower()
            place = head.find(_LENGTH)
            length = int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            whole = end + len(_END) + length
            if len(self._held) < whole:
                return
            body, self._held = self._held[end + len(_END) : whole], self._held[whole:]
            assert self._transport is not None
            self._transport.write(self._answer(head, body))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"get"):
            return reply(json.dumps({"count": self._counter.count}).encode())
        self._counter.count += 1
        if _STREAM.search(body):
            return STREAMED
        return GRADED if JUDGE.encode() in body else ANSWERED


async def serve() -> None:
    """Listen on a free port, announce it, and stop when stdin ends."""
    server = await asyncio.get_running_loop().create_server(partial(Stub, Counter()), "127.0.0.1", 0)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"}), flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    run(serve())
