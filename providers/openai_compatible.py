"""One wire format, many vendors: the OpenAI chat completions API over a shared HTTP client."""

import asyncio
import ssl
import time
from functools import cache
from typing import Any

import httpx

from ..state.errors import ProviderMalformed, ProviderTimeout
from ..state.types import JSONObject
from .base import Completion, ProviderRequest, Usage
from .errors_map import HttpAnswer, error_from_httpx, error_from_response
from .specs import Deployment

CONNECT_TIMEOUT_S = 5.0
MAX_CONNECTIONS = 200


def new_client(timeout_s: float = 60.0) -> httpx.AsyncClient:
    """Return a client to share between all deployments; the caller closes it. Redirects are not followed."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
        limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
        follow_redirects=False,
        verify=_authorities(),
    )


@cache
def _authorities() -> ssl.SSLContext:
    """Return the certificate authorities httpx trusts, read from disk once: a client sets nothing of its own."""
    return httpx.create_ssl_context()


class OpenAICompatible:
    """Speaks to any deployment with a `/chat/completions` endpoint."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def complete(self, request: ProviderRequest) -> Completion:
        """Post the body with the upstream model's name and without streaming; everything else passes untouched.

        The time limit runs from connecting to the last byte. The attempt id is sent as `Idempotency-Key` and
        `X-Request-Id`.

        Raises
        ------
        ProviderError
            The member of its family that says what went wrong.
        """
        deployment, api_key = request.deployment, request.api_key
        ids = {"Idempotency-Key": request.attempt_id, "X-Request-Id": request.attempt_id}
        headers = {**deployment.headers, **ids}
        if api_key is not None:
            headers["Authorization"] = f"Bearer {api_key}"
        sent = {**request.body, "model": deployment.upstream_model, "stream": False}
        # Vendors refuse it on a request that does not stream.
        sent.pop("stream_options", None)
        started = time.perf_counter()
        response = await self._post(deployment, sent, headers, request.timeout_s)
        latency_ms = (time.perf_counter() - started) * 1000.0
        if not response.is_success:
            answer = HttpAnswer(response.status_code, response.headers, response.content)
            raise error_from_response(answer, deployment=deployment.name, secret=api_key)
        return _completion(response, deployment, latency_ms, api_key)

    async def _post(
        self, deployment: Deployment, sent: JSONObject, headers: dict[str, str], timeout_s: float
    ) -> httpx.Response:
        timeout = httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s))
        url = f"{deployment.base_url}/chat/completions"
        try:
            # httpx limits each read; a server that drips bytes is stopped by the limit on the whole.
            async with asyncio.timeout(timeout_s):
                return await self._client.post(url, json=sent, headers=headers, timeout=timeout)
        except httpx.HTTPError as error:
            raise error_from_httpx(error, deployment=deployment.name) from error
        except TimeoutError as error:
            raise ProviderTimeout(f"{deployment.name} did not finish within {timeout_s:g} s") from error


def _completion(
    response: httpx.Response, deployment: Deployment, latency_ms: float, api_key: str | None
) -> Completion:
    name = deployment.name
    try:
        payload: Any = response.json()
    except ValueError as error:
        raise ProviderMalformed(f"{name} answered 200 with a body that is not JSON") from error
    if not isinstance(payload, dict):
        raise ProviderMalformed(f"{name} answered 200 with {type(payload).__name__} instead of an object")
    if payload.get("error") and not payload.get("choices"):
        # Some aggregators report an upstream's failure inside a 200.
        answer = HttpAnswer(_status_within(payload["error"]), response.headers, response.content)
        raise error_from_response(answer, deployment=name, secret=api_key)
    choice = _first_choice(payload, name)
    usage = payload.get("usage")
    if usage is not None and not isinstance(usage, dict):
        raise ProviderMalformed(f"{name}: usage must be an object, got {type(usage).__name__}")
    finish_reason = choice.get("finish_reason")
    return Completion(
        message=choice["message"],
        finish_reason=finish_reason if isinstance(finish_reason, str) else None,
        usage=Usage.from_openai(usage) if usage else None,
        model=str(payload.get("model") or deployment.upstream_model),
        latency_ms=latency_ms,
        deployment=name,
    )


def _status_within(error: Any) -> int:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code <= 599 else 502


def _first_choice(payload: JSONObject, name: str) -> JSONObject:
    choices = payload.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        raise ProviderMalformed(f"{name} answered 200 without a choice that holds a message")
    return choice
