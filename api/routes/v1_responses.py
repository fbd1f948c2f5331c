"""POST /v1/responses; and GET and DELETE of those that are kept."""

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from ...state.api_key import ApiKey
from ...state.errors import InvalidRequest
from ..deps import CallerDep, CascadeDep, KeyDep, org_of_call, org_to_read
from ..encoding import JsonReply
from ..heads import HeadsDep
from ..receipts import receipt_headers
from ..schemas import DeletedResponse
from ..sse import streamed
from ..surfaces import responses_request
from ..surfaces.asking import begin_chat, reader_of
from ..surfaces.namespaces import names_of
from ..surfaces.response_items import Order, page_of
from ..surfaces.response_memory import (
    Keeper,
    call_of,
    earlier_messages,
    items_of,
    kept_response,
    unknown,
)
from ..surfaces.responses_reply import ResponseStream, response_of
from ..surfaces.responses_request import INCLUDABLE, ResponseRequest
from .route import PROBLEMS

router = APIRouter(tags=["openai"])
UNKNOWN: dict[int | str, dict[str, Any]] = {status: PROBLEMS[status] for status in (401, 403, 404, 422)}
Id = Annotated[str, Path(max_length=200, description="Id of a response.")]
Org = Annotated[str | None, Query(description='Whose; the key\'s org, or "default", when absent.')]


@router.post("/v1/responses", responses=PROBLEMS, summary="Responses, OpenAI compatible")
async def respond(body: ResponseRequest, cascade: CascadeDep, key: CallerDep, heads: HeadsDep) -> Response:
    """Route the items of `input`; functions, structured answers, streams, and going on from an earlier response."""
    org = org_of_call(key, None if body.x25 is None else body.x25.org)
    options = responses_request.options_of(body)
    pieces = reader_of(body)
    earlier = await earlier_messages(cascade, org, body.previous_response_id)
    items = await items_of(cascade, org, body.input)
    said = [*earlier, *responses_request.messages_of(body.input, items)]
    instructions = [] if body.instructions is None else [{"role": "system", "content": body.instructions}]
    messages = [*instructions, *said]
    call = await begin_chat(
        cascade, key, body, messages=messages, options=options, heads=heads, pieces=pieces
    )
    call_id, keep = call.get_name(), None
    keeper = None if body.store is False else Keeper(cascade, body, said)
    if keeper is not None:
        keep = partial(keeper.told, org, call_id)
        call.add_done_callback(keeper.ended)
    if body.stream:
        return await streamed(call, ResponseStream(call_id, body, keep), pieces)
    reply = await asyncio.shield(call)
    if keeper is not None:
        await keeper.written()
    return JsonReply(response_of(reply, body), headers=receipt_headers(reply))


@router.get("/v1/responses/{response_id}", responses=UNKNOWN, summary="A response that is kept")
async def get_response(  # noqa: PLR0913 - one parameter each
    response_id: Id,
    cascade: CascadeDep,
    key: KeyDep,
    *,
    org: Org = None,
    include: Annotated[
        list[str] | None,
        Query(description=f"Some of {', '.join(INCLUDABLE)}; told where they were asked for."),
    ] = None,
    stream: Annotated[bool | None, Query(description="false: a response is told whole.")] = None,
) -> dict[str, Any]:
    """Return a response as it was told; `store: false` and those of other orgs are unknown."""
    if stream:
        raise InvalidRequest("stream: a response that is kept is told whole", field="stream")
    for name in include or ():
        if name not in INCLUDABLE:
            raise InvalidRequest(f"include must be some of {', '.join(INCLUDABLE)}", field="include")
    return (await kept_response(cascade, org_to_read(key, _org(key, org), "call"), response_id)).told


@router.get(
    "/v1/responses/{response_id}/input_items", responses=UNKNOWN, summary="What a kept response answered"
)
async def list_input_items(  # noqa: PLR0913 - one parameter each
    response_id: Id,
    cascade: CascadeDep,
    key: KeyDep,
    *,
    org: Org = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Items of a page.")] = 20,
    order: Annotated[Order, Query(description="desc: the newest first.")] = "desc",
    after: Annotated[
        str | None, Query(max_length=200, description="The id of the item before the page.")
    ] = None,
) -> dict[str, Any]:
    """Return the items of a response's conversation, those of the responses it goes on from included."""
    kept = await kept_response(cascade, org_to_read(key, _org(key, org), "call"), response_id)
    call_id = call_of(response_id) or ""
    names = names_of(kept.told.get("tools"))
    return page_of(call_id, kept.messages[:-1], limit=limit, order=order, after=after, names=names)


@router.delete("/v1/responses/{response_id}", responses=UNKNOWN, summary="Forget a response")
async def delete_response(
    response_id: Id, cascade: CascadeDep, key: KeyDep, org: Org = None
) -> DeletedResponse:
    """Forget a response, so that nothing can go on from it; what the log keeps of its call, it keeps."""
    owner, call_id = org_to_read(key, _org(key, org), "call"), call_of(response_id)
    if call_id is None or not await cascade.forget_answer(owner, call_id):
        raise await unknown(cascade, owner, response_id)
    return DeletedResponse(id=response_id)


def _org(key: ApiKey | None, asked: str | None) -> str:
    return asked or ("default" if key is None else key.org)
