import asyncio
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

HELLO = {"prompt": "hello"}
CHAT = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def strict(strict_gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=strict_gateway.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def two_workers(start_gateway: Callable):
    """A gateway of two processes on one store."""
    return start_gateway(X25_WORKERS="2", X25_REQUIRE_KEY="true")


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_key_tells_its_org(http: httpx.Client, gateway, org: str) -> None:
    secret = gateway.new_key(org, rate_limit_rpm=7)
    told = http.get("/keys/me", headers=bearer(secret)).json()
    assert (told["org"], told["rate_limit_rpm"], told["is_admin"]) == (org, 7, False)
    assert secret.startswith(told["prefix"])
    assert secret not in str(told)


def test_without_a_key_nobody_is_told(http: httpx.Client) -> None:
    assert error_of(http.get("/keys/me")) == (401, "invalid_api_key")


def test_a_key_is_made_shown_once_and_good(http: httpx.Client, org: str, gateway) -> None:
    made = http.post("/keys/create", json={"org": org}).raise_for_status().json()
    secret = made["api_key"]
    assert secret.startswith("sk-x25-")
    assert (made["org"], made["rate_limit_rpm"], made["scopes"]) == (org, 0, ["call", "read", "feedback"])
    for headers in (bearer(secret), {"X-API-KEY": secret}):
        assert http.post("/route", json={**HELLO, "org": "another"}, headers=headers).json()["org"] == org
    (listed,) = http.get("/keys", params={"org": org}).json()["keys"]
    assert (listed["key_id"], listed["prefix"]) == (made["key_id"], secret[:13])
    assert secret not in str(listed)
    assert listed["last_used_at"] is not None
    files = gateway.database.parent.glob("x25.db*")
    assert not any(secret.encode() in one.read_bytes() for one in files)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "org"), ({"org": "Not One"}, "org"), ({"org": 7}, "org"), ({"org": "all"}, "org"),
        ({"rate_limit_rpm": -1}, "rate_limit_rpm"), ({"rate_limit_rpm": 1.5}, "rate_limit_rpm"),
        ({"rate_limit_rpm": "6"}, "rate_limit_rpm"), ({"rate_limit_rpm": 10**12}, "rate_limit_rpm"),
        ({"scopes": ["fly"]}, "scopes"), ({"scopes": []}, "scopes"), ({"scopes": ["call"] * 99}, "scopes"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"), ({"expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ({"expires_at": "2999-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"), ({"budgets": {"usd_per_day": 0}}, "budgets.usd_per_day"),
        ({"budgets": {"usd_per_day": True}}, "budgets.usd_per_day"), ({"budgets": []}, "budgets"),
        ({"budgets": {"usd_per_year": 1}}, "budgets.usd_per_year"), ({"is_admin": True}, "is_admin"),
    ],
)  # fmt: skip
def test_a_wrong_wish_is_refused_by_its_field(http: httpx.Client, org: str, body: dict, field: str) -> None:
    answer = http.post("/keys/create", json=body if body == {} else {"org": org, **body})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert http.get("/keys", params={"org": org}).json()["keys"] == []


def test_where_keys_are_required_an_admins_key_makes_the_others(
    strict: httpx.Client, strict_gateway, org
) -> None:
    admin, plain = strict_gateway.new_key("owner", is_admin=True), strict_gateway.new_key(org)
    assert error_of(strict.post("/keys/create", json={"org": org})) == (401, "invalid_api_key")
    refused = strict.post("/keys/create", json={"org": org}, headers=bearer(plain))
    assert error_of(refused) == (403, "insufficient_permissions")
    made = strict.post("/keys/create", json={"org": org}, headers=bearer(admin)).raise_for_status().json()
    assert strict.post("/route", json=HELLO, headers=bearer(made["api_key"])).json()["org"] == org
    for path in ("/stats/all", "/keys"):
        assert strict.get(path).status_code == 401
        assert error_of(strict.get(path, headers=bearer(plain))) == (403, "insufficient_permissions")
        assert strict.get(path, headers=bearer(admin)).status_code == 200


