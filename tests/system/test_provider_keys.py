"""Provider keys that orgs bring along: who is asked with which, what is kept of them, and where they never turn up."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from x25.graph.vault import new_master_key

pytestmark = pytest.mark.slow

MODEL = """
model_id: {provider}/{name}
provider: {provider}
tier: {tier}
prices: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
context_tokens: 128000
max_output_tokens: 4096
expected: {{latency_ms: 50, output_tokens: 20}}
deployments: [{{name: {way}, base_url: "{url}/{way}/v1", key_env: {env}, model: {name}}}]
as_of: "2026-01-01"
"""
OURS, FIRST, SECOND, BETAS = "sk-gateway-0001", "sk-own-first-1111", "sk-own-second-2222", "sk-of-beta-3333"


class Vendor:
    """Notes the key of every request; refuses those in `refused` with 401, naming the key as some vendors do."""

    def __init__(self):
        self.asked, self.refused = [], set()
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or a body waits 40 ms for its head to be acknowledged

            def log_message(self, *_):
                """Stay quiet."""

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                key = self.headers.get("authorization", "").removeprefix("Bearer ")
                vendor.asked.append((self.path.split("/")[1], key))
                grade = json.dumps({"reason": "Right.", "score": 0.9})
                is_judged = b'"response_format"' in body
                status, told = 200, vendor.completion(grade if is_judged else "A plain answer.")
                if key in vendor.refused:
                    status, told = (
                        401,
                        {"error": {"message": f"Incorrect API key provided: {key}", "code": "x"}},
                    )
                sent = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @staticmethod
    def completion(text):
        message = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return {"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage}


@pytest.fixture
def vendor():
    started = Vendor()
    yield started
    started.server.shutdown()
    started.server.server_close()


@pytest.fixture
def open_at(vendor, make_gateway, tmp_path):
    """Return a function that starts a gateway with a model at `open`, which it has a key for, and one at `shut`."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name, way, env in (("small", "open", "OPEN_KEY"), ("big", "shut", "SHUT_KEY")):
        tier = "slm" if name == "small" else "frontier"
        text = MODEL.format(provider=f"v{name}", name=name, tier=tier, way=way, env=env, url=vendor.url)
        (folder / f"{name}.yaml").write_text(text)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / ".env").write_text(f"OPEN_KEY={OURS}\n")

    class Nobody:
        url = ""

    def start(**settings):
        return make_gateway(Nobody, **{"judge": "none", **settings}, upstream="real", models_dir=str(folder))

    return start


def bring(http, org, secret, provider="open", **more):
    return http.post(f"/orgs/{org}/provider-keys", json={"provider": provider, "api_key": secret, **more})


def ask(http, org, router="vsmall/small", **more):
    return http.post("/route", json={"prompt": "Say something.", "org": org, "router": router, **more})


def test_own_keys_are_asked_with_first_in_their_order_and_ours_after_them(vendor, open_at):
    with (
        open_at(byok_key=new_master_key()) as gateway,
        httpx.Client(base_url=gateway.url, timeout=60) as http,
    ):
        assert ask(http, "acme").json()["byok"] is None
        second = bring(http, "acme", SECOND, priority=5).json()
        first = bring(http, "acme", FIRST, priority=1).raise_for_status().json()
        bring(http, "beta", BETAS).raise_for_status()
        assert (first["prefix"], "api_key" in first) == (FIRST[:4], False)
        listed = http.get("/orgs/acme/provider-keys").json()["keys"]
        assert [one["key_id"] for one in listed] == [first["key_id"], second["key_id"]]
        own = ask(http, "acme")
        assert own.json()["byok"] == {"keys": [first["key_id"]], "cost_usd": own.json()["cost_usd"]}
        assert own.headers["x-x25-byok"] == first["key_id"]
        assert own.json()["cost_usd"] == pytest.approx(0.0012)
        vendor.refused = {FIRST}
        assert ask(http, "acme").json()["byok"]["keys"] == [first["key_id"], second["key_id"]]
        vendor.refused = {FIRST, SECOND}
        fallen = ask(http, "acme").json()
        assert fallen["explain"]["attempts"][-1].get("byok_key") is None
        ask(http, "gamma")
        ask(http, "beta")
        keys = [key for _, key in vendor.asked]
        assert keys == [OURS, FIRST, FIRST, SECOND, SECOND, OURS, OURS, BETAS]
        stats = http.get("/stats/acme").json()
        assert stats["total_byok_usd"] == pytest.approx(0.0024)
        assert stats["total_cost_usd"] == pytest.approx(0.0048)
        assert http.delete(f"/orgs/beta/provider-keys/{first['key_id']}").status_code == 404
        for one in listed:
            http.delete(f"/orgs/acme/provider-keys/{one['key_id']}").raise_for_status()
        ask(http, "acme")
        assert vendor.asked[-1] == ("open", OURS)
        assert http.get("/verify", params={"org": "acme"}).json()["intact"]


