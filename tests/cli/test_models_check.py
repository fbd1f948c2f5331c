import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from x25.graph.bootstrap import BUNDLED_MODELS
from x25.providers.registry import load_registry


@pytest.fixture
def vendor():
    """Serves what the bundled registry says of OpenRouter's models, as OpenRouter would; tests change it."""
    specs = load_registry(BUNDLED_MODELS).models
    ways = [(spec, way) for spec in specs for way in spec.deployments if way.name == "openrouter"]
    data = [
        {
            "id": way.upstream_model, "context_length": spec.context_tokens,
            "pricing": {
                "prompt": f"{spec.input_usd_per_mtok / 10**6:.12f}",
                "completion": f"{spec.output_usd_per_mtok / 10**6:.12f}",
            },
        }
        for spec, way in ways
        if spec.priced
    ]  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            sent = json.dumps({"data": data}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_):
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1", data
    server.shutdown()
    server.server_close()


def test_a_registry_that_says_what_the_vendor_lists_is_in_order(x25, vendor):
    url, data = vendor
    result = x25("models", "check", "openrouter", "--url", url, "--json")
    (checked,) = json.loads(result.stdout)["checked"]
    assert (result.exit_code, checked["compared"]) == (0, len(data))
    assert checked["drifts"] == []


def test_what_drifted_is_listed_and_told_by_the_exit_code(x25, vendor):
    url, data = vendor
    dearer, gone = data[0], data.pop()
    dearer["pricing"]["completion"] = "0.001"
    result = x25("models", "check", "openrouter", "--url", url, "--json")
    (checked,) = json.loads(result.stdout)["checked"]
    assert result.exit_code == 2
    told = {(one["what"], one["there"], one["costs_more"]) for one in checked["drifts"]}
    assert told == {("output_usd_per_mtok", "1000", True), ("not listed", None, False)}
    assert gone["id"] in {one["here"] for one in checked["drifts"]}
    shown = x25("models", "check", "openrouter", "--url", url)
    assert "output_usd_per_mtok!" in shown.stdout


def test_a_vendor_that_lists_nothing_is_no_agreement(x25):
    result = x25("models", "check", "openrouter", "--url", "http://127.0.0.1:9/v1", "--json")
    assert result.exit_code == 3
    assert "openrouter" in json.loads(result.stdout)["failed"]
    assert x25("models", "check", "nobody").exit_code == 1
    assert x25("models", "check").exit_code == 1  # no key is set
