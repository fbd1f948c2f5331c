"""POST /v1/completions, the older form: a prompt as one user message, the answer as plain text."""

from collections.abc import Iterator, Mapping, Sequence
from time import time
from typing import Any

from pydantic import ConfigDict, Field

from ...providers.deltas import Ending, Source
from ...routing.plan.chat_parameters import ChatParameters
from ...state.errors import InvalidRequest
from ...state.types import JSONObject, Reply
from ..pieces import Piece
from ..receipts import provisional, receipt
from ..schemas import Steered, StreamOptions
from ..sse import DONE, event
from .choices import MOST_CHOICES, receipt_of_all, summed_usage
from .words import pieces_of, text_of

MOST_LOGPROBS = 5
_CHATS_ALONE = (
    "tools",
    "tool_choice",
    "functions",
    "function_call",
    "response_format",
    "modalities",
    "audio",
    "messages",
)


class CompletionRequest(Steered):
    """An OpenAI completion request; chat parameters it shares are passed on, others refused."""

    model_config = ConfigDict(extra="allow")

    prompt: Any = Field(
        description="A text, or a list of texts, each of which is answered; lists of tokens are refused."
    )
    echo: bool | None = Field(None, description="Begins the answer with the prompt.")
    logprobs: int | None = Field(
        None, ge=0, le=MOST_LOGPROBS, description="How many likeliest tokens are told."
    )
    best_of: int | None = Field(None, ge=1, le=1, description="1: a call brings one answer.")
    stream_options: StreamOptions | None = Field(None, description="Needs `stream`.")


def single(body: CompletionRequest, count: int) -> list[CompletionRequest]:
    """Return one request for each choice: `count` of each prompt, in order.

    Raises
    ------
    InvalidRequest
        When these are more than `MOST_CHOICES`.
    """
    prompt = body.prompt
    is_several = isinstance(prompt, list) and bool(prompt) and all(isinstance(one, str) for one in prompt)
    prompts = list(prompt) if is_several else [prompt]
    if len(prompts) * count > MOST_CHOICES:
        raise InvalidRequest(
            f"prompt and n ask for {len(prompts) * count} answers, at most {MOST_CHOICES} are given",
            field="prompt" if count == 1 else "n",
        )
    return [body.model_copy(update={"prompt": one}) for one in prompts for _ in range(count)]


