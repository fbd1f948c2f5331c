import json
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from x25.providers.vendor_models import VendorModel, ask_for_models, trimmed
from x25.state.errors import ConfigError

OPENROUTER = {
    "id": "acme/large",
    "context_length": 200000,
    "pricing": {"prompt": "0.0000003", "completion": "0.0000025"},
    "architecture": {"input_modalities": ["text", "image", "smell"]},
    "top_provider": {"max_completion_tokens": 8192},
    "supported_parameters": ["tools", "response_format", "structured_outputs", "seed"],
}


@pytest.fixture
def vendor():
    """Return a function that serves bytes or JSON at paths, and gives the address; what is sent to it is kept."""
    servers = []

    def serve(path_to_answer):
        seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append((self.path, self.headers.get("authorization")))
                answer = path_to_answer.get(self.path)
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(200 if answer is not None else 404)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}", seen

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def asked(url, key=None):
    with httpx.Client() as client:
        return ask_for_models(url, key, client)


def test_what_a_vendor_lists_is_read_with_prices_per_million_tokens(vendor):
    url, seen = vendor({"/v1/models": {"data": [OPENROUTER, {"id": "plain"}, {"id": 3}, "x"]}})
    found = asked(f"{url}/v1/", "k-1")
    assert found.base_url == f"{url}/v1"
    assert found.models == (
        VendorModel(
            "acme/large", Decimal("0.3"), Decimal("2.5"), 200000, 8192, ("text", "image"),
            ("tools", "json_object", "json_schema", "vision"),
        ),
        VendorModel("plain"),
    )  # fmt: skip
    assert seen == [("/v1/models", "Bearer k-1")]


@pytest.mark.parametrize(
    ("listed", "able"), [(["logprobs", "top_logprobs"], ("logprobs",)), (["logprobs"], ()), (["seed"], ())]
)
def test_a_model_is_able_to_tell_logprobs_where_both_their_parameters_are_taken(vendor, listed, able):
    url, _ = vendor({"/v1/models": {"data": [{"id": "a", "supported_parameters": listed}]}})
    assert asked(url).models[0].capabilities == able


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/chat/completions"])
def test_the_list_is_found_below_the_address_people_paste(vendor, ending):
    url, _ = vendor({"/v1/models": {"data": [{"id": "plain", "max_model_len": 4096}]}})
    found = asked(url + ending)
    assert (found.base_url, found.models[0].context_tokens) == (f"{url}/v1", 4096)


def test_a_model_is_found_by_its_id_or_by_what_follows_the_vendors_name(vendor):
    url, _ = vendor({"/v1/models": {"data": [{"id": "small"}, {"id": "acme/large"}]}})
    found = asked(url)
    assert (found.find("acme/small").name, found.find("acme/large").name) == ("small", "acme/large")
    assert found.find("acme/none") is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "HTTP 404"),
        (b"<html>", "no JSON"),
        (b"[" * 200_000, "no JSON"),
        ([1], "no list of models"),
        ({"data": {"a": 1}}, "no list of models"),
    ],
)
def test_where_there_is_no_list_it_is_said_what_there_is(vendor, answer, reason):
    url, _ = vendor({"/v1/models": answer})
    with pytest.raises(ConfigError, match=reason):
        asked(f"{url}/v1")


def test_nobody_listening_is_said_too():
    with pytest.raises(ConfigError, match="ConnectError"):
        asked("http://127.0.0.1:9/v1")


@pytest.mark.parametrize("price", ["x", None, "NaN", "-1", {"a": 1}, True])
def test_a_price_that_is_none_is_unknown(vendor, price):
    url, _ = vendor({"/v1/models": {"data": [{"id": "a", "pricing": {"prompt": price}}]}})
    assert asked(url).models[0].input_usd_per_mtok is None


def test_a_base_url_ends_before_the_path_of_a_request():
    assert trimmed("http://a/v1/chat/completions/") == trimmed("http://a/v1/") == "http://a/v1"
