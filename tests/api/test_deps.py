import sqlite3

import httpx
import pytest
from starlette.datastructures import Headers

from x25.api.deps import org_of_call, org_to_read, presented_key
from x25.state.errors import Forbidden, InvalidRequest
from x25.state.store import open_store

HELLO = {"prompt": "hello"}


def headers_for(secret: str) -> list[dict[str, str]]:
    return [
        {"Authorization": f"Bearer {secret}"},
        {"authorization": f"bearer {secret}"},
        {"X-API-Key": secret},
    ]


def test_the_key_decides_the_org_whatever_the_body_says(http: httpx.Client, org: str, gateway) -> None:
    secret = gateway.new_key(org)
    for number, headers in enumerate(headers_for(secret), start=1):
        answer = http.post("/route", json={**HELLO, "org": "org-b"}, headers=headers)
        assert (answer.status_code, answer.json()["org"]) == (200, org)
        assert http.get(f"/stats/{org}").json()["total_calls"] == number
    assert http.get("/stats/org-b").json()["total_calls"] == 0


@pytest.mark.parametrize(
    "path", ["/stats/default", "/stage/default", "/thompson/default", "/verify", "/keys/me"]
)
def test_a_wrong_key_is_refused_although_the_gateway_is_open(http: httpx.Client, path: str) -> None:
    for headers in headers_for("sk-x25-wrong"):
        answer = http.get(path, headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_wrong_key_buys_nothing(http: httpx.Client, simulator) -> None:
    billed = len(simulator.bills())
    for headers in headers_for("sk-x25-wrong"):
        assert http.post("/route", json=HELLO, headers=headers).status_code == 401
    assert len(simulator.bills()) == billed


@pytest.mark.parametrize("path", ["/stats/all", "/stats/a", "/stage/a", "/thompson/a", "/verify", "/keys/me"])
def test_where_keys_are_required_nothing_is_read_without_one(strict_gateway, path: str) -> None:
    answer = httpx.get(strict_gateway.url + path)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_where_keys_are_required_a_key_routes(strict_gateway, org: str) -> None:
    chat = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}
    with httpx.Client(base_url=strict_gateway.url, timeout=30) as http:
        for path, body in (("/route", HELLO), ("/v1/chat/completions", chat)):
            assert http.post(path, json=body).status_code == 401
            for headers in headers_for(strict_gateway.new_key(org)):
                assert http.post(path, json=body, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Basic abc"}, {"Authorization": "Bearer "}, {"X-API-Key": ""}]
)
def test_other_headers_are_no_key(headers: dict[str, str]) -> None:
    assert presented_key(Headers(headers)) is None


def test_a_revoked_key_is_refused_at_once(http: httpx.Client, org: str, gateway) -> None:
    headers = {"X-API-Key": gateway.new_key(org)}
    assert http.get("/keys/me", headers=headers).status_code == 200
    with sqlite3.connect(gateway.database) as database:
        database.execute("UPDATE keys SET revoked_at = created_at WHERE org = ?", [org])
    assert http.get("/keys/me", headers=headers).status_code == 401


@pytest.mark.slow
async def test_a_key_is_in_no_log_and_no_error(open_app, issue_key, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with open_app() as client:
        secret = await issue_key("secretive")
        answers = [
            await client.post("/route", json=body, headers=headers)
            for key in (secret, f"{secret}-mistyped")
            for headers in headers_for(key)
            for body in (HELLO, {"prompt": ""}, {**HELLO, "policy": {"allowed_providers": ["nobody"]}})
        ]
        answers.append(await client.get("/stats/all", headers={"X-API-Key": secret}))
    assert {answer.status_code for answer in answers} == {200, 401, 403, 422}
    assert not any(secret in answer.text for answer in answers)
    assert caplog.records
    assert secret not in caplog.text


def test_without_a_key_the_body_says_whose_call_it_is() -> None:
    assert org_of_call(None, "team-a") == "team-a"
    assert org_of_call(None, None) == "default"
    with pytest.raises(InvalidRequest):
        org_of_call(None, "Team A")


async def test_a_key_reads_no_other_org(open_app, issue_key, tmp_path) -> None:
    async with open_app():
        secret = await issue_key("mine")
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path / 'app' / 'x25.db'}") as store:
        key = await store.keys.authenticate(secret)
    assert (org_to_read(key, "mine"), org_to_read(None, "yours")) == ("mine", "yours")
    with pytest.raises(Forbidden, match=r"belongs to org 'mine' and cannot read 'yours'"):
        org_to_read(key, "yours")
