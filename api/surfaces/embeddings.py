"""POST /v1/embeddings from the encoder that this gateway routes by."""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ...providers.embeddings import Encoder
from ...routing.prompt.tokens import estimate_tokens
from ...state.errors import InvalidRequest
from ..schemas import Body

MODEL = "x25-embed"
MOST_TEXTS = 2_048
PIECE_CHARS = 1_500
"""Longest text that the encoder reads as a whole; of a longer one the mean over its pieces is taken."""
BREATHES_EVERY = 4
"""Pieces after which other calls have their turn."""

Vector = NDArray[np.float32]


class EmbeddingRequest(Body):
    """An OpenAI embeddings request."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(description=f"{MODEL}: the encoder that prompts are routed by.")
    input: Any = Field(description="A text, or a list of texts; lists of tokens are refused.")
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = Field(None, ge=1, le=65_536, description="At most those of the encoder.")
    user: Annotated[str, Field(max_length=256)] | None = Field(None, description="Without effect.")


class Embedding(BaseModel):
    """One vector."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingReply(BaseModel):
    """The vectors of a request, in its order."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str = MODEL
    usage: dict[str, int]


def texts_of(body: EmbeddingRequest, most_chars: int) -> list[str]:
    """Return the texts to embed.

    Raises
    ------
    InvalidRequest
        When there is none, one is empty or no text, or all together are longer than `most_chars`.
    """
    texts = [body.input] if isinstance(body.input, str) else body.input
    if not isinstance(texts, list) or not texts or len(texts) > MOST_TEXTS:
        raise InvalidRequest(f"input must be a text, or a list of 1 to {MOST_TEXTS} texts", field="input")
    for index, text in enumerate(texts):
        if isinstance(text, int | list):
            raise InvalidRequest("input must be text: this encoder has tokens of its own", field="input")
        if not isinstance(text, str) or not text:
            raise InvalidRequest(f"input[{index}] must be a text that is not empty", field=f"input[{index}]")
    if (size := sum(map(len, texts))) > most_chars:
        raise InvalidRequest(
            f"input is {size} characters long, at most {most_chars} are accepted", field="input"
        )
    return texts


async def embed(texts: Sequence[str], encoder: Encoder, dimensions: int | None) -> list[Vector]:
    """Return one vector a text, at unit length; zeros for a text without any known token.

    Fewer dimensions are the first ones: the bundled table's are principal components, the widest first.

    Raises
    ------
    InvalidRequest
        When the encoder has fewer dimensions than are asked for.
    """
    found, read = [], 0
    for text in texts:
        vectors = []
        for start in range(0, len(text), PIECE_CHARS):
            piece = text[start : start + PIECE_CHARS]
            vectors.append(np.asarray(await encoder.embed(piece), dtype=np.float64) * len(piece))
            read += 1
            if read % BREATHES_EVERY == 0:
                await asyncio.sleep(0)
        whole = np.sum(vectors, axis=0)
        if dimensions is not None and dimensions > len(whole):
            raise InvalidRequest(
                f"dimensions must be at most {len(whole)}, got {dimensions}", field="dimensions"
            )
        cut = whole[:dimensions]
        found.append((cut / (float(np.linalg.norm(cut)) or 1.0)).astype(np.float32))
    return found


def reply_of(body: EmbeddingRequest, texts: Sequence[str], vectors: Sequence[Vector]) -> dict[str, Any]:
    """Return the vectors in OpenAI's shape; tokens are estimated, and nothing is billed."""
    is_packed = body.encoding_format == "base64"
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _packed(vector) if is_packed else vector.tolist(),
        }
        for index, vector in enumerate(vectors)
    ]
    tokens = sum(map(estimate_tokens, texts))
    return {
        "object": "list", "data": data, "model": MODEL, "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }  # fmt: skip


def _packed(vector: Vector) -> str:
    return b64encode(vector.astype("<f4").tobytes()).decode()
