import asyncio
import base64
import gzip
import json
import socket
import ssl
import time

import pytest

from x25.providers.wire import client as module
from x25.providers.wire.client import VendorClient
from x25.state.errors import ConfigError, ProviderConnection, ProviderMalformed, ProviderTimeout

BODY = {"messages": [{"role": "user", "content": "Capital of France?"}]}
PARIS = b'{"capital": "Paris"}'


def http(body=PARIS, status=200, **headers):
    """Return an HTTP answer as it is sent."""
    given = {"content-length": len(body)} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value is not None)
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + body


class Stub:
    """A server that counts its connections and says what it is told to."""

    def __init__(self):
        self.said = http()
        self.writers = []
        self.asked = []
        self.wait = None
        self.ended = 0
        self.closes = False

    async def serve(self, reader, writer):
        self.writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.asked.append((lines[0], headers, body))
                if self.wait is not None:
                    await self.wait
                writer.write(self.said)
                await writer.drain()
                if self.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.ended += 1
            writer.close()


@pytest.fixture
async def stub():
    stub = Stub()
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0, backlog=512)
    stub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    yield stub
    server.close()
    for writer in stub.writers:
        writer.close()


@pytest.fixture
def post(client, stub):
    def post(body=BODY, headers=(), url=None, **options):
        options = {"deployment": "d", "timeout_s": 30.0} | options
        return client.post(url or f"{stub.url}/chat", body, dict(headers), **options)

    return post


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_body_goes_out_as_json_and_what_came_is_returned(post, stub):
    stub.said = http(x_odd="one", **{"retry-after": "7"})
    answer = await post(BODY | {"é": None}, {"Authorization": "Bearer k"})
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (200, PARIS, "7")
    ((line, headers, body),) = stub.asked
    assert line == "POST /v1/chat HTTP/1.1"
    assert json.loads(body) == BODY | {"é": None}
    assert headers["authorization"] == "bearer k"
    assert (headers["content-type"], headers["accept-encoding"]) == ("application/json", "gzip, deflate")


async def test_calls_one_after_the_other_share_a_connection(post, stub):
    for _ in range(20):
        await post()
    assert len(stub.writers) == 1


async def test_hundreds_of_calls_at_once_wait_for_none_and_leave_their_connections_to_the_next(post, stub):
    stub.wait = asyncio.get_running_loop().create_future()
    calls = [asyncio.create_task(post()) for _ in range(250)]
    await until(lambda: len(stub.asked) == 250)  # all are under way before one is answered
    stub.wait.set_result(None)
    assert {answer.body for answer in await asyncio.gather(*calls)} == {PARIS}
    assert len(stub.writers) == 250
    for _ in range(3):
        await asyncio.gather(*[post() for _ in range(200)])
    assert len(stub.writers) == 250


async def test_a_cancelled_call_closes_its_connection(post, stub, client):
    stub.wait = asyncio.get_running_loop().create_future()
    calls = [asyncio.create_task(post()) for _ in range(10)]
    await until(lambda: len(stub.asked) == 10)
    for call in calls:
        call.cancel()
    assert {type(one) for one in await asyncio.gather(*calls, return_exceptions=True)} == {
        asyncio.CancelledError
    }
    assert not client._session.connector._acquired
    stub.wait.cancel()
    await until(lambda: stub.ended == 10)
    stub.wait = None
    assert (await post()).body == PARIS
    assert len(stub.writers) == 11


async def test_a_call_cancelled_amid_the_answer_closes_its_connection(post, stub, client):
    stub.said = http(PARIS, content_length=1_000)
    call = asyncio.create_task(post())
    await until(lambda: len(stub.asked) == 1)
    await asyncio.sleep(0.05)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not client._session.connector._acquired
    await until(lambda: stub.ended == 1)


async def test_a_call_out_of_time_closes_its_connection_and_may_have_been_billed(post, stub):
    stub.wait = asyncio.get_running_loop().create_future()
    with pytest.raises(ProviderTimeout, match=r"d did not finish within 0\.1 s") as caught:
        await post(timeout_s=0.1)
    assert caught.value.may_have_billed
    stub.wait.cancel()
    await until(lambda: stub.ended == 1)


