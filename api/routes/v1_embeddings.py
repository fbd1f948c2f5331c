"""POST /v1/embeddings: the vectors that prompts are routed by, for whoever needs some."""

from fastapi import APIRouter
from starlette.responses import Response

from ...state.errors import EncoderUnavailable, ModelNotFound, ProviderError, StoreError
from ..deps import CallerDep, CascadeDep, org_of_call
from ..encoding import JsonReply
from ..heads import HeadsDep
from ..limits import admitted
from ..receipts import note
from ..surfaces.embeddings import MODEL, EmbeddingReply, EmbeddingRequest, embed, reply_of, texts_of
from .route import PROBLEMS

router = APIRouter(tags=["openai"])


class EncoderAway(StoreError):
    """There are no vectors now; calls are routed without them."""

    code = "encoder_unavailable"


@router.post(
    "/v1/embeddings",
    response_model=EmbeddingReply,
    responses={status: PROBLEMS[status] for status in (401, 404, 408, 413, 422, 429, 503)},
    summary="Embeddings, OpenAI compatible",
)
async def embeddings(
    body: EmbeddingRequest,
    cascade: CascadeDep,
    key: CallerDep,
    heads: HeadsDep,  # noqa: ARG001 - as every way of a call
) -> Response:
    """Return one vector a text. Costs nothing: the encoder runs in this process unless a setting names another."""
    org = org_of_call(key, None)
    note(org=org)
    if body.model != MODEL:
        raise ModelNotFound(f"there is no embedding model {body.model[:200]!r} here; known: {MODEL}")
    texts = texts_of(body, cascade.settings.max_prompt_chars)
    leave = await admitted(cascade, key, org)
    try:
        vectors = await embed(texts, cascade.services.encoder, body.dimensions)
    except (EncoderUnavailable, ProviderError) as error:
        raise EncoderAway(str(error)) from error
    finally:
        await leave.done()
    return JsonReply(
        reply_of(body, texts, vectors), headers={"x-x25-model": MODEL, "x-x25-cost-usd": "0.000000000"}
    )
