import asyncio
import json
from itertools import repeat

import pytest

from x25.bench.load import ask_once, closed_loop, encode, latencies_ms, send_all, split_response
from x25.bench.stub import Counter, Stub, reply


def test_a_request_is_whole():
    request = encode("http://localhost:81/v1/x", {"é": 1})
    head, body = request.split(b"\r\n\r\n")
    assert head.splitlines()[:2] == [b"POST /v1/x HTTP/1.1", b"host: localhost:81"]
    assert f"content-length: {len(body)}".encode() in head
    assert json.loads(body) == {"é": 1}
    assert encode("http://localhost:81/y") == b"GET /y HTTP/1.1\r\nhost: localhost:81\r\n\r\n"


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            b"2\r\nok\r\n0\r\n\r\n",
        ),
    ],
)
def test_a_response_is_handed_over_once_it_is_whole(response, body):
    assert all(split_response(response[:length]) is None for length in range(len(response)))
    assert split_response(response) == (200, body)


async def serving(protocol):
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/chat/completions"


async def test_requests_are_answered_and_counted():
    counter = Counter()
    server, url = await serving(lambda: Stub(counter))
    request = encode(url, {"model": "any"})
    async with server:
        assert len(await latencies_ms(url, [request] * 5)) == 5
        loop = await closed_loop(url, [request], clients=3, seconds=0.1)
        assert loop.errors == 0
        assert loop.answered == counter.count - 5 > 0
        assert (await send_all(url, repeat(request, 7), clients=3)).answered == 7
        assert (await ask_once(url.replace("chat/completions", "count")))[0] == 200


class Failing(Stub):
    def data_received(self, data):
        self._transport.write(reply(b"no").replace(b"200 OK", b"500 No"))


async def test_failures_are_counted_and_stop_a_measurement_of_latency():
    server, url = await serving(lambda: Failing(Counter()))
    async with server:
        loop = await send_all(url, repeat(encode(url, {}), 4), clients=2)
        assert (loop.answered, loop.errors) == (0, 4)
        with pytest.raises(RuntimeError, match="answered 500"):
            await latencies_ms(url, [encode(url, {})])


class HangingUp(Stub):
    def data_received(self, data):
        self._transport.close()


async def test_a_connection_that_was_closed_is_an_error_and_opened_again():
    server, url = await serving(lambda: HangingUp(Counter()))
    async with server:
        loop = await send_all(url, repeat(encode(url, {}), 4), clients=2)
        assert (loop.answered, loop.errors) == (0, 4)
