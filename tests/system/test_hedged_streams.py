"""A stream whose first word is late, through a whole gateway: one answer is read, and one is billed as the answer."""

import json
import sqlite3
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from x25.providers.hedging import LEAST

pytestmark = pytest.mark.slow

MODEL = """
model_id: acme/small
provider: acme
tier: slm
prices: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
context_tokens: 128000
max_output_tokens: 4096
expected: {{latency_ms: 50, output_tokens: 20}}
deployments:
  - {{name: first, base_url: "{first}", model: small}}
  - {{name: second, base_url: "{second}", model: small}}
as_of: "2026-01-01"
"""


class Vendor:
    """Streams two words, the first after `wait_s`; a client that leaves meanwhile is counted."""

    def __init__(self, *words):
        self.wait_s, self.asked, self.left = 0.0, 0, 0
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                """Stay quiet."""

            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                vendor.asked += 1
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.end_headers()
                time.sleep(vendor.wait_s)
                usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
                try:
                    for word in words:
                        self.say({"choices": [{"index": 0, "delta": {"content": word}}]})
                    self.say({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
                    self.say({"choices": [], "usage": usage})
                    self.wfile.write(b"data: [DONE]\n\n")
                except OSError:
                    vendor.left += 1

            def say(self, chunk):
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                self.wfile.flush()
                time.sleep(0.01)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def vendors():
    pair = Vendor("Ly", "on"), Vendor("Pa", "ris")
    yield pair
    for one in pair:
        one.server.shutdown()
        one.server.server_close()


def streamed(http):
    body = {
        "model": "acme/small",
        "stream": True,
        "messages": [{"role": "user", "content": "Capital of France?"}],
    }
    text = ""
    with http.stream("POST", "/v1/chat/completions", json=body) as reply:
        for line in reply.iter_lines():
            if line.startswith("data: {"):
                for choice in json.loads(line[6:])["choices"]:
                    text += choice["delta"].get("content") or ""
        return text, reply.headers["x-x25-call-id"]


def test_the_second_deployment_speaks_where_the_first_is_late(vendors, make_gateway, tmp_path):
    first, second = vendors
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "small.yaml").write_text(MODEL.format(first=first.url, second=second.url))

    class Nobody:
        url = ""

    settings = {"upstream": "real", "models_dir": str(folder), "judge": "none", "hedge": "true"}
    with (
        make_gateway(Nobody, **settings) as gateway,
        httpx.Client(base_url=gateway.url, timeout=60) as http,
    ):
        for _ in range(LEAST + 1):  # on a busy machine one of them may be late, and lose its race
            streamed(http)
        first.wait_s, asked = 20.0, second.asked
        began_s = time.monotonic()
        text, call_id = streamed(http)
        assert (text, second.asked) == ("Paris", asked + 1)
        assert time.monotonic() - began_s < 15.0
        cost_usd = http.get("/stats/default").json()["total_cost_usd"]
    with closing(sqlite3.connect(next((tmp_path / "state").rglob("x25.db")))) as store:
        columns = "deployment, status, error, cost_source, cost_nusd"
        query = f"select {columns} from attempts where call_id = ? order by attempt_id"
        lost, won = store.execute(query, (call_id,)).fetchall()
        (booked,) = store.execute("select sum(cost_nusd) from attempts").fetchone()
    assert lost[:4] == ("first", "failed", "hedge_lost", "reserved")
    assert won[:3] == ("second", "finished", None)
    assert won[4] == 1_200_000
    # Nobody knows what the vendor bills for what was broken off: the most it can be is kept.
    assert cost_usd == pytest.approx(booked / 1e9)
    assert booked >= (LEAST + 2) * 1_200_000 + lost[4]
