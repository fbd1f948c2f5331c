"""One wire format, many vendors: the OpenAI chat completions API over a shared HTTP client."""

import asyncio
import secrets
import ssl
import time
from dataclasses import replace
from functools import cache
from typing import Any

import httpx

from ..state.errors import ProviderTimeout
from ..state.types import JSONObject
from .base import Completion, ProviderRequest
from .errors_map import HttpAnswer, error_from_httpx, error_from_response
from .specs import Deployment
from .wire.body import ACCEPTED_ENCODINGS, MAX_BODY_BYTES, read_body
from .wire.reply import ChatReply, chat_reply, parse_json
from .wire.request import ReasoningOrigins, messages_for

CONNECT_TIMEOUT_S = 5.0
MAX_ERROR_BYTES = 2**20
"""Longest body read of an answer that is an error."""
LONG_BODY_BYTES = 2**17
"""A body from here on is parsed outside the event loop."""
MAX_CONNECTIONS = 200


def new_client(timeout_s: float = 60.0) -> httpx.AsyncClient:
    """Return a client to share between all deployments; the caller closes it. Redirects are not followed."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
        limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
        follow_redirects=False,
        verify=_authorities(),
    )


GATEWAY_HEADER = "X-X25-Gateway"
GATEWAY_ID = secrets.token_hex(8)
"""Sent with every request, so that a gateway whose model's address is its own knows itself."""


@cache
def _authorities() -> ssl.SSLContext:
    """Return the certificate authorities httpx trusts, read from disk once: a client sets nothing of its own."""
    return httpx.create_ssl_context()


class OpenAICompatible:
    """Speaks to any deployment with a `/chat/completions` endpoint."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._origins = ReasoningOrigins()

    async def complete(self, request: ProviderRequest) -> Completion:
        """Post the body with the upstream model's name and without streaming, as `wire.request` writes it.

        The time limit runs from connecting to the last byte. The attempt id is sent as `Idempotency-Key` and
        `X-Request-Id`.

        Raises
        ------
        ProviderError
            The member of its family that says what went wrong.
        """
        deployment, api_key = request.deployment, request.api_key
        ids = {"Idempotency-Key": request.attempt_id, "X-Request-Id": request.attempt_id}
        headers = {
            "Accept-Encoding": ACCEPTED_ENCODINGS, GATEWAY_HEADER: GATEWAY_ID, **deployment.headers, **ids
        }  # fmt: skip
        if api_key is not None:
            headers["Authorization"] = f"Bearer {api_key}"
        sent = {name: value for name, value in request.body.items() if value is not None}
        # Vendors refuse them on a request that does not stream.
        sent.pop("stream_options", None)
        messages = messages_for(request.body["messages"], request.spec.model_id, self._origins)
        sent |= {"model": deployment.upstream_model, "stream": False, "messages": messages}
        started = time.perf_counter()
        answer = await self._post(deployment, sent, headers, request.timeout_s)
        latency_ms = (time.perf_counter() - started) * 1000.0
        if not 200 <= answer.status < 300:
            raise error_from_response(answer, deployment=deployment.name, secret=api_key)
        if len(answer.body) < LONG_BODY_BYTES:
            reply = _reply(answer, deployment.name, request.body, api_key)
        else:
            reply = await asyncio.to_thread(_reply, answer, deployment.name, request.body, api_key)
        self._origins.note(reply.message, request.spec.model_id)
        return Completion(
            message=reply.message,
            finish_reason=reply.finish_reason,
            usage=reply.usage,
            model=reply.model or deployment.upstream_model,
            latency_ms=latency_ms,
            deployment=deployment.name,
            service_tier=reply.service_tier,
            logprobs=reply.logprobs,
        )

    async def _post(
        self, deployment: Deployment, sent: JSONObject, headers: dict[str, str], timeout_s: float
    ) -> HttpAnswer:
        timeout = httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s))
        url = f"{deployment.base_url}/chat/completions"
        asked = self._client.build_request("POST", url, json=sent, headers=headers, timeout=timeout)
        try:
            # httpx limits each read; a server that drips bytes is stopped by the limit on the whole.
            async with asyncio.timeout(timeout_s):
                response = await self._client.send(asked, stream=True)
                try:
                    limit = MAX_BODY_BYTES if response.is_success else MAX_ERROR_BYTES
                    content = await read_body(response, deployment.name, limit)
                finally:
                    await response.aclose()
        except httpx.HTTPError as error:
            raise error_from_httpx(error, deployment=deployment.name) from error
        except TimeoutError as error:
            raise ProviderTimeout(f"{deployment.name} did not finish within {timeout_s:g} s") from error
        return HttpAnswer(response.status_code, response.headers, content)


def _reply(answer: HttpAnswer, deployment: str, options: JSONObject, secret: str | None) -> ChatReply:
    """Return the completion in an answer of status 200, or raise what it says went wrong."""
    payload = parse_json(answer.body, deployment)
    if isinstance(payload, dict) and payload.get("error") and not payload.get("choices"):
        # Some aggregators report an upstream's failure inside a 200.
        within = replace(answer, status=_status_within(payload["error"]))
        raise error_from_response(within, deployment=deployment, secret=secret)
    return chat_reply(payload, deployment, options)


def _status_within(error: Any) -> int:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code <= 599 else 502
