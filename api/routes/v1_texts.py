"""The doors beside chat that lead to the same cascade: POST /v1/completions and /v1/messages."""

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from ...routing.prompt.tokens import estimate_prompt_tokens
from ..deps import CallerDep, CascadeDep
from ..encoding import JsonReply
from ..heads import HeadsDep
from ..receipts import receipt_headers
from ..sse import streamed
from ..surfaces import completions, messages_reply, messages_request
from ..surfaces.asking import begin_chat, reader_of
from ..surfaces.completions import CompletionRequest, CompletionStream
from ..surfaces.messages_reply import MessageStream
from ..surfaces.messages_request import CountRequest, MessagesRequest
from .route import PROBLEMS

router = APIRouter(tags=["openai"])


@router.post("/v1/completions", responses=PROBLEMS, summary="Text completion, OpenAI compatible")
async def complete(body: CompletionRequest, cascade: CascadeDep, key: CallerDep, heads: HeadsDep) -> Response:
    """Route a prompt in the older form; the reply's `x25` object explains the choice."""
    messages, options = completions.messages_of(body), completions.options_of(body)
    pieces = reader_of(body)
    call = await begin_chat(
        cascade, key, body, messages=messages, options=options, heads=heads, pieces=pieces
    )
    if body.stream:
        return await streamed(call, CompletionStream(body), pieces)
    reply = await asyncio.shield(call)
    return JsonReply(completions.completion_of(reply, body), headers=receipt_headers(reply))


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