def test_a_judge_is_asked_with_the_orgs_own_key_first_and_the_org_pays_for_it(vendor, open_at):
    with (
        open_at(byok_key=new_master_key(), judge="vsmall/small") as gateway,
        httpx.Client(base_url=gateway.url, timeout=60) as http,
    ):
        first = bring(http, "acme", FIRST).raise_for_status().json()
        judged = {"router": "x25-classic"}
        reply = ask(http, "acme", **judged).json()
        assert (reply["quality_source"], reply["quality_score"]) == ("judge", 0.9)
        assert [(one["kind"], one["byok_key"]) for one in reply["explain"]["attempts"]] == [
            ("answer", first["key_id"]), ("judge", first["key_id"]),
        ]  # fmt: skip
        assert reply["byok"]["cost_usd"] == pytest.approx(reply["cost_usd"] + reply["judge_cost_usd"])
        assert ask(http, "beta", **judged).json()["byok"] is None
        assert [key for _, key in vendor.asked] == [FIRST, FIRST, OURS, OURS]


def test_an_own_key_opens_a_model_for_its_org_alone(vendor, open_at):
    with (
        open_at(byok_key=new_master_key()) as gateway,
        httpx.Client(base_url=gateway.url, timeout=60) as http,
    ):
        unknown = ask(http, "acme", "vbig/big")
        assert unknown.status_code == 422, unknown.text
        assert "must be one of" in unknown.json()["error"]["message"], unknown.text
        bring(http, "acme", FIRST, "shut").raise_for_status()
        assert ask(http, "acme", "vbig/big").json()["model_used"] == "vbig/big"
        assert ask(http, "beta", "vbig/big").status_code == 422
        assert vendor.asked == [("shut", FIRST)]


def test_a_key_turns_up_nowhere(vendor, open_at, tmp_path):
    vendor.refused = {FIRST, OURS}
    settings = {
        "byok_key": new_master_key(),
        "store_prompts": "true",
        "checkpoints": "sync",
        "log_level": "DEBUG",
    }
    with open_at(**settings) as gateway, httpx.Client(base_url=gateway.url, timeout=60) as http:
        bring(http, "acme", FIRST).raise_for_status()
        failed = ask(http, "acme")
        assert failed.status_code == 502
        told = [
            failed.text,
            bring(http, "acme", f"{FIRST} two").text,
            http.get("/orgs/acme/provider-keys").text,
        ]
        told.append(http.get("/api/history", params={"org": "acme"}).text)
        assert FIRST not in "".join(told)
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert any(path.name == "checkpoints.db" for path in files)
    assert not [path for path in files if FIRST.encode() in path.read_bytes()]


def test_without_a_master_key_none_is_kept_and_with_another_none_is_read(vendor, open_at):
    with open_at() as gateway, httpx.Client(base_url=gateway.url, timeout=60) as http:
        refused = bring(http, "acme", FIRST)
        assert (refused.status_code, refused.json()["error"]["field"]) == (422, "api_key")
        assert "X25_BYOK_KEY" in refused.json()["error"]["message"]
        assert bring(http, "acme", FIRST, "nowhere").json()["error"]["field"] == "provider"
    old = new_master_key()
    with open_at(byok_key=old) as gateway, httpx.Client(base_url=gateway.url, timeout=60) as http:
        bring(http, "acme", FIRST).raise_for_status()
    with open_at(byok_key=f"{new_master_key()},{old}") as gateway:
        httpx.post(f"{gateway.url}/route", json={"prompt": "Hi", "org": "acme", "router": "vsmall/small"})
    with open_at(byok_key=new_master_key()) as gateway:
        httpx.post(f"{gateway.url}/route", json={"prompt": "Hi", "org": "acme", "router": "vsmall/small"})
    assert [key for _, key in vendor.asked] == [FIRST, OURS]
