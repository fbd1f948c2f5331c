import pytest

from x25.api.receipts import RECEIPT_HEADERS, completed, lane_of

HELLO = [{"role": "user", "content": "What is 17 * 23?"}]
PATHS = {
    "/route": {"prompt": "hi"},
    "/v1/chat/completions": {"messages": HELLO},
    "/v1/completions": {"prompt": "hi"},
    "/v1/responses": {"input": "hi"},
    "/v1/messages": {"max_tokens": 50, "messages": HELLO},
}


@pytest.mark.parametrize("path", PATHS)
def test_every_door_gives_the_whole_receipt(http, path):
    answer = http.post(path, json=PATHS[path])
    assert answer.status_code == 200, answer.text
    expected = {*RECEIPT_HEADERS} - {"x-x25-cache-type"}
    assert expected <= answer.headers.keys()
    tiers = {"slm": "T3", "mid": "T2", "frontier": "T1"}
    assert answer.headers["x-x25-tier-used"] == tiers[answer.headers["x-x25-tier"]]
    assert answer.headers["x-x25-cache-hit"] == "false"
    assert float(answer.headers["x-x25-latency-ms"]) > 0
    told = answer.json() if path == "/route" else answer.json()["x25"]
    assert answer.headers["x-x25-audit-hash"] == told["audit_hash"]
    assert float(answer.headers["x-x25-cost-usd"]) == pytest.approx(told["cost_usd"], abs=1e-9)


@pytest.mark.parametrize("path", [path for path in PATHS if path != "/route"])
def test_so_does_a_stream_whose_answer_is_there(http, path):
    answer = http.post(path, json={**PATHS[path], "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert {
        "x-x25-call-id",
        "x-x25-org-id",
        "x-x25-model",
        "x-x25-latency-ms",
        "x-x25-cost-usd",
    } <= answer.headers.keys()


@pytest.mark.parametrize("path", PATHS)
def test_a_refusal_tells_what_is_known(http, path):
    broken = http.post(path, json={})
    assert broken.status_code == 422
    assert {"x-x25-latency-ms", "x-x25-cache-hit"} <= broken.headers.keys()
    assert float(broken.headers["x-x25-cost-usd"]) == 0
    steering = {"policy": {"allowed_providers": ["nobody"]}}
    steering = steering if path == "/route" else {"x25": {**steering, "org": "receipts"}}
    refused = http.post(path, json={**PATHS[path], **steering})
    assert refused.status_code == 422, refused.text
    assert refused.headers["x-x25-org-id"] == ("default" if path == "/route" else "receipts")
    assert refused.headers["x-x25-call-id"]


@pytest.mark.parametrize("path", PATHS)
def test_every_reply_has_the_id_that_its_clients_look_for(http, path):
    name = "request-id" if path == "/v1/messages" else "x-request-id"
    answer = http.post(path, json=PATHS[path])
    assert answer.headers[name] == answer.headers["x-x25-call-id"]
    first, second = (http.post(path, json={}) for _ in range(2))
    assert first.headers[name] != second.headers[name]


def test_a_failed_call_tells_its_id(http, fault):
    fault("500")
    answer = http.post("/v1/responses", json={"input": "hi"})
    assert answer.status_code == 502
    assert answer.headers["x-x25-call-id"] == answer.json()["error"]["call_id"]
    assert "x-x25-cost-usd" not in answer.headers


async def test_the_receipt_goes_by_a_second_name_where_a_setting_says_so(open_app):
    async with open_app(receipt_alias="x-acme", cors_origins="https://app.test") as client:
        answer = await client.post("/route", json={"prompt": "hi"}, headers={"origin": "https://app.test"})
        for name in ("model", "tier-used", "latency-ms", "call-id"):
            assert answer.headers[f"x-acme-{name}"] == answer.headers[f"x-x25-{name}"]
        exposed = answer.headers["access-control-expose-headers"]
        assert {*RECEIPT_HEADERS} <= {*exposed.split(", ")}


def test_what_is_there_is_not_said_twice():
    found = completed([(b"x-x25-org-id", b"a")], {"x-x25-org-id": "b", "x-x25-call-id": "c"}, 1.5, "")
    assert dict(found)[b"x-x25-org-id"] == b"a"
    assert [name for name, _ in found].count(b"x-x25-org-id") == 1
    assert dict(found)[b"x-x25-latency-ms"] == b"1.500"


@pytest.mark.parametrize(
    ("changes", "lane"),
    [
        ({}, "turbo"),
        ({"cascade_steps": 2}, "smart"),
        ({"fallbacks": 1}, "smart"),
        ({"judge_cost_usd": 1e-6}, "smart"),
        ({"quality_source": "judge"}, "smart"),
    ],
)
def test_the_lane_tells_whether_more_than_one_model_took_part(changes, lane):
    reply = {"cascade_steps": 1, "fallbacks": 0, "judge_cost_usd": 0.0, "quality_source": "estimate"}
    assert lane_of(reply | changes) == lane


def test_whether_chats_are_answered_can_be_asked_for_free(http, strict_gateway):
    import httpx

    assert http.head("/v1/chat/completions").status_code == 204
    assert httpx.head(f"{strict_gateway.url}/v1/chat/completions").status_code == 401


@pytest.mark.parametrize("call_id", ["\u001f", "a\r\nset-cookie: x=1", "\u00e9", "x" * 200, ""])
def test_an_id_that_is_none_gets_into_no_head(http, call_id):
    refused = http.post("/route", json={"prompt": "hi", "call_id": call_id})
    assert refused.status_code == 422
    assert refused.json()["error"]["param"] == "call_id"
    assert not {"x-x25-call-id", "set-cookie"} & refused.headers.keys()