def messages_of(body: CompletionRequest) -> list[JSONObject]:
    """Return the chat messages of a completion request.

    Raises
    ------
    InvalidRequest
        When the prompt is no single text.
    """
    prompt = body.prompt
    if isinstance(prompt, list):
        raise InvalidRequest("prompt must be text: models have different tokens", field="prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise InvalidRequest("prompt must be a text that is not empty", field="prompt")
    return [{"role": "user", "content": prompt}]


def options_of(body: CompletionRequest) -> dict[str, Any]:
    """Return the chat parameters of a completion request.

    Raises
    ------
    InvalidRequest
        For a parameter that only chats have, or none at all.
    """
    if body.stream_options is not None and not body.stream:
        raise InvalidRequest("stream_options needs stream: true", field="stream_options")
    options = dict(body.model_extra or {})
    for name, value in options.items():
        if value is not None and (name in _CHATS_ALONE or name not in ChatParameters.__annotations__):
            raise InvalidRequest(f"{name} is no parameter of /v1/completions", field=name)
    if body.logprobs is not None:
        options |= {"logprobs": True, "top_logprobs": body.logprobs}
    return options


def completion_of(reply: Reply, body: CompletionRequest) -> JSONObject:
    """Return the reply as a completion."""
    head = _head(reply["call_id"], reply["model_used"])
    return {**head, "choices": [_choice(reply, body)], "usage": reply["usage"] or None, "x25": receipt(reply)}


def completion_of_all(replies: Sequence[Reply], bodies: Sequence[CompletionRequest]) -> JSONObject:
    """Return several replies, each with the request of its own prompt, as the choices of one completion."""
    choices = [
        {**_choice(reply, body), "index": place}
        for place, (reply, body) in enumerate(zip(replies, bodies, strict=True))
    ]
    usage = summed_usage([reply["usage"] for reply in replies])
    head = _head(replies[0]["call_id"], replies[0]["model_used"])
    return {**head, "choices": choices, "usage": usage, "x25": receipt_of_all(replies)}


class CompletionStream:
    """A `Dialect`: one chunk a piece of the text; what has no text is passed over.

    Parameters
    ----------
    index
        Which of several choices it is.
    call_id
        Of the first of them: chunks of all go by one id.
    wants_usage
        Whether a last chunk tells the tokens; None = as the request says.
    """

    def __init__(
        self,
        body: CompletionRequest,
        *,
        index: int = 0,
        call_id: str | None = None,
        wants_usage: bool | None = None,
    ) -> None:
        self._body = body
        self._index = index
        self._call_id = call_id
        self.usage: JSONObject | None = None
        """The tokens, once it has ended."""
        self._wants_usage = wants_usage_of(body) if wants_usage is None else wants_usage
        self._head: JSONObject = {}
        self._chars = 0

    def begin(self, source: Source | None) -> Sequence[bytes]:  # noqa: ARG002 - a dialect's signature
        """Say nothing: the first chunk says whose words they are."""
        return ()

    def take(self, source: Source, pieces: Sequence[Piece]) -> Iterator[bytes]:
        """Tell pieces; the first also has the prompt, where it is to be told."""
        for piece in pieces:
            text, likely = text_of(piece.delta), piece.logprobs
            if text or (likely or {}).get("content"):
                yield from self._begun(source.call_id, source.model_id)
                yield event(self._chunk(text, _logprobs(likely, self._chars)))
                self._chars += len(text)

    def close(self, source: Source, ending: Ending, reply: Reply | None) -> Iterator[bytes]:
        """Tell why the answer ended, with the receipt; and the tokens where they were asked for."""
        yield from self._begun(source.call_id, source.model_id)
        told = provisional(source, ending) if reply is None else receipt(reply)
        yield from self._close(ending.finish_reason, ending.usage, told)

    def answer(self, reply: Reply) -> Iterator[bytes]:
        """Tell a judged answer."""
        self._head = self._named(reply["call_id"], reply["model_used"])
        whole = _choice(reply, self._body)
        logprobs = whole["logprobs"]
        for piece in pieces_of(whole["text"]):
            yield event(self._chunk(piece, logprobs))
            logprobs = None  # told once, with the first piece: tokens end elsewhere than pieces
        yield from self._close(whole["finish_reason"], reply["usage"], receipt(reply))

    def fail(self, status: int, body: JSONObject) -> Sequence[bytes]:  # noqa: ARG002 - a dialect's signature
        """Tell what went wrong; OpenAI's clients raise it."""
        return (event(body),)

    def _begun(self, call_id: str, model: str) -> Iterator[bytes]:
        if self._head:
            return
        self._head = self._named(call_id, model)
        if prompt := _echoed(self._body):
            yield event(self._chunk(prompt, None))
            self._chars = len(prompt)

    def _close(self, finish_reason: str | None, usage: JSONObject, told: JSONObject) -> Iterator[bytes]:
        yield event({**self._chunk("", None, finish_reason), "x25": told})
        self.usage = usage
        if self._wants_usage:
            yield event({**self._head, "choices": [], "usage": usage or None})
        yield DONE

    def _chunk(self, text: str, logprobs: JSONObject | None, finish_reason: str | None = None) -> JSONObject:
        choice = {"index": self._index, "text": text, "logprobs": logprobs, "finish_reason": finish_reason}
        return {**self._head, "choices": [choice]}

    def total(self, usage: JSONObject | None) -> bytes:
        """Return the chunk that tells the tokens of all choices."""
        return event({**self._head, "choices": [], "usage": usage})

    def _named(self, call_id: str, model: str) -> JSONObject:
        return _head(self._call_id or call_id, model)


def wants_usage_of(body: CompletionRequest) -> bool:
    """Return whether a stream is to end with the tokens."""
    return body.stream_options is not None and bool(body.stream_options.include_usage)


def _head(call_id: str, model: str) -> JSONObject:
    return {"id": f"cmpl-{call_id}", "object": "text_completion", "created": int(time()), "model": model}


def _echoed(body: CompletionRequest) -> str:
    return str(messages_of(body)[0]["content"]) if body.echo else ""


def _choice(reply: Reply, body: CompletionRequest) -> JSONObject:
    prompt = _echoed(body)
    return {
        "index": 0,
        "text": prompt + text_of(reply["message"]),
        "logprobs": _logprobs(reply["logprobs"], len(prompt)),
        "finish_reason": reply["finish_reason"],
    }


def _logprobs(told: Mapping[str, Any] | None, offset: int) -> JSONObject | None:
    """Return probabilities in the older form; `offset` is where their text begins, in characters."""
    if told is None or told["content"] is None:
        return None
    found: JSONObject = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
    for token in told["content"]:
        found["tokens"].append(token["token"])
        found["token_logprobs"].append(token["logprob"])
        found["top_logprobs"].append({one["token"]: one["logprob"] for one in token["top_logprobs"]})
        found["text_offset"].append(offset)
        offset += len(token["token"])
    return found
