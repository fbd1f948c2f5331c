"""Vectors from an OpenAI-compatible embeddings API."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Sequence
from typing import Any, NoReturn

import httpx
import numpy as np
from numpy.typing import NDArray

from ..state.errors import ConfigError, ProviderMalformed
from .errors_map import error_from_response
from .wire.client import VendorClient

Vectors = NDArray[np.float32]

TIMEOUT_S = 10.0
MOST_CHARS = 6_000
"""Characters of a text that are embedded; `routing.prompt.features` has cut the text to as many before."""
MOST_BYTES = 2**18
"""Longest answer read, a text: eight thousand dimensions of thirty characters."""
_BATCH_TEXTS = 64


def clean(text: str) -> str:
    """Return at most 6,000 characters; half of a surrogate pair, which no tokenizer takes, becomes "?"."""
    return text[:MOST_CHARS].encode("utf-8", "replace").decode("utf-8")


class RemoteEncoder:
    """Posts texts to `{base_url}/embeddings`. The key is in no repr, pickle, message or log.

    Parameters
    ----------
    base_url
        Such as `https://host/v1`; its host is named in messages.
    api_key
        None = none is sent.
    client
        Shared with other providers and closed by the caller; None = one per call.
    timeout_s
        Seconds for one whole exchange.

    Raises
    ------
    ConfigError
        If the URL has no host, or a password or query; or the key holds characters no header can carry.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None = None,
        client: VendorClient | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        host = _host(base_url)
        if api_key is not None and not (api_key.isascii() and api_key.isprintable() and api_key.strip()):
            # The HTTP client would quote the key in its own error.
            raise ConfigError("the key of the embeddings API holds characters that no HTTP header can carry")
        self.name = f"remote:{model}"
        self.dimension = 0
        """Entries of a vector: those of the first reply, 0 before; whoever knows it sets it, and others are refused."""
        self._base_url = base_url.rstrip("/")
        self._where = f"{host} ({model})"
        self._model = model
        self._api_key = api_key
        self._client = client
        self._timeout_s = timeout_s
        self._learning = threading.Lock()

    def __repr__(self) -> str:
        return f"RemoteEncoder({self._base_url!r}, {self._model!r})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: the key would travel along."""
        raise TypeError(f"{self!r} holds a key and a connection; open it anew where it is needed")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of URL and model name: what the vendor changes behind them cannot be seen."""
        return hashlib.sha256(f"{self._base_url}|{self._model}".encode()).hexdigest()

    async def embed(self, text: str) -> Vectors:
        """Return the vector of one text, shape (dimension,); zeros for an empty one once the size is known.

        Raises
        ------
        ProviderError
            The member of its family that says what went wrong.
        """
        if not text.strip() and self.dimension:
            return np.zeros(self.dimension, dtype=np.float32)
        return (await self._post([text], self._client)).reshape(-1)

    def embed_many(self, texts: Sequence[str]) -> Vectors:
        """Return one vector per text, shape (n, dimension). Not to be called inside a running event loop."""
        return asyncio.run(self._embed_all(texts))

    async def _embed_all(self, texts: Sequence[str]) -> Vectors:
        # A client belongs to the loop it was first used in, and this loop is a new one.
        async with VendorClient() as client:
            parts = [
                await self._post(texts[at : at + _BATCH_TEXTS], client)
                for at in range(0, len(texts), _BATCH_TEXTS)
            ]
        return np.concatenate([np.zeros((0, self.dimension), dtype=np.float32), *parts])

    async def _post(self, texts: Sequence[str], client: VendorClient | None) -> Vectors:
        if client is None:
            async with VendorClient() as own:
                return await self._post(texts, own)
        headers = {"Authorization": f"Bearer {self._api_key}"} if self._api_key is not None else {}
        # Vendors refuse an empty text.
        body = {"model": self._model, "input": [clean(text) or " " for text in texts]}
        answer = await client.post(
            f"{self._base_url}/embeddings",
            body,
            headers,
            deployment=self._where,
            timeout_s=self._timeout_s,
            most_bytes=MOST_BYTES * len(texts),
        )
        if not 200 <= answer.status < 300:
            raise error_from_response(answer, deployment=self._where, secret=self._api_key)
        return self._read(answer.body, len(texts))

    def _read(self, content: bytes | str, count: int) -> Vectors:
        try:
            payload: Any = json.loads(content)
            items = sorted(payload["data"], key=lambda item: int(item["index"]))
            vectors = np.array([item["embedding"] for item in items], dtype=np.float32)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise ProviderMalformed(f"{self._where} answered 200 without a list of embeddings") from error
        if (
            vectors.ndim != 2
            or len(vectors) != count
            or not vectors.shape[1]
            or not np.isfinite(vectors).all()
        ):
            raise ProviderMalformed(
                f"{self._where}: expected {count} embeddings of finite numbers, got shape {vectors.shape}"
            )
        with self._learning:
            self.dimension = self.dimension or vectors.shape[1]
        if vectors.shape[1] != self.dimension:
            raise ProviderMalformed(
                f"{self._where} answered with {vectors.shape[1]} dimensions after {self.dimension} before"
            )
        return vectors


def _host(base_url: str) -> str:
    """Return the host of a URL that can hold no secret."""
    expected = "expected an embeddings URL like https://host/v1, without user, password and query"
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise ConfigError(expected) from error
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query:
        raise ConfigError(expected)
    return url.host
