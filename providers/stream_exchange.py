"""One streamed request to a deployment: its events read, put together, and sent on as they come."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..state.errors import ProviderBadRequest, ProviderError, Unsupported
from ..state.types import JSONObject
from ..state.usage import Usage
from .deltas import Sending, Watch, watched
from .errors_map import HttpAnswer, error_from_response
from .wire.assembly import PIECES, Assembly
from .wire.client import Streamed, VendorClient
from .wire.events import DONE, EventReader
from .wire.json_text import parse_json
from .wire.reply import ChatReply
from .wire.vendor_reply import refuse_error_within, reply_in

_STREAMING = re.compile(r"\bstream(?:ing|ed|s)?\b", re.IGNORECASE)


def refused_of_streaming(error: ProviderError) -> str | None:
    """Return which part of a streamed request a vendor refused: "usage" or "stream"; None for anything else."""
    if not isinstance(error, Unsupported | ProviderBadRequest):
        return None
    words = f"{getattr(error, 'parameter', None)} {error}"
    if "stream_options" in words or "include_usage" in words:
        return "usage"
    return "stream" if _STREAMING.search(words) else None


def as_delta(message: Mapping[str, Any]) -> JSONObject:
    """Return a whole message as the one piece of a stream."""
    delta = {name: value for name, value in message.items() if name != "role" and value is not None}
    if delta.get("tool_calls"):
        delta["tool_calls"] = [{"index": place, **call} for place, call in enumerate(delta["tool_calls"])]
    return delta


class StreamExchange:
    """Reads one stream.

    Parameters
    ----------
    options
        The body of the request, as for `wire.reply.chat_reply`.
    secret
        The key that is sent: some vendors quote it.
    """

    def __init__(
        self, client: VendorClient, deployment: str, options: Mapping[str, Any], secret: str | None
    ) -> None:
        self._client = client
        self._deployment = deployment
        self._options = options
        self._secret = secret
        self._assembly = Assembly(options, deployment)

    async def run(
        self, url: str, body: JSONObject, headers: Mapping[str, str], sending: Sending, timeout_s: float
    ) -> ChatReply:
        """Make the request and return the completion, once its pieces were sent.

        Raises
        ------
        ProviderError
            What went wrong. After the first piece its `usage` is what the vendor counted, or an estimate.
        """
        reply = None
        try:
            async with (
                watched(sending, timeout_s, self._deployment) as watch,
                self._client.stream(url, body, headers, deployment=self._deployment) as answer,
            ):
                reply = await self._read(answer, sending, watch)
        except ProviderError as error:
            if self._assembly.finish_reason is None:
                raise self._counted(error, sending) from error.__cause__
            # All was said; what is missing is how much it took.
        try:
            reply = reply or self._assembly.reply()
        except ProviderError as error:
            raise self._counted(error, sending) from error.__cause__
        return reply if reply.usage is not None else replace(reply, usage=self._usage(sending))

    def _counted(self, error: ProviderError, sending: Sending) -> ProviderError:
        """Return a failure with what was used, where somebody read of the answer or left."""
        if error.usage is None and (sending.pieces or sending.reader.has_left):
            error.usage = self._usage(sending)
        return error

    def _usage(self, sending: Sending) -> Usage:
        counted = Usage.from_openai(self._assembly.usage)
        return counted or sending.estimate(self._assembly.message())

    async def _read(self, answer: Streamed, sending: Sending, watch: Watch) -> ChatReply | None:
        """Send the pieces on; return the reply of a vendor that answers whole."""
        if not 200 <= answer.status < 300:
            whole = await answer.whole()
            raise error_from_response(whole, deployment=self._deployment, secret=self._secret)
        if not answer.is_events:
            whole = await answer.whole()
            reply = reply_in(whole, self._deployment, self._options, self._secret)
            await sending.send(
                as_delta(reply.message), None if reply.logprobs is None else {**reply.logprobs}
            )
            return reply
        await self._read_events(answer, sending, watch)
        if self._assembly.finish_reason is not None and (rest := self._assembly.rest()):
            await sending.send(rest)
        return None

    async def _read_events(self, answer: Streamed, sending: Sending, watch: Watch) -> None:
        events = EventReader(self._deployment)
        async for received in answer.pieces():
            watch.heard()
            for data in events.feed(received):
                if data == DONE:
                    self._assembly.close()
                    await answer.read_tail()
                    return
                await self._take(data, answer, sending, watch)
        for data in events.rest():
            if data == DONE:
                self._assembly.close()
            else:
                await self._take(data, answer, sending, watch)

    async def _take(self, data: bytes, answer: Streamed, sending: Sending, watch: Watch) -> None:
        chunk = parse_json(data, self._deployment, PIECES)
        said = HttpAnswer(answer.status, answer.headers, data)
        refuse_error_within(chunk, said, self._deployment, self._secret)
        delta, logprobs = self._assembly.add(chunk)
        if delta or logprobs:
            await sending.send(delta, logprobs)
            watch.heard()