def test_a_key_that_manages_keys_manages_its_orgs_alone(
    strict: httpx.Client, strict_gateway, org: str
) -> None:
    manager = bearer(strict_gateway.new_key(org, scopes=("call", "read", "keys")))
    other = strict_gateway.new_key(f"{org}-other")
    theirs = strict.get("/keys/me", headers=bearer(other)).json()["key_id"]
    made = strict.post("/keys/create", json={"org": org, "scopes": ["call"]}, headers=manager).json()
    assert len(strict.get("/keys", headers=manager).json()["keys"]) == 2
    for answer in (
        strict.post("/keys/create", json={"org": f"{org}-other"}, headers=manager),
        strict.post("/keys/create", json={"org": org, "scopes": ["settings"]}, headers=manager),
        strict.get("/keys", params={"org": f"{org}-other"}, headers=manager),
    ):
        assert error_of(answer) == (403, "insufficient_permissions")
    assert error_of(strict.delete(f"/keys/{theirs}", headers=manager)) == (404, "not_found")
    assert error_of(strict.post(f"/keys/{theirs}/rotate", headers=manager)) == (404, "not_found")
    assert strict.get("/keys/me", headers=bearer(other)).status_code == 200
    assert strict.delete(f"/keys/{made['key_id']}", headers=manager).json()["revoked"] is True
    assert strict.post("/route", json=HELLO, headers=bearer(made["api_key"])).status_code == 401


def test_a_limited_key_makes_none_without_limits(strict: httpx.Client, strict_gateway, org: str) -> None:
    limited = bearer(strict_gateway.new_key(org, rate_limit_rpm=60, scopes=("call", "keys")))
    answer = strict.post("/keys/create", json={"org": org, "scopes": ["call"]}, headers=limited)
    assert error_of(answer) == (403, "insufficient_permissions")


def test_an_admins_key_is_touched_by_nobody_else(strict: httpx.Client, strict_gateway, org: str) -> None:
    admin = bearer(strict_gateway.new_key(org, is_admin=True))
    admins_id = strict.get("/keys/me", headers=admin).json()["key_id"]
    manager = bearer(strict_gateway.new_key(org, scopes=("keys",)))
    assert strict.delete(f"/keys/{admins_id}", headers=manager).status_code == 403
    assert strict.post(f"/keys/{admins_id}/rotate", headers=manager).status_code == 403
    renewed = strict.post(f"/keys/{admins_id}/rotate", headers=admin).json()
    assert renewed["is_admin"] is True


def test_scopes_say_what_a_key_may_do(strict: httpx.Client, strict_gateway, org: str) -> None:
    reads = bearer(strict_gateway.new_key(org, scopes=("read",)))
    calls = bearer(strict_gateway.new_key(org, scopes=("call",)))
    for path, body in (("/route", HELLO), ("/v1/chat/completions", CHAT)):
        assert error_of(strict.post(path, json=body, headers=reads)) == (403, "insufficient_permissions")
        assert strict.post(path, json=body, headers=calls).status_code == 200
    for path in (
        f"/stats/{org}",
        f"/stage/{org}",
        f"/thompson/{org}",
        f"/judge/{org}",
        "/verify",
        f"/orgs/{org}/settings",
    ):
        assert strict.get(path, headers=reads).status_code == 200
        assert error_of(strict.get(path, headers=calls)) == (403, "insufficient_permissions")
    assert strict.put(f"/orgs/{org}/settings", json={}, headers=reads).status_code == 403


def test_an_expired_key_says_so(strict: httpx.Client, strict_gateway, org: str) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    secret = strict_gateway.new_key(org, expires_at=soon)
    assert strict.get("/keys/me", headers=bearer(secret)).status_code == 200
    while datetime.now(UTC) <= soon:
        pass
    for path, body in (("/route", HELLO), ("/v1/chat/completions", CHAT)):
        assert error_of(strict.post(path, json=body, headers=bearer(secret))) == (401, "expired_token")


def test_a_renewed_key_renews_itself_with_an_overlap(strict: httpx.Client, strict_gateway, org: str) -> None:
    secret = strict_gateway.new_key(org)
    key_id = strict.get("/keys/me", headers=bearer(secret)).json()["key_id"]
    made = strict.post(f"/keys/{key_id}/rotate", json={"overlap_s": 60}, headers=bearer(secret)).json()
    assert made["replaces"] == key_id
    for good in (secret, made["api_key"]):
        assert strict.post("/route", json=HELLO, headers=bearer(good)).json()["org"] == org
    ended = strict.post(
        f"/keys/{made['key_id']}/rotate", json={"overlap_s": 0}, headers=bearer(made["api_key"])
    ).json()
    assert error_of(strict.get("/keys/me", headers=bearer(made["api_key"]))) == (401, "expired_token")
    assert strict.get("/keys/me", headers=bearer(ended["api_key"])).status_code == 200
    wrong = strict.post(
        f"/keys/{ended['key_id']}/rotate", json={"overlap_s": -1}, headers=bearer(ended["api_key"])
    )
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "overlap_s")


