import os
import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from x25.api.loops import NoLoops
from x25.providers.openai_compatible import GATEWAY_HEADER, GATEWAY_ID
from x25.simulator.child import ChildServer


@pytest.mark.parametrize(
    ("sender", "status"),
    [(GATEWAY_ID, 508), ("another", 200), (None, 200)],
    ids=["itself", "another", "no gateway"],
)
async def test_only_what_this_process_sent_is_refused(sender, status, caplog):
    app = NoLoops(Starlette(routes=[Route("/", lambda request: PlainTextResponse("hello"))]))
    headers = {} if sender is None else {GATEWAY_HEADER: sender}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/", headers=headers)
    assert answer.status_code == status
    assert ("a model's base_url is this gateway's own address" in caplog.text) is (status == 508)
    if status == 508:
        assert answer.json()["error"]["code"] == "loop_detected"


@pytest.mark.slow
def test_a_gateway_whose_model_is_itself_asks_itself_once(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    (tmp_path / "me.yaml").write_text(
        f"model_id: me/again\nbase_url: http://127.0.0.1:{port}/v1\ntier: slm\n"
        "prices: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}\n"
    )
    environ = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    environ |= {"X25_DATA_DIR": str(tmp_path / "data"), "X25_MODELS_DIR": str(tmp_path)}
    arguments = ["-m", "x25", "serve", "--port", str(port), "--json", "--exit-with-parent"]
    gateway = ChildServer("gateway", arguments, environ=environ, folder=tmp_path, start_timeout_s=90)
    with gateway, httpx.Client(base_url=gateway.url, timeout=30) as client:
        hello = {"model": "me/again", "messages": [{"role": "user", "content": "hello"}]}
        answer = client.post("/v1/chat/completions", json=hello)
        calls = client.get("/stats/default").json()["total_calls"]
    assert answer.status_code == 502
    assert [one["error"] for one in answer.json()["error"]["attempts"]] == ["model_gone"]
    assert calls == 1
