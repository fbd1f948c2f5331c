import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

pytestmark = pytest.mark.slow

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def address(start_gateway) -> tuple[str, int]:
    at = urlsplit(start_gateway(X25_IDLE_TIMEOUT_S="1").url)
    return at.hostname, at.port


@pytest.fixture
def connection(address: tuple[str, int]) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=20) as opened:
        yield opened


@pytest.mark.parametrize("sent", [b"", REQUEST[:20], REQUEST[:-2]])
def test_a_connection_without_a_whole_request_is_closed(connection: socket.socket, sent: bytes) -> None:
    began = time.perf_counter()
    connection.sendall(sent)
    assert connection.recv(100) == b""
    assert 0.5 < time.perf_counter() - began < 10


def test_it_is_closed_after_a_reply_too_and_with_half_of_the_next_request(connection: socket.socket) -> None:
    connection.sendall(REQUEST)
    assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
    connection.sendall(REQUEST[:20])
    while piece := connection.recv(65_536):
        assert b"400" not in piece[:20]


def test_requests_one_after_the_other_share_a_connection(address: tuple[str, int]) -> None:
    with httpx.Client(base_url=f"http://{address[0]}:{address[1]}") as client:
        ports = set()
        for _ in range(4):
            reply = client.get("/healthz").raise_for_status()
            ports.add(reply.extensions["network_stream"].get_extra_info("client_addr"))
            time.sleep(0.4)
    assert len(ports) == 1