async def test_from_another_machine_a_key_is_needed_whatever_the_interface(open_app) -> None:
    async with open_app() as client:
        app = client._transport.app
        away = httpx.ASGITransport(app, client=("192.0.2.7", 5))
        async with httpx.AsyncClient(transport=away, base_url="http://x25.test") as elsewhere:
            for method, path, body in (
                ("POST", "/route", HELLO), ("POST", "/v1/chat/completions", CHAT), ("GET", "/stats/all", None),
                ("POST", "/keys/create", {"org": "a"}), ("GET", "/orgs/a/settings", None),
            ):  # fmt: skip
                answer = await elsewhere.request(method, path, json=body)
                assert error_of(answer) == (401, "invalid_api_key"), path
                assert "own machine" in answer.text
            assert (await elsewhere.get("/healthz")).status_code == 200
        assert (await client.post("/route", json=HELLO)).status_code == 200


async def test_a_gateway_that_serves_everybody_lets_only_an_admin_make_keys(open_app) -> None:
    async with open_app(require_key=False) as client:
        away = httpx.ASGITransport(client._transport.app, client=("192.0.2.7", 5))
        async with httpx.AsyncClient(transport=away, base_url="http://x25.test", timeout=30) as elsewhere:
            assert (await elsewhere.post("/route", json=HELLO)).status_code == 200
            for path in ("/keys", "/stats/all"):
                assert error_of(await elsewhere.get(path)) == (401, "invalid_api_key")
            refused = await elsewhere.post("/keys/create", json={"org": "a"})
            assert error_of(refused) == (401, "invalid_api_key")
            assert "x25 keys create ORG --admin" in refused.text


@pytest.mark.parametrize(("path", "body"), [("/route", HELLO), ("/v1/chat/completions", CHAT)])
def test_the_sixth_call_of_five_a_minute_waits(
    http: httpx.Client, gateway, org: str, path: str, body: dict, simulator
) -> None:
    headers = bearer(gateway.new_key(org, rate_limit_rpm=5))
    answers = [http.post(path, json=body, headers=headers) for _ in range(5)]
    billed = len(simulator.bills())
    sixth = http.post(path, json=body, headers=headers)
    assert [one.status_code for one in answers] == [200] * 5
    assert error_of(sixth) == (429, "rate_limit_exceeded")
    assert (sixth.json()["error"]["type"], sixth.json()["error"]["param"]) == ("requests", None)
    assert 1 <= int(sixth.headers["Retry-After"]) <= 60
    assert len(simulator.bills()) == billed
    assert http.get(f"/stats/{org}", headers=headers).json()["total_calls"] == 5


@pytest.mark.slow
async def test_two_processes_share_a_limit_exactly_and_see_a_revoked_key_at_once(
    two_workers, org: str
) -> None:
    secret = await asyncio.to_thread(two_workers.new_key, org, rate_limit_rpm=7)
    free = await asyncio.to_thread(two_workers.new_key, f"{org}-free")
    admin = bearer(await asyncio.to_thread(two_workers.new_key, "owner", is_admin=True))
    limits = httpx.Limits(max_connections=30, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=two_workers.url, timeout=60, limits=limits) as client:
        calls = [client.post("/route", json=HELLO, headers=bearer(secret)) for _ in range(30)]
        statuses = [answer.status_code for answer in await asyncio.gather(*calls)]
        assert (statuses.count(200), statuses.count(429)) == (7, 23)
        answers = await asyncio.gather(
            *(client.post("/route", json=HELLO, headers=bearer(free)) for _ in range(20))
        )
        assert {one.status_code for one in answers} == {200}
        key_id = (await client.get("/keys/me", headers=bearer(free))).json()["key_id"]
        assert (await client.delete(f"/keys/{key_id}", headers=admin)).status_code == 200
        after = await asyncio.gather(*(client.get("/keys/me", headers=bearer(free)) for _ in range(20)))
        assert {one.status_code for one in after} == {401}
        stats = (await client.get(f"/stats/{org}", headers=admin)).json()
        assert stats["total_calls"] == 7


