"""A vendor whose answer calls three tools at once, in the chunkings that vendors of OpenAI's form are known for."""

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

CALLS = [
    ("get_weather", {"city": "Zürich 🌊"}),
    ("get_weather", {"city": 'Paris, "Texas"\n'}),
    ("get_time", {"zone": "UTC"}),
]
"""Name and arguments of each call, in order."""
MODELS = ("in-order", "in-turns", "at-once", "from-the-last", "words-amid")


def fragments(model: str) -> Iterator[dict[str, Any]]:
    """Yield the deltas of an answer, chunked as a model does."""
    texts = [json.dumps(arguments, ensure_ascii=False) for _, arguments in CALLS]
    heads = [_head(place, name) for place, (name, _) in enumerate(CALLS)]
    if model == "at-once":
        yield {"tool_calls": [_with(head, text) for head, text in zip(heads, texts, strict=True)]}
        return
    if model == "in-order":
        for place, text in enumerate(texts):
            yield {"tool_calls": [heads[place]]}
            yield from ({"tool_calls": [_more(place, text[at : at + 5])]} for at in range(0, len(text), 5))
        return
    yield {"tool_calls": heads}
    rows = zip_longest(*([text[at : at + 4] for at in range(0, len(text), 4)] for text in texts))
    for row in rows:
        pieces = [_more(place, piece) for place, piece in enumerate(row) if piece]
        if model == "from-the-last":
            yield {"tool_calls": pieces[::-1]}
        else:
            yield from ({"tool_calls": [piece]} for piece in pieces)
        if model == "words-amid":
            yield {"content": "Looking. "}


def _head(place: int, name: str) -> dict[str, Any]:
    called = {"name": name, "arguments": ""}
    return {"index": place, "id": f"call_{place}", "type": "function", "function": called}


def _with(head: dict[str, Any], text: str) -> dict[str, Any]:
    return {**head, "function": {**head["function"], "arguments": text}}


def _more(place: int, text: str) -> dict[str, Any]:
    return {"index": place, "function": {"arguments": text}}


def answer(body: dict[str, Any]) -> tuple[str, bytes]:
    """Return calls first, and "All done." once their results are told; content type and body."""
    is_told = body["messages"][-1]["role"] == "tool"
    deltas = [{"content": "All done."}] if is_told else list(fragments(body["model"]))
    reason = "stop" if is_told else "tool_calls"
    head = {"id": "a", "created": 1, "model": body["model"]}
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    if not body.get("stream"):
        calls = [_with(_head(place, name), json.dumps(said)) for place, (name, said) in enumerate(CALLS)]
        message = deltas[0] if is_told else {"content": None, "tool_calls": calls}
        choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
        return "application/json", json.dumps({**head, "choices": [choice], "usage": usage}).encode()
    steps = [*((delta, None) for delta in deltas), ({}, reason)]
    chunks = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in steps
    ]
    told = [f"data: {json.dumps(one)}\n\n" for one in (*chunks, {**head, "choices": [], "usage": usage})]
    return "text/event-stream", "".join([*told, "data: [DONE]\n\n"]).encode()
