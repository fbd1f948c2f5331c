import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from x25.demo.gateway import gateway_process
from x25.simulator.process import SimulatorProcess


@pytest.fixture
def quick_simulator():
    with SimulatorProcess(latency=False) as simulator:
        yield simulator


@pytest.fixture
def slow_simulator():
    """A simulator that takes as long as its models say, so that a crash finds requests under way."""
    with SimulatorProcess(latency=True) as simulator:
        yield simulator


@pytest.fixture
def make_gateway(tmp_path):
    return lambda simulator, **settings: gateway_process(tmp_path / "state", simulator.url, **settings)


class Vendor:
    """A real server that speaks for every model: `answer` is given each body and gives status, headers and bytes."""

    def __init__(self):
        self.answer, self.asked = lambda body: (200, {}, b"{}"), []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def _handler(self):
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or a body waits 40 ms for its head to be acknowledged

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                vendor.asked.append(body)
                status, headers, sent = vendor.answer(body)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(sent))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *_):
                """Stay quiet."""

        return Handler


@contextmanager
def serving():
    vendor = Vendor()
    yield vendor
    vendor.server.shutdown()
    vendor.server.server_close()


@pytest.fixture
def vendor():
    with serving() as vendor:
        yield vendor


@pytest.fixture(scope="module")
def module_vendor():
    with serving() as vendor:
        yield vendor