async def test_forty_calls_at_once_spend_no_more_than_a_key_may(gateway, org: str) -> None:
    probed = f"{org}-probe"
    probe = await asyncio.to_thread(gateway.new_key, probed)
    async with httpx.AsyncClient(base_url=gateway.url, timeout=60) as client:
        one = (await client.post("/route", json=HELLO, headers=bearer(probe))).json()
        usd = 20 * one["cost_usd"]
        body = {"org": org, "budgets": {"usd_per_day": usd}}
        secret = (await client.post("/keys/create", json=body)).json()["api_key"]
        headers = bearer(secret)
        answers = await asyncio.gather(
            *(client.post("/route", json=HELLO, headers=headers) for _ in range(40))
        )
        good = [one.json() for one in answers if one.status_code == 200]
        refused = [one for one in answers if one.status_code != 200]
        assert good
        assert refused
        assert {error_of(one) for one in refused} == {(402, "budget_exceeded")}
        assert refused[0].json()["error"]["type"] == "insufficient_quota"
        assert "key_budget_usd_per_day" in refused[0].text
        spent = sum(one["cost_usd"] + one["judge_cost_usd"] for one in good)
        told = (await client.get("/keys/me", headers=headers)).json()
        assert spent <= usd
        assert math.isclose(told["spent_today_usd"], spent, abs_tol=1e-9)
        assert told["spent_this_month_usd"] == told["spent_today_usd"]
        stats = (await client.get(f"/stats/{org}", headers=headers)).json()
        assert stats["total_calls"] == len(good)
        assert (await client.get(f"/stats/{probed}")).json()["total_calls"] == 1


@pytest.mark.parametrize("span", ["call", "day", "month"])
def test_each_ceiling_of_a_key_is_named_where_it_stands_in_the_way(
    http: httpx.Client, org: str, span: str, simulator
) -> None:
    body = {"org": org, "budgets": {f"usd_per_{span}": 1e-9}}
    headers = bearer(http.post("/keys/create", json=body).json()["api_key"])
    billed = len(simulator.bills())
    for path, asked in (("/route", HELLO), ("/v1/chat/completions", CHAT)):
        answer = http.post(path, json=asked, headers=headers)
        assert error_of(answer) == (402, "budget_exceeded")
        assert f"key_budget_usd_per_{span}" in answer.text
    assert len(simulator.bills()) == billed
    free = {"Authorization": "Bearer " + http.post("/keys/create", json={"org": org}).json()["api_key"]}
    assert http.post("/route", json=HELLO, headers=free).status_code == 200


def test_a_callers_own_cap_below_a_keys_is_the_callers_fault(http: httpx.Client, org: str) -> None:
    body = {"org": org, "budgets": {"usd_per_call": 1.0}}
    headers = bearer(http.post("/keys/create", json=body).json()["api_key"])
    capped = {**HELLO, "policy": {"max_cost_per_call_usd": 1e-9}}
    assert error_of(http.post("/route", json=capped, headers=headers)) == (422, "no_eligible_model")


def test_a_renewed_keys_spending_counts_on(http: httpx.Client, org: str) -> None:
    made = http.post("/keys/create", json={"org": org, "budgets": {"usd_per_month": 1.0}}).json()
    http.post("/route", json=HELLO, headers=bearer(made["api_key"])).raise_for_status()
    spent = http.get("/keys/me", headers=bearer(made["api_key"])).json()["spent_this_month_usd"]
    renewed = http.post(f"/keys/{made['key_id']}/rotate").json()
    assert (
        http.get("/keys/me", headers=bearer(renewed["api_key"])).json()["spent_this_month_usd"] == spent > 0
    )


@pytest.mark.parametrize("key_id", ["nothing", "%00", "0" * 12, "z" * 3_000])
def test_what_is_no_keys_id_is_not_found(http: httpx.Client, key_id: str) -> None:
    assert http.delete(f"/keys/{key_id}").status_code == 404
    assert http.post(f"/keys/{key_id}/rotate").status_code == 404
