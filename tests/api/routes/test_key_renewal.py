from datetime import UTC, datetime, timedelta

import httpx
import pytest

HELLO = {"prompt": "hello"}


@pytest.fixture
def strict(strict_gateway):
    with httpx.Client(base_url=strict_gateway.url, timeout=60) as client:
        yield client


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def id_of(strict: httpx.Client, secret: str) -> str:
    return strict.get("/keys/me", headers=bearer(secret)).raise_for_status().json()["key_id"]


def test_a_key_renews_none_that_may_do_more_than_itself(strict, strict_gateway, org: str) -> None:
    strong = strict_gateway.new_key(org, scopes=("call", "settings", "improve"))
    weak = strict_gateway.new_key(org, scopes=("call",))
    manager = bearer(strict_gateway.new_key(org, scopes=("call", "keys")))
    refused = strict.post(f"/keys/{id_of(strict, strong)}/rotate", headers=manager)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_permissions")
    assert strict.get("/keys/me", headers=bearer(strong)).json()["expires_at"] is None
    limited = bearer(strict_gateway.new_key(org, scopes=("call", "keys"), rate_limit_rpm=60))
    assert strict.post(f"/keys/{id_of(strict, weak)}/rotate", headers=limited).status_code == 403
    assert strict.post(f"/keys/{id_of(strict, weak)}/rotate", headers=manager).status_code == 200
    assert strict.post(f"/keys/{id_of(strict, strong)}/rotate", headers=bearer(strong)).status_code == 200


def test_a_renewed_key_ends_with_the_key_that_renewed_it(strict, strict_gateway, org: str) -> None:
    ends = datetime.now(UTC) + timedelta(hours=1)
    manager = strict_gateway.new_key(org, scopes=("call", "keys"), expires_at=ends)
    for_ever, for_days = (
        strict_gateway.new_key(org, scopes=("call",), expires_at=one)
        for one in (None, datetime.now(UTC) + timedelta(days=9))
    )
    for old in (for_ever, for_days):
        made = strict.post(f"/keys/{id_of(strict, old)}/rotate", headers=bearer(manager)).json()
        assert datetime.fromisoformat(made["expires_at"]) == ends
    itself = strict.post(f"/keys/{id_of(strict, manager)}/rotate", headers=bearer(manager)).json()
    assert datetime.fromisoformat(itself["expires_at"]) > ends


def test_a_leaked_key_that_renewed_itself_is_killed_by_one_call(strict, strict_gateway, org: str) -> None:
    admin = bearer(strict_gateway.new_key("owner", is_admin=True))
    leaked = strict_gateway.new_key(org, scopes=("call",))
    leaked_id, renewed = id_of(strict, leaked), leaked
    for _ in range(2):
        renewed = strict.post(f"/keys/{id_of(strict, renewed)}/rotate", headers=bearer(renewed)).json()[
            "api_key"
        ]
    listed = strict.get("/keys", params={"org": org}, headers=admin).json()["keys"]
    first, second, third = (one["key_id"] for one in listed)
    assert [one["replaces"] for one in listed] == [None, first, second]
    done = strict.delete(f"/keys/{leaked_id}", headers=admin).json()
    assert done == {
        "key_id": leaked_id, "revoked": True, "revoked_key_ids": [first], "successors": [second, third]
    }  # fmt: skip
    assert strict.post("/route", json=HELLO, headers=bearer(renewed)).status_code == 200
    killed = strict.delete(f"/keys/{leaked_id}", params={"with_successors": True}, headers=admin).json()
    assert (killed["revoked_key_ids"], killed["successors"]) == ([second, third], [])
    assert strict.post("/route", json=HELLO, headers=bearer(renewed)).status_code == 401
