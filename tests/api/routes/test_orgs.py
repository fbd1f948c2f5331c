import asyncio
import json
import sqlite3
import time

import httpx
import pytest

from x25.state.packing import unpack

HELLO = {"prompt": "What is 17 * 23?"}
NOTHING = {
    "optimize_for": None, "quality_bar": None, "judge": None, "privacy": None, "retention_days": None,
    "mode": None, "cache": None, "cache_ttl_s": None,
    "reference_model": None, "budgets": {"usd_per_call": None, "usd_per_day": None, "usd_per_month": None},
    "limits": dict.fromkeys(
        ("requests_per_minute", "tokens_per_minute", "concurrent_calls", "tokens_per_day", "tokens_per_month")
    ),
}  # fmt: skip


def settings_of(http: httpx.Client, org: str) -> dict:
    return http.get(f"/orgs/{org}/settings").raise_for_status().json()


def put(http: httpx.Client, org: str, **settings: object) -> httpx.Response:
    return http.put(f"/orgs/{org}/settings", json=settings)


def test_an_org_that_set_nothing_goes_by_the_gateway(http: httpx.Client, org: str) -> None:
    told = settings_of(http, org)
    assert told.pop("applies_within_s") == 3.0
    assert told == {"org": org, **NOTHING}


def test_put_replaces_and_patch_changes(http: httpx.Client, org: str) -> None:
    put(http, org, quality_bar=0.9, budgets={"usd_per_day": 3, "usd_per_month": 9}).raise_for_status()
    changed = http.patch(
        f"/orgs/{org}/settings", json={"judge": "none", "budgets": {"usd_per_day": None}}
    ).json()
    assert (changed["quality_bar"], changed["judge"]) == (0.9, "none")
    assert changed["budgets"] == {"usd_per_call": None, "usd_per_day": None, "usd_per_month": 9}
    assert settings_of(http, org) == changed
    replaced = put(http, org, optimize_for={"cost": 2, "quality": 1, "latency": 1}).json()
    assert replaced["optimize_for"] == {"cost": 2, "quality": 1, "latency": 1}
    assert (replaced["quality_bar"], replaced["judge"], replaced["budgets"]) == (
        None,
        None,
        NOTHING["budgets"],
    )
    assert settings_of(http, f"{org}-other")["optimize_for"] is None


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"mode": "fast"}, "mode"), ({"optimize_for": "cheap"}, "optimize_for"), ({"optimize_for": []}, "optimize_for"),
        ({"optimize_for": {"cost": -1}}, "optimize_for.cost"), ({"quality_bar": 1.1}, "quality_bar"),
        ({"quality_bar": "1"}, "quality_bar"), ({"judge": "no/model"}, "judge"), ({"judge": ""}, "judge"),
        ({"judge": 7}, "judge"), ({"privacy": "all"}, "privacy"), ({"privacy": "prompts"}, "privacy"),
        ({"mode": "turbo"}, "mode"), ({"cache": "sometimes"}, "cache"), ({"cache_ttl_s": 0}, "cache_ttl_s"),
        ({"retention_days": 0}, "retention_days"), ({"retention_days": 1e9}, "retention_days"),
        ({"reference_model": "no/model"}, "reference_model"), ({"budgets": 5}, "budgets"),
        ({"budgets": {"usd_per_day": -1}}, "budgets.usd_per_day"), ({"budgets": {"day": 1}}, "budgets.day"),
    ],
)  # fmt: skip
def test_wrong_settings_are_refused_by_their_field_and_change_nothing(
    http: httpx.Client, org: str, settings: dict, field: str
) -> None:
    for answer in (put(http, org, **settings), http.patch(f"/orgs/{org}/settings", json=settings)):
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, field), answer.text
    assert settings_of(http, org)["optimize_for"] is None
    assert http.get("/verify", params={"org": org}).json()["total_records"] == 0


