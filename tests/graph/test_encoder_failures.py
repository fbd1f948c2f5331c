"""An encoder out of reach costs no call: whole gateways, with an embeddings API that fails in every way."""

import hashlib
import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep

import numpy as np
import pytest

from x25.graph.estimators import BUNDLED_CLASSIFIER, BUNDLED_DIFFICULTY, load_difficulty
from x25.providers.sparing_encoder import SparingEncoder
from x25.routing.belief.org_model import inputs_id, unpack_inputs
from x25.routing.prompt.features import FEATURE_NAMES

MODEL = "embed-1"
VECTOR = [0.0] * 255 + [1.0]


class Api:
    """An embeddings API whose every answer is a function of the texts."""

    def __init__(self):
        self.asked, self.answer = 0, lambda _: (200, {"data": [{"index": 0, "embedding": VECTOR}]})
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                api.asked += 1
                texts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
                status, body = api.answer(texts)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with suppress(BrokenPipeError):  # the gateway waits for nobody
                    self.wfile.write(content)

            def log_message(self, *args):
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"


@pytest.fixture
def api():
    served = Api()
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture
def fitted(tmp_path):
    """Return the settings of heads that were fitted with an embeddings API: the bundled ones, renamed."""

    def write(url):
        fingerprint = hashlib.sha256(f"{url}|{MODEL}".encode()).hexdigest()
        paths = []
        for bundled in (BUNDLED_DIFFICULTY, BUNDLED_CLASSIFIER):
            given = json.loads(bundled.read_text())
            given["encoder"] |= {"fingerprint": fingerprint, "dimension": 256}
            paths.append(tmp_path / bundled.name)
            paths[-1].write_text(json.dumps(given))
        return {"encoder": url, "encoder_model": MODEL, "model": paths[0], "classifier": paths[1]}

    return write


def hang(_):
    sleep(20)
    return 200, {}


BROKEN = {
    "refuses": lambda _: (401, {"error": {"message": "no"}}),
    "is down": lambda _: (503, b"<html>"),
    "says nothing of use": lambda _: (200, {"data": []}),
    "says no JSON": lambda _: (200, b"\x00\xff"),
    "nests too deep": lambda _: (200, b"[" * 100_000 + b"]" * 100_000),
    "has another dimension": lambda _: (200, {"data": [{"index": 0, "embedding": [1.0] * 768}]}),
    "says infinity": lambda _: (200, {"data": [{"index": 0, "embedding": [1e400] * 256}]}),
    "says no end": lambda _: (200, b" " * 50_000_000 + b"{}"),
    "says words": lambda _: (200, {"data": [{"index": 0, "embedding": ["a"] * 256}]}),
    "says huge numbers": lambda _: (200, {"data": [{"index": 0, "embedding": [10**400] * 256}]}),
}


async def assert_answered_without(cascade, prompt="What is 17 * 23?"):
    reply = await cascade.route({"prompt": prompt})
    assert reply["text"]
    assert reply["explain"]["degraded"]["encoder"] == cascade.degraded()["encoder"]
    return reply


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
async def test_an_api_that_fails_in_any_way_degrades_and_recovers(open_gateway, fitted, api, answer):
    good, api.answer = api.answer, answer
    cascade = await open_gateway(**fitted(api.url))
    for _ in range(3):
        await assert_answered_without(cascade)
    assert api.asked == 1
    api.answer = good
    cascade.services.encoder._rests_until_s = 0.0  # the rest is over
    reply = await cascade.route({"prompt": "What is 17 * 23?"})
    assert reply["explain"]["degraded"] == cascade.degraded() == {}


async def test_nobody_listens_where_the_api_should_be(open_gateway, fitted):
    cascade = await open_gateway(**fitted("http://127.0.0.1:9/v1"))
    reply = await assert_answered_without(cascade)
    assert reply["explain"]["degraded"] == {"encoder": "connection"}


@pytest.mark.slow
async def test_an_api_that_never_answers_is_waited_for_once_and_not_long(open_gateway, fitted, api):
    api.answer = hang
    cascade = await open_gateway(**fitted(api.url))
    began_s = monotonic()
    for _ in range(5):
        await assert_answered_without(cascade)
    assert monotonic() - began_s < 8.0
    assert api.asked == 1


async def test_a_sentence_transformer_that_cannot_be_loaded_degrades_from_the_start(open_gateway, tmp_path):
    (tmp_path / "empty").mkdir()
    cascade = await open_gateway(encoder=f"st:{tmp_path}/empty")
    assert isinstance(cascade.services.encoder, SparingEncoder)
    assert "encoder" in cascade.degraded()
    reply = await assert_answered_without(cascade)
    assert reply["task_type"]


async def test_without_a_vector_the_estimate_is_the_features_alone_and_no_refit_takes_it_for_one(
    open_gateway, fitted, api
):
    api.answer = BROKEN["is down"]
    cascade = await open_gateway(**fitted(api.url))
    reply = await assert_answered_without(cascade, "Prove that there are infinitely many primes.")
    call = await cascade.services.store.calls.get("default", reply["call_id"])
    assert call.decision["inputs_id"] == inputs_id("", 0)
    features = unpack_inputs(call.inputs)
    assert len(features) == len(FEATURE_NAMES)
    difficulty = load_difficulty()
    moved = difficulty.head._inputs([*difficulty.neutral_embedding, *features])[:256]
    assert np.abs(moved).max() < 1e-9
    expected = difficulty.estimate([*difficulty.neutral_embedding, *features]).value
    assert call.difficulty == pytest.approx(expected, abs=0.02)
