"""One wire format, many vendors: the OpenAI chat completions API over a shared HTTP client."""

import asyncio
import secrets
import time

from ..state.errors import ProviderError, StreamRefused
from ..state.types import JSONObject
from .base import Completion, ProviderRequest
from .deltas import Sending
from .errors_map import error_from_response
from .specs import Deployment
from .stream_exchange import StreamExchange, as_delta, refused_of_streaming
from .wire.client import VendorClient
from .wire.reply import ChatReply
from .wire.request import ReasoningOrigins, messages_for
from .wire.vendor_reply import reply_in

LONG_BODY_BYTES = 2**17
"""A body from here on is parsed outside the event loop."""
GATEWAY_HEADER = "X-X25-Gateway"
GATEWAY_ID = secrets.token_hex(8)
"""Sent with every request, so that a gateway whose model's address is its own knows itself."""


class OpenAICompatible:
    """Speaks to any deployment with a `/chat/completions` endpoint."""

    def __init__(self, client: VendorClient) -> None:
        self._client = client
        self._origins = ReasoningOrigins()
        self._refused: dict[tuple[str, str], str] = {}
        """What deployments refused of streaming, by address and model: "usage" or "stream"."""

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
        sent = self._body(request)
        started = time.perf_counter()
        answer = await self._client.post(
            _url(deployment), sent, _headers(request), deployment=deployment.name, timeout_s=request.timeout_s
        )
        latency_ms = (time.perf_counter() - started) * 1000.0
        if not 200 <= answer.status < 300:
            raise error_from_response(answer, deployment=deployment.name, secret=api_key)
        if len(answer.body) < LONG_BODY_BYTES:
            reply = reply_in(answer, deployment.name, request.body, api_key)
        else:
            reply = await asyncio.to_thread(reply_in, answer, deployment.name, request.body, api_key)
        return self._completion(request, reply, latency_ms)

    async def stream(self, request: ProviderRequest, sending: Sending) -> Completion:
        """Post the body as `complete` does, asking for a stream, and send its pieces on.

        Usage is asked for; a deployment that refuses that, or refuses to stream, is not asked so again. One that
        answers whole all the same has its answer sent as one piece.

        Raises
        ------
        ProviderError
            The member of its family that says what went wrong. With `StreamRefused` nothing was done: asking again
            leaves out what was refused.
        """
        name = request.deployment.name
        place = (request.deployment.base_url, request.deployment.upstream_model)
        if self._refused.get(place) == "stream":
            completion = await self.complete(request)
            await sending.send(as_delta(completion.message), as_delta(completion.logprobs or {}) or None)
            return completion
        sent = self._body(request) | {"stream": True}
        if place not in self._refused:
            sent["stream_options"] = {"include_usage": True}
        started = time.perf_counter()
        exchange = StreamExchange(self._client, name, request.body, request.api_key)
        try:
            reply = await exchange.run(
                _url(request.deployment), sent, _headers(request), sending, request.timeout_s
            )
        except ProviderError as error:
            if (refused := refused_of_streaming(error)) is not None and not sending.pieces:
                self._refused[place] = refused
                raise StreamRefused(str(error), status=error.status) from error
            raise
        return self._completion(request, reply, (time.perf_counter() - started) * 1000.0)

    def _body(self, request: ProviderRequest) -> JSONObject:
        sent = {name: value for name, value in request.body.items() if value is not None}
        # Vendors refuse them on a request that does not stream.
        sent.pop("stream_options", None)
        messages = messages_for(request.body["messages"], request.spec.model_id, self._origins)
        return sent | {"model": request.deployment.upstream_model, "stream": False, "messages": messages}

    def _completion(self, request: ProviderRequest, reply: ChatReply, latency_ms: float) -> Completion:
        self._origins.note(reply.message, request.spec.model_id)
        return Completion(
            message=reply.message,
            finish_reason=reply.finish_reason,
            usage=reply.usage,
            model=reply.model or request.deployment.upstream_model,
            latency_ms=latency_ms,
            deployment=request.deployment.name,
            service_tier=reply.service_tier,
            logprobs=reply.logprobs,
        )


def _url(deployment: Deployment) -> str:
    return f"{deployment.base_url}/chat/completions"


def _headers(request: ProviderRequest) -> dict[str, str]:
    ids = {"Idempotency-Key": request.attempt_id, "X-Request-Id": request.attempt_id}
    headers = {GATEWAY_HEADER: GATEWAY_ID, **request.deployment.headers, **ids}
    if request.api_key is not None:
        headers["Authorization"] = f"Bearer {request.api_key}"
    return headers