@pytest.mark.parametrize("body", ["[]", "7", "null", "", '{"quality_bar": NaN}'])
def test_a_body_that_is_no_object_is_refused(http: httpx.Client, org: str, body: str) -> None:
    answer = http.put(f"/orgs/{org}/settings", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


def test_a_misnamed_org_is_refused(http: httpx.Client) -> None:
    for name in ("Not%20One", "all", "..%2f..", "a" * 65, "%00"):
        assert http.get(f"/orgs/{name}/settings").status_code in {404, 422}


def test_each_change_is_an_entry_of_the_chain(http: httpx.Client, org: str) -> None:
    put(http, org, quality_bar=0.5)
    http.post("/route", json={**HELLO, "org": org})
    put(http, org)
    found = http.get("/verify", params={"org": org}).json()
    assert (found["intact"], found["total_records"], found["calls"]) == (True, 3, 1)


def test_the_next_call_goes_by_new_settings_where_the_request_says_nothing(
    http: httpx.Client, org: str
) -> None:
    def explained(**more: object) -> dict:
        return http.post("/route", json={**HELLO, "org": org, **more}).raise_for_status().json()["explain"]

    put(http, org, judge="none", reference_model="sim/xlarge-6").raise_for_status()
    told = explained()
    assert told["judges_removed"] == {"sim/judge-1": "judge: the org's settings say none"}
    assert told["reference_model"] == "sim/xlarge-6"
    assert http.get(f"/stats/{org}").json()["reference_model"] == "sim/xlarge-6"
    for _ in range(8):
        assert not [one for one in explained()["attempts"] if one["kind"] == "judge"]
    put(http, org, judge="sim/judge-1").raise_for_status()
    assert explained()["judges_removed"] == {}


def test_weights_of_the_org_hold_unless_the_request_has_its_own(
    http: httpx.Client, org: str, gateway
) -> None:
    put(http, org, optimize_for="quality-first")
    http.post("/route", json={**HELLO, "org": org})
    http.post("/route", json={**HELLO, "org": org, "optimize_for": "cost-first"})
    with sqlite3.connect(gateway.database) as database:
        query = "SELECT decision FROM calls WHERE org = ? ORDER BY created_at"
        texts = [unpack(row[0]) for row in database.execute(query, [org])]
    weights = [json.loads(text)["optimize_for"] for text in texts]
    assert [round(one["quality"], 3) for one in weights] == [0.8, 0.2]


@pytest.mark.parametrize("span", ["call", "day", "month"])
def test_a_ceiling_of_the_org_binds_every_key_and_nobody_else(
    http: httpx.Client, org: str, span: str, gateway, simulator
) -> None:
    put(http, org, budgets={f"usd_per_{span}": 1e-9}).raise_for_status()
    billed = len(simulator.bills())
    for headers in ({}, {"X-API-KEY": gateway.new_key(org)}):
        answer = http.post("/route", json={**HELLO, "org": org}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (402, "budget_exceeded")
        assert f"org_budget_usd_per_{span}" in answer.text
    assert len(simulator.bills()) == billed
    assert http.post("/route", json={**HELLO, "org": f"{org}-other"}).status_code == 200
    put(http, org, budgets={f"usd_per_{span}": 1.0})
    assert http.post("/route", json={**HELLO, "org": org}).status_code == 200


def test_a_month_counts_what_was_spent_before_it_had_a_ceiling(http: httpx.Client, org: str) -> None:
    spent = http.post("/route", json={**HELLO, "org": org}).json()
    usd = spent["cost_usd"] + spent["judge_cost_usd"]
    put(http, org, budgets={"usd_per_month": usd}).raise_for_status()
    assert http.post("/route", json={**HELLO, "org": org}).status_code == 402


def test_a_request_that_nobody_can_price_is_refused_under_a_ceiling(http: httpx.Client, org: str) -> None:
    asked = {**HELLO, "org": org, "options": {"web_search_options": {}}}
    put(http, org, budgets={"usd_per_month": 5})
    assert http.post("/route", json=asked).status_code == 422


def test_hashes_alone_are_kept_where_the_org_says_so(http: httpx.Client, org: str, gateway) -> None:
    def kept() -> list[tuple]:
        with sqlite3.connect(gateway.database) as database:
            query = (
                "SELECT prompt_sha256 IS NULL, inputs IS NULL FROM calls WHERE org = ? ORDER BY created_at"
            )
            return database.execute(query, [org]).fetchall()

    http.post("/route", json={**HELLO, "org": org})
    put(http, org, privacy="hashes")
    http.post("/route", json={**HELLO, "org": org})
    put(http, org, privacy="inputs")
    http.post("/route", json={**HELLO, "org": org})
    assert kept() == [(1, 0), (1, 1), (1, 0)]


async def test_words_of_a_private_org_are_in_no_file_of_a_gateway_that_keeps_them(open_app, tmp_path) -> None:
    async with open_app(store_prompts=True) as client:
        await client.put("/orgs/private/settings", json={"privacy": "hashes"})
        for org in ("private", "public"):
            body = {"prompt": f"Say the word {org}zebra backwards.", "org": org}
            assert (await client.post("/route", json=body)).status_code == 200
    files = [one for one in (tmp_path / "app").glob("*.db*") if one.is_file()]
    await asyncio.to_thread(_vacuum, files)
    text = b"".join(one.read_bytes() for one in files)
    assert b"publiczebra" in text
    assert b"privatezebra" not in text


def _vacuum(files) -> None:
    for one in files:
        if one.suffix == ".db":
            with sqlite3.connect(one) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def test_a_gateway_that_must_keep_words_says_so(open_app) -> None:
    async with open_app(checkpoints="sync", store_prompts=True) as client:
        answer = await client.put("/orgs/acme/settings", json={"privacy": "hashes"})
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, "privacy")
        assert "X25_CHECKPOINTS=sync" in answer.text
        assert (await client.put("/orgs/acme/settings", json={"privacy": "prompts"})).status_code == 200


def test_a_key_with_the_scope_changes_its_own_org_alone(strict_gateway, org: str) -> None:
    headers = {"X-API-KEY": strict_gateway.new_key(org, scopes=("read", "settings"))}
    with httpx.Client(base_url=strict_gateway.url, headers=headers, timeout=30) as client:
        assert put(client, org, quality_bar=0.7).json()["quality_bar"] == 0.7
        assert settings_of(client, org)["quality_bar"] == 0.7
        assert put(client, f"{org}-other", quality_bar=0.7).status_code == 403
    assert httpx.get(f"{strict_gateway.url}/orgs/{org}/settings").status_code == 401


@pytest.mark.slow
def test_another_process_takes_new_settings_up_within_the_time_it_says(start_gateway, org: str) -> None:
    two = start_gateway(X25_WORKERS="2")
    without_reuse = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=two.url, timeout=30, limits=without_reuse) as http:

        def statuses(n: int) -> set[int]:
            return {http.post("/route", json={**HELLO, "org": org}).status_code for _ in range(n)}

        assert statuses(12) == {200}
        within_s = put(http, org, budgets={"usd_per_call": 1e-9}).json()["applies_within_s"]
        time.sleep(within_s + 0.1)
        assert statuses(12) == {402}


def test_changes_at_once_are_all_kept(http: httpx.Client, org: str, gateway) -> None:
    async def change_all() -> None:
        async with httpx.AsyncClient(base_url=gateway.url, timeout=30) as client:
            changes = (
                {"quality_bar": 0.6},
                {"judge": "none"},
                {"retention_days": 9},
                {"optimize_for": "cost-first"},
            )
            await asyncio.gather(*(client.patch(f"/orgs/{org}/settings", json=one) for one in changes))

    asyncio.run(change_all())
    told = settings_of(http, org)
    assert (told["quality_bar"], told["judge"], told["retention_days"], told["optimize_for"]) == (
        0.6, "none", 9, "cost-first",
    )  # fmt: skip
