import httpx
from prometheus_client.parser import text_string_to_metric_families


def told(text):
    return {
        (one.name, *(value for label, value in sorted(one.labels.items()) if label not in ("worker", "le"))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }  # fmt: skip


async def test_calls_streams_and_failures_are_counted_by_what_they_were(open_app, fault):
    async with open_app() as client:
        for _ in range(3):
            await client.post("/route", json={"prompt": "What is 17 * 23?"})
        body = {"model": "sim/small-2", "messages": [{"role": "user", "content": "hi"}], "stream": True}
        await client.post("/v1/chat/completions", json=body)
        fault("500")
        await client.post("/route", json={"prompt": "hi", "org": "o1", "router": "sim/tiny-1"})
        answer = await client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        found = told(answer.text)
        assert sum(value for name, value in found.items() if name[:2] == ("x25_calls_total", "answered")) == 4
        assert found["x25_calls_total", "failed", "none"] == 1
        assert found["x25_http_requests_total", "/route", "200"] == 3
        assert found["x25_http_requests_total", "/route", "502"] == 1
        assert found["x25_node_seconds_count", "dispatch"] >= 5
        assert found["x25_first_token_seconds_count",] == 1
        assert found["x25_tokens_total", "completion", "sim/small-2"] > 0
        assert found["x25_cost_dollars_total", "sim/small-2"] > 0
        assert found["x25_attempts_total", "sim/tiny-1", "server"] >= 1
        assert (found["x25_calls_open",], found["x25_draining",]) == (0, 0)


async def test_no_name_of_a_stranger_is_a_label(open_app):
    async with open_app() as client:
        for number in range(20):
            more = {"org": f"stranger-{number}", "call_id": f"stranger{number}"}
            await client.post("/route", json={"prompt": "hi", "hint": "qa", **more})
            await client.post("/v1/chat/completions", json={"model": f"stranger/{number}", "messages": []})
            await client.get(f"/stranger-{number}")
            await client.get(f"/stats/stranger-{number}")
        assert "stranger" not in (await client.get("/metrics")).text


def test_figures_of_a_gateway_with_keys_are_for_admins(strict_gateway):
    statuses = []
    for admin in (None, False, True):
        key = None if admin is None else strict_gateway.new_key(f"org-{int(admin)}", is_admin=admin)
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        statuses.append(httpx.get(f"{strict_gateway.url}/metrics", headers=headers).status_code)
    assert statuses == [401, 403, 200]
