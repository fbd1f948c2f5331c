import asyncio
import json
import socket
from collections import deque

import pytest

from x25.api.pieces import Pieces
from x25.providers.base import ProviderRequest
from x25.providers.deltas import Sending, Source
from x25.providers.openai_compatible import OpenAICompatible
from x25.providers.stream_exchange import as_delta, refused_of_streaming
from x25.state.errors import (
    ContentFiltered,
    ProviderBadRequest,
    ProviderConnection,
    ProviderMalformed,
    ProviderRateLimit,
    ProviderServer,
    ProviderTimeout,
    ReaderLeft,
    StreamRefused,
    Unsupported,
)
from x25.state.usage import Usage

BODY = {"messages": [{"role": "user", "content": "Capital of France?"}]}
USAGE = {"prompt_tokens": 10, "completion_tokens": 5}
DONE = "data: [DONE]\n\n"


def data(value):
    return f"data: {json.dumps(value)}\n\n"


def said(text=None, finish=None):
    delta = {} if text is None else {"content": text}
    return data({"model": "up/m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


WHOLE = [said("Pa"), said("ris"), said(None, "stop"), data({"choices": [], "usage": USAGE}), DONE]


class Vendor:
    """A raw HTTP server: each connection is answered by the next script, whose numbers are pauses in seconds."""

    def __init__(self):
        self.scripts = deque()
        self.bodies, self.open, self.left = [], 0, 0

    async def serve(self, reader, writer):
        self.open += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            self.bodies.append(json.loads(await reader.readexactly(length)))
            status, kind, *script = self.scripts.popleft()
            writer.write(f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n".encode())
            for step in script:
                if isinstance(step, str):
                    writer.write(step.encode())
                    await writer.drain()
                elif await left_or_time(reader, step):
                    self.left += 1
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            self.open -= 1
            writer.close()


async def _left(reader):
    try:
        return not await reader.read(1)
    except ConnectionError:
        return True


async def left_or_time(reader, seconds):
    try:
        return await asyncio.wait_for(_left(reader), seconds)
    except TimeoutError:
        return False


@pytest.fixture
async def vendor():
    found = Vendor()

    async def serve(reader, writer):
        await found.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    yield found
    server.close()


@pytest.fixture
def stream(client, vendor, deployed):
    provider = OpenAICompatible(client)

    async def run(*script, status=200, kind="text/event-stream", pieces=None, timeout_s=5.0, **limits):
        vendor.scripts.append((status, kind, *script))
        pieces = pieces or Pieces()
        source = Source("c1", "acme/small", "acme", "slm")
        guess = lambda message: Usage(7, len(message.get("content") or ""), is_estimate=True)  # noqa: E731
        run.sending = Sending(pieces, source, guess, **limits)
        spec = deployed(vendor.url)
        request = ProviderRequest(spec, spec.deployments[0], BODY, "att-1", timeout_s)
        try:
            return await provider.stream(request, run.sending)
        finally:
            run.sent = [piece.delta for piece in pieces.unread()]

    return run


async def test_pieces_come_as_they_were_said_and_the_answer_whole_with_its_usage(stream, vendor):
    found = await stream(*WHOLE)
    assert stream.sent == [{"content": "Pa"}, {"content": "ris"}]
    assert (found.message["content"], found.finish_reason, found.model) == ("Paris", "stop", "up/m")
    assert (found.usage.completion_tokens, found.usage.is_estimate) == (5, False)
    sent = vendor.bodies[0]
    assert (sent["stream"], sent["stream_options"]) == (True, {"include_usage": True})


async def test_the_first_piece_is_sent_before_the_second_is_said(stream):
    pieces = Pieces()
    task = asyncio.create_task(stream(WHOLE[0], 3.0, *WHOLE[1:], pieces=pieces))
    assert await pieces.news(2.0)
    assert [piece.delta for piece in pieces.unread()] == [{"content": "Pa"}]
    pieces.leave()
    with pytest.raises(ReaderLeft):
        await task


async def test_a_vendor_that_does_not_count_gets_an_estimate(stream):
    found = await stream(*WHOLE[:3], DONE)
    assert (found.usage.prompt_tokens, found.usage.completion_tokens) == (7, 5)
    assert found.usage.to_openai()["estimated"] is True


@pytest.mark.parametrize("end", [[], [": bye\n\n"], ["data: {garbage\n\n"], [data({"error": {"code": 500}})]])
async def test_after_its_last_word_nothing_can_break_an_answer(stream, end):
    found = await stream(*WHOLE[:3], *end)
    assert found.message["content"] == "Paris"
    assert found.usage.is_estimate


@pytest.mark.parametrize(
    ("rest", "error"),
    [
        ([], ProviderServer),
        ([": bye\n\n"], ProviderServer),
        (["data: {garbage\n\n"], ProviderMalformed),
        (["data: []\n\n"], ProviderMalformed),
        ([data({"error": {"message": "slow down", "code": 429}})], ProviderRateLimit),
        ([said(None, "content_filter"), DONE], ContentFiltered),
        ([said(None, "network_error"), DONE], ProviderServer),
    ],
)
async def test_what_breaks_off_says_how_and_what_was_used_once_something_was_sent(stream, rest, error):
    with pytest.raises(error) as before:
        await stream(*rest)
    assert (stream.sending.pieces, before.value.usage) == (0, None)
    with pytest.raises(error) as after:
        await stream(said("Par"), *rest)
    assert (stream.sending.pieces, after.value.usage) == (1, Usage(7, 3, is_estimate=True))


async def test_a_vendor_that_ends_its_stream_need_not_say_why(stream):
    found = await stream(said("Paris"), DONE)
    assert (found.message["content"], found.finish_reason) == ("Paris", "stop")
    with pytest.raises(ProviderServer, match="in the middle"):
        await stream(DONE)


async def test_usage_that_was_counted_wins_over_a_guess(stream):
    with pytest.raises(ProviderServer) as broken:
        await stream(said("Par"), data({"choices": [], "usage": USAGE}))
    assert (broken.value.usage.prompt_tokens, broken.value.usage.is_estimate) == (10, False)


async def test_a_slow_first_token_a_pause_and_the_end_each_have_a_limit(stream, vendor):
    with pytest.raises(ProviderTimeout, match=r"said nothing within 0.1 s"):
        await stream(": alive\n\n", 2.0, *WHOLE, first_token_s=0.1)
    with pytest.raises(ProviderTimeout, match=r"fell silent for 0.1 s in the middle"):
        await stream(said("Pa"), 2.0, *WHOLE, idle_s=0.1)
    slow = [step for _ in range(20) for step in (said("a"), 0.05)]
    with pytest.raises(ProviderTimeout, match="did not finish in time"):
        await stream(*slow, timeout_s=0.3)
    await asyncio.sleep(0.05)
    assert vendor.open == 0


async def test_whoever_leaves_ends_the_request_at_once_and_pays_for_what_was_said(stream, vendor):
    for first in (said("Pari"), ": nothing yet\n\n"):
        pieces = Pieces()
        asyncio.get_running_loop().call_later(0.1, pieces.leave)
        with pytest.raises(ReaderLeft) as left:
            await stream(first, 5.0, *WHOLE, pieces=pieces)
        assert left.value.usage.completion_tokens == (4 if "Pari" in first else 0)
        assert left.value.usage.is_estimate
    await asyncio.sleep(0.05)
    assert (vendor.open, vendor.left) == (0, 2)


async def test_a_client_that_stops_reading_is_told_apart_from_a_vendor_that_stops_writing(stream):
    with pytest.raises(ReaderLeft, match="stopped reading"):
        await stream(*(said("a") for _ in range(600)), idle_s=0.3)


async def test_what_a_deployment_refuses_of_streaming_is_left_out_from_then_on(stream, vendor):
    refusal = json.dumps({"error": {"message": "Unsupported parameter: 'stream_options'"}})
    with pytest.raises(StreamRefused):
        await stream(refusal, status=400, kind="application/json")
    assert (await stream(*WHOLE[:3], DONE)).usage.is_estimate
    refusal = json.dumps({"error": {"message": "streaming is not supported by this model"}})
    with pytest.raises(StreamRefused):
        await stream(refusal, status=400, kind="application/json")
    answer = {"choices": [{"message": {"content": "Paris"}, "finish_reason": "stop"}], "usage": USAGE}
    assert (await stream(json.dumps(answer), kind="application/json")).usage.completion_tokens == 5
    assert stream.sent == [{"content": "Paris"}]
    assert [(body["stream"], "stream_options" in body) for body in vendor.bodies] == [
        (True, True), (True, False), (True, False), (False, False),
    ]  # fmt: skip


async def test_a_vendor_that_answers_whole_is_sent_in_one_piece(stream):
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    answer = {"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}], "usage": USAGE}
    found = await stream(json.dumps(answer), kind="application/json; charset=utf-8")
    assert stream.sent == [{"tool_calls": [{"index": 0, **call}]}]
    assert found.finish_reason == "tool_calls"


async def test_nobody_to_talk_to_and_a_refusal_are_named_as_ever(stream, vendor):
    with pytest.raises(ProviderRateLimit):
        await stream("{}", status=429, kind="application/json")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        vendor.url = f"http://127.0.0.1:{nobody.getsockname()[1]}/v1"
        with pytest.raises(ProviderConnection) as failed:
            await stream()
    assert not failed.value.may_have_billed


def test_refusals_are_read_by_their_words():
    assert refused_of_streaming(Unsupported("no", parameter="stream_options")) == "usage"
    assert refused_of_streaming(ProviderBadRequest("extra field include_usage")) == "usage"
    assert refused_of_streaming(Unsupported("no", parameter="stream")) == "stream"
    assert refused_of_streaming(Unsupported("tools are not supported", parameter="tools")) is None
    assert refused_of_streaming(ProviderServer("streaming broke")) is None
    assert as_delta({"role": "assistant", "content": None, "refusal": "no"}) == {"refusal": "no"}
