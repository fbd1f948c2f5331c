"""The doors beside chat that lead to the same cascade: POST /v1/completions and /v1/messages."""

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from ...routing.prompt.tokens import estimate_prompt_tokens
from ..choice_streams import streamed_choices
from ..deps import CallerDep, CascadeDep
from ..encoding import JsonReply
from ..heads import HeadsDep
from ..receipts import receipt_headers
from ..sse import streamed
from ..surfaces import completions, messages_reply, messages_request
from ..surfaces.asking import Asked, begin_chat, begin_chats, reader_of
from ..surfaces.choices import all_replies, choices_wanted, options_of_choice, summed
from ..surfaces.completions import CompletionRequest, CompletionStream
from ..surfaces.messages_reply import MessageStream
from ..surfaces.messages_request import CountRequest, MessagesRequest
from .route import PROBLEMS

router = APIRouter(tags=["openai"])


@router.post("/v1/completions", responses=PROBLEMS, summary="Text completion, OpenAI compatible")
async def complete(body: CompletionRequest, cascade: CascadeDep, key: CallerDep, heads: HeadsDep) -> Response:
    """Route a prompt in the older form; the reply's `x25` object explains the choice."""
    options = completions.options_of(body)
    count = choices_wanted(options)
    if len(bodies := completions.single(body, count)) > 1:
        return await _several(bodies, count, options, cascade=cascade, key=key, heads=heads)
    (body,) = bodies
    messages, pieces = completions.messages_of(body), reader_of(body)
    call = await begin_chat(
        cascade, key, body, messages=messages, options=options, heads=heads, pieces=pieces
    )
    if body.stream:
        return await streamed(call, CompletionStream(body), pieces)
    reply = await asyncio.shield(call)
    return JsonReply(completions.completion_of(reply, body), headers=receipt_headers(reply))


async def _several(  # noqa: PLR0913 - what the route was given
    bodies: list[CompletionRequest],
    count: int,
    options: dict[str, Any],
    *,
    cascade: CascadeDep,
    key: CallerDep,
    heads: HeadsDep,
) -> Response:
    """Return one answer to each of the bodies, as choices of one completion."""
    asked = [
        Asked(completions.messages_of(one), options_of_choice(options, at % count), reader_of(one))
        for at, one in enumerate(bodies)
    ]
    calls = await begin_chats(cascade, key, bodies[0], asked, heads)
    if bodies[0].stream:
        first = calls[0].get_name()
        dialects = [
            CompletionStream(one, index=at, call_id=first, wants_usage=False) for at, one in enumerate(bodies)
        ]
        wants_usage = completions.wants_usage_of(bodies[0])
        return await streamed_choices(calls, dialects, [one.pieces for one in asked], wants_usage=wants_usage)
    replies = await all_replies(calls)
    told = completions.completion_of_all(replies, bodies)
    return JsonReply(told, headers=receipt_headers(summed(replies)))


@router.post("/v1/messages", responses=PROBLEMS, summary="Messages, Anthropic compatible")
async def answer_messages(
    body: MessagesRequest, cascade: CascadeDep, key: CallerDep, heads: HeadsDep
) -> Response:
    """Route a conversation in Anthropic's form; errors are in its shape, too."""
    messages, options = messages_request.messages_of(body), messages_request.options_of(body)
    pieces = reader_of(body)
    call = await begin_chat(
        cascade, key, body, messages=messages, options=options, heads=heads, pieces=pieces
    )
    if body.stream:
        return await streamed(call, MessageStream(call.get_name(), body.model or "auto"), pieces)
    reply = await asyncio.shield(call)
    return JsonReply(messages_reply.message_of(reply), headers=receipt_headers(reply))


@router.post(
    "/v1/messages/count_tokens",
    responses={status: PROBLEMS[status] for status in (401, 408, 413, 422, 429)},
    summary="Tokens of a message, estimated",
)
async def count_tokens(body: CountRequest, key: CallerDep) -> dict[str, int]:  # noqa: ARG001 - a wrong key is refused
    """Estimate the tokens of a conversation: models differ, and nobody knows yet which one will read it."""
    messages, options = messages_request.messages_of(body), messages_request.options_of(body)
    return {"input_tokens": estimate_prompt_tokens(messages, options)}
