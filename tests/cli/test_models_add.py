import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import yaml

from x25.cli.models_add import tier_of
from x25.providers.model_files import parse_model

ANSWER = {
    "id": "x",
    "object": "chat.completion",
    "created": 1,
    "model": "small",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Here I am."}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14},
}
LISTED = {"id": "small", "context_length": 32000, "pricing": {"prompt": "1e-7", "completion": "4e-7"}}


@pytest.fixture
def vendor():
    """The address of a vendor that lists one model and answers everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._send({"data": [LISTED]})

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self._send(ANSWER)

        def _send(self, content):
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture
def add(x25, vendor):
    return lambda *arguments, **settings: x25("models", "add", *arguments, "--url", vendor, **settings)


@pytest.mark.slow
def test_on_a_fresh_machine_an_own_model_is_added_and_answers_within_a_minute(start, vendor, tmp_path):
    began = time.monotonic()
    adding = start("models", "add", "acme/small", "--url", vendor, "--yes")
    assert adding.process.wait(timeout=60) == 0, adding.stderr.read_text()
    child = start("serve", "--port", "0", "--json")
    reply = httpx.post(f"{child.url()}/route", json={"prompt": "Say hello.", "org": "a"}, timeout=30).json()
    assert time.monotonic() - began < 60
    assert (reply["text"], reply["model_used"], reply["simulated"]) == ("Here I am.", "acme/small", False)
    assert reply["cost_usd"] == pytest.approx(10 * 1e-7 + 4 * 4e-7)
    assert "no judge can be asked" in child.stderr.read_text()


def test_the_file_holds_what_was_said_and_what_the_vendor_lists(add, vendor, home):
    result = add("acme/small", "--key-env", "ACME_KEY", "--yes")
    assert result.exit_code == 0, result.stderr
    path = home / ".x25" / "models" / "acme--small.yaml"
    assert yaml.safe_load(path.read_text()) == {
        "model_id": "acme/small",
        "base_url": vendor,
        "model": "small",
        "key_env": "ACME_KEY",
        "tier": "slm",
        "prices": {"input_usd_per_mtok": 0.1, "output_usd_per_mtok": 0.4},
        "context_tokens": 32000,
    }
    assert parse_model(yaml.safe_load(path.read_text()), "f").priced
    assert "1 models are listed" in result.stderr
    assert "set ACME_KEY" in result.stderr
    assert path.name in result.stdout


def test_it_is_listed_and_routable_at_once(add, x25):
    assert add("acme/small", "--yes").exit_code == 0
    (row,) = [row for row in json.loads(x25("models", "--json").stdout) if row["model_id"] == "acme/small"]
    assert (row["routable"], row["tier"]) == (True, "slm")


def test_a_dry_run_and_a_no_write_nothing(add, home):
    for result in (add("acme/small", "--dry-run"), add("acme/small", stdin="n\n")):
        assert (result.exit_code, "model_id: acme/small" in result.stdout) == (0, True)
        assert "nothing was written" in result.stderr
    assert not (home / ".x25" / "models").exists()
    assert add("acme/small", stdin="y\n").exit_code == 0
    assert (home / ".x25" / "models" / "acme--small.yaml").exists()


def test_without_a_name_it_says_what_there_is(add, home):
    result = add()
    assert (result.exit_code, result.stdout) == (0, "small\n")


def test_what_is_said_wins_over_what_is_listed(add, monkeypatch, home):
    folder = home / "mine"
    monkeypatch.setenv("X25_MODELS_DIR", str(folder))
    result = add(
        "me/judge", "--name", "small", "--price-in", 1, "--price-out", 9, "--tier", "mid", "--judge", "-y"
    )
    assert result.exit_code == 0, result.stderr
    written = yaml.safe_load((folder / "me--judge.yaml").read_text())
    assert (written["role"], written["tier"], written["prices"]["output_usd_per_mtok"]) == (
        "judge",
        "mid",
        9.0,
    )
    assert "X25_JUDGE=me/judge" in result.stderr


def test_a_model_nobody_prices_is_refused_and_one_that_costs_nothing_is_free(x25, home):
    nowhere = ("--url", "http://127.0.0.1:9/v1", "--yes")
    refused = x25("models", "add", "me/local", *nowhere)
    assert (refused.exit_code, "--price-in and --price-out" in refused.stderr) == (1, True)
    assert x25("models", "add", "me/local", *nowhere, "--price-in", 0, "--price-out", 0).exit_code == 0
    written = yaml.safe_load((home / ".x25" / "models" / "me--local.yaml").read_text())
    assert (written["free"], written["tier"]) == (True, "slm")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("acme/small", "--tier", "huge"), "--tier must be one of slm, mid, frontier, got 'huge'"),
        (("acme/small", "--url", "localhost:8000"), "base_url must be an address such as http"),
        (("acme/small", "--price-out", "-1"), "Invalid value for '--price-out'"),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_nothing_is_written(x25, home, arguments, complaint):
    priced = ("--price-in", 1) if "--price-out" in arguments else ("--price-in", 1, "--price-out", 1)
    url = () if "--url" in arguments else ("--url", "http://127.0.0.1:9/v1")
    result = x25("models", "add", *arguments, *priced, *url, "--yes")
    assert result.exit_code > 0
    assert complaint in result.stderr
    assert not (home / ".x25" / "models").exists()


def test_a_file_that_is_there_is_kept_unless_it_is_to_be_replaced(add, home):
    path = home / ".x25" / "models" / "acme--small.yaml"
    add("acme/small", "--yes")
    again = add("acme/small", "--tier", "mid", "--yes")
    assert (again.exit_code, "--replace" in again.stderr) == (1, True)
    assert yaml.safe_load(path.read_text())["tier"] == "slm"
    assert add("acme/small", "--tier", "mid", "--yes", "--replace").exit_code == 0
    assert yaml.safe_load(path.read_text())["tier"] == "mid"


def test_a_file_that_would_break_the_registry_is_not_left_behind(add, home):
    folder = home / ".x25" / "models"
    folder.mkdir(parents=True)
    (folder / "other.yaml").write_text((home / "x.yaml").read_text() if (home / "x.yaml").exists() else yaml.safe_dump({
        "model_id": "acme/other", "base_url": "http://a/v1", "tier": "slm", "aliases": ["acme/small"],
    }))  # fmt: skip
    result = add("acme/small", "--yes")
    assert (result.exit_code, "names both" in result.stderr) == (1, True)
    assert [path.name for path in folder.iterdir()] == ["other.yaml"]


@pytest.mark.parametrize("name", ["../../etc/x", "a/b:c", ".hidden"])
def test_no_id_leaves_the_folder(add, home, name):
    assert add(name, "--price-in", 1, "--price-out", 1, "--yes").exit_code == 0
    (path,) = (home / ".x25" / "models").iterdir()
    assert path.suffix == ".yaml"
    assert not path.name.startswith(".")


@pytest.mark.parametrize(
    ("price", "tier"), [(0.0, "slm"), (0.69, "slm"), (0.7, "mid"), (5.0, "frontier"), (99, "frontier")]
)
def test_a_tier_follows_from_the_bands(price, tier):
    assert tier_of(price) == tier