async def test_a_server_that_drips_bytes_is_stopped_by_the_limit_on_the_whole(post, stub):
    stub.said = http(b"", content_length=1_000)
    call = asyncio.create_task(post(timeout_s=0.3))
    await until(lambda: len(stub.asked) == 1)
    while not call.done():
        stub.writers[0].write(b" ")
        await asyncio.sleep(0.01)
    with pytest.raises(ProviderTimeout):
        await call


async def test_a_connection_closed_between_calls_is_replaced(post, stub):
    await post()
    for _ in range(3):
        stub.writers[-1].close()
        ended = len(stub.writers)
        await until(lambda ended=ended: stub.ended == ended)
        assert (await post()).body == PARIS
    assert len(stub.writers) == 4
    assert len(stub.asked) == 4


async def test_a_connection_closed_while_the_loop_was_busy_is_replaced(client):
    """The server is another thread's: the loop has not been told when the next call starts."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(10)

    def serve_one():
        taken, _ = listening.accept()
        taken.recv(65_536)
        taken.sendall(http())
        return taken

    def ask():
        return client.post(
            f"http://127.0.0.1:{listening.getsockname()[1]}/v1", BODY, {}, deployment="d", timeout_s=9
        )

    with listening:
        for _ in range(3):
            served = asyncio.create_task(asyncio.to_thread(serve_one))
            assert (await ask()).body == PARIS
            (await served).close()
            time.sleep(0.02)  # noqa: ASYNC251 - the loop is to be busy


@pytest.mark.parametrize("pause_s", [0.0, 0.05])
async def test_a_second_answer_to_one_request_is_nobodys(post, stub, pause_s):
    await post()
    await asyncio.sleep(pause_s)
    stub.writers[0].write(http(b"of another call"))
    await asyncio.sleep(pause_s)
    assert (await post()).body == PARIS
    stub.said = http() + http(b"of another call")
    assert (await post()).body == PARIS
    stub.said = http()
    assert (await post()).body == PARIS


async def test_a_request_is_sent_once_where_its_connection_breaks(post, stub):
    await post()
    stub.said, stub.closes = b"", True
    with pytest.raises(ProviderConnection) as caught:
        await post()
    assert caught.value.may_have_billed
    assert len(stub.asked) == 2


async def test_a_server_that_says_close_is_left(post, stub):
    stub.said, stub.closes = http(connection="close"), True
    for _ in range(3):
        assert (await post()).body == PARIS
    assert len(stub.writers) == 3


async def test_a_connection_nobody_used_for_a_while_is_closed(stub, monkeypatch):
    monkeypatch.setattr(module, "KEPT_S", 0.05)
    async with VendorClient() as client:
        await client.post(stub.url, BODY, {}, deployment="d", timeout_s=9)
        await until(lambda: stub.ended == 1)


async def test_closing_the_client_closes_its_connections(stub):
    async with VendorClient() as client:
        await client.post(stub.url, BODY, {}, deployment="d", timeout_s=9)
    await until(lambda: stub.ended == 1)


async def test_a_client_that_was_not_opened_says_so():
    with pytest.raises(ConfigError, match="not open"):
        await VendorClient().post("http://127.0.0.1:1", BODY, {}, deployment="d", timeout_s=9)


async def test_a_server_that_takes_no_connection_is_left_early_and_never_billed():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        with socket.create_connection(deaf.getsockname()):  # the queue is full
            async with VendorClient(connect_timeout_s=0.2) as client:
                with pytest.raises(ProviderTimeout, match="no connection was made") as caught:
                    await client.post(
                        f"http://127.0.0.1:{deaf.getsockname()[1]}", BODY, {}, deployment="d", timeout_s=9
                    )
    assert not caught.value.may_have_billed


@pytest.mark.parametrize(
    "said",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: nine\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000,
        b"\x16\x03\x01\x00",
        b"HTTP/1.1 200",
    ],
)
async def test_what_is_no_http_is_a_broken_connection_that_may_have_been_billed(post, stub, said):
    stub.said, stub.closes = said, True
    with pytest.raises(ProviderConnection) as caught:
        await post()
    assert caught.value.may_have_billed
    stub.said, stub.closes = http(), False
    assert (await post()).body == PARIS  # the next call is none the worse


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", b"abcd"),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", b"x"),
        (http(gzip.compress(PARIS, mtime=0), content_encoding="GZip"), PARIS),
        (http(b"", status=204, content_length=None), b""),
        (http(b"x", x_long="y" * 60_000), b"x"),
        (http(b"\xff\xfe"), b"\xff\xfe"),
    ],
)
async def test_every_form_of_an_answer_is_read(post, stub, said, body):
    stub.said, stub.closes = said, True
    assert (await post()).body == body


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (http(b"x", content_encoding="br"), "not asked for"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx",
         "not asked for"),
        (http(b"plain", content_encoding="gzip"), "cannot be decoded"),
        (http(b"x" * 2_000), "more than 1,000 bytes"),
        (http(gzip.compress(b"x" * 2_000, mtime=0), content_encoding="gzip"), "more than 1,000 bytes"),
    ],
)  # fmt: skip
async def test_a_body_that_cannot_be_read_is_malformed(post, stub, said, words):
    stub.said = said
    with pytest.raises(ProviderMalformed, match=words):
        await post(most_bytes=1_000)


async def test_the_rest_of_a_body_that_is_too_long_is_not_read(post, stub, client):
    stub.said = http(b"x" * 2_000, content_length=10**9)
    with pytest.raises(ProviderMalformed):
        await post(most_bytes=1_000)
    assert not client._session.connector._acquired
    await until(lambda: stub.ended == 1)


async def test_a_redirect_is_an_answer_and_cookies_are_not_kept(post, stub):
    stub.said = http(b"", status=302, location="http://127.0.0.1:1/", set_cookie="a=b")
    assert [(await post()).status for _ in range(2)] == [302, 302]
    assert "cookie" not in stub.asked[1][1]


async def test_a_long_request_is_sent_whole(post, stub):
    body = {"content": "é" * 3_000_000}
    await post(body)
    assert json.loads(stub.asked[0][2]) == body


async def test_a_header_that_cannot_be_sent_is_not_quoted(post, stub):
    with pytest.raises(ProviderConnection) as caught:
        await post(headers={"Authorization": "Bearer a\r\nsecret"})
    assert "secret" not in str(caught.value)
    assert not caught.value.may_have_billed
    assert not stub.asked


async def test_a_proxy_of_the_environment_is_asked_with_its_password(stub, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", stub.url.replace("http://", "http://user:pass@"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with VendorClient() as client:
        for _ in range(2):
            answer = await client.post("http://far.invalid/v1/chat", BODY, {}, deployment="d", timeout_s=9)
            assert answer.body == PARIS
    assert [line for line, _, _ in stub.asked] == ["POST http://far.invalid/v1/chat HTTP/1.1"] * 2
    sent = stub.asked[0][1]["proxy-authorization"].removeprefix("basic ")
    assert sent == base64.b64encode(b"user:pass").decode().lower()
    assert len(stub.writers) == 1


async def test_a_certificate_of_no_trusted_authority_is_refused_before_anything_is_sent(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer():
            taken, _ = plain.accept()
            with taken:
                taken.recv(1_000)
                taken.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        served = asyncio.create_task(asyncio.to_thread(answer))
        async with VendorClient() as client:
            url = f"https://127.0.0.1:{plain.getsockname()[1]}/v1"
            with pytest.raises(ProviderConnection) as caught:
                await client.post(url, BODY, {}, deployment="d", timeout_s=9)
        await served
    assert not caught.value.may_have_billed
    assert isinstance(caught.value.__cause__, OSError)


def test_the_authorities_are_those_of_the_environment(authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    context = module._authorities.__wrapped__()
    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
