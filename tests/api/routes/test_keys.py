from datetime import UTC, datetime, timedelta

import httpx


def test_a_key_says_whose_it_is(http: httpx.Client, org: str, gateway) -> None:
    for headers in ({"Authorization": f"Bearer {gateway.new_key(org)}"}, {"X-API-Key": gateway.new_key(org)}):
        found = http.get("/keys/me", headers=headers).json()
        assert (found["org"], found["rate_limit_rpm"]) == (org, 0)
        assert datetime.now(UTC) - datetime.fromisoformat(found["created_at"]) < timedelta(minutes=1)


def test_without_a_key_nobody_is_named(http: httpx.Client) -> None:
    answer = http.get("/keys/me")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
