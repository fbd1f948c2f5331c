import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from statistics import fmean, median
from types import SimpleNamespace

import httpx
import numpy as np
import pytest

from x25.client import X25
from x25.state.packing import unpack
from x25.state.savings import OrgStats

FROM_DATABASE = """
SELECT cost_nusd, judge_cost_nusd, reference_cost_nusd, quality_score, quality_source, latency_ms,
    model_id, tier
FROM calls WHERE org = ?
"""


def test_figures_equal_a_recomputation_from_the_database(
    http: httpx.Client, route: Callable[..., dict], org: str, gateway
) -> None:
    for number in range(12):
        route(f"What is {number} * 23?")
    with sqlite3.connect(gateway.database) as database:
        calls = database.execute(FROM_DATABASE, [org]).fetchall()
    cost, judge_cost, reference, quality, _, latency, model, tier = zip(*calls, strict=True)
    rated = [score for score in quality if score is not None]
    stats = http.get(f"/stats/{org}").json()
    assert stats["total_calls"] == len(calls) == 12
    assert stats["total_cost_usd"] == pytest.approx(sum(cost) / 1e9, abs=1e-12)
    assert stats["total_judge_cost_usd"] == pytest.approx(sum(judge_cost) / 1e9, abs=1e-12)
    assert sum(judge_cost) > 0
    saved = sum(reference) - sum(cost) - sum(judge_cost)
    assert (
        stats["total_saved_usd"] == stats["total_saved_vs_pool_usd"] == pytest.approx(saved / 1e9, abs=1e-12)
    )
    assert (stats["reference_model"], stats["smaller_pools"]) == ("sim/large-5", {})
    assert stats["avg_latency_ms"] == pytest.approx(fmean(latency), abs=1e-3)
    assert stats["avg_quality"] == pytest.approx(fmean(rated), abs=1e-4)
    assert stats["model_distribution"] == Counter(model)
    assert Counter(stats["tier_distribution"]) == Counter(tier)


def test_the_sums_are_those_of_the_replies(http: httpx.Client, route: Callable[..., dict], org: str) -> None:
    replies = [route(f"Name {number} rivers.") for number in range(4)]
    stats = http.get(f"/stats/{org}").json()
    assert stats["total_cost_usd"] == pytest.approx(sum(reply["cost_usd"] for reply in replies), abs=1e-12)
    assert stats["total_saved_usd"] == pytest.approx(
        sum(reply["cost_saved_usd"] for reply in replies), abs=1e-12
    )
    assert stats["total_judge_cost_usd"] == pytest.approx(
        sum(r["judge_cost_usd"] for r in replies), abs=1e-12
    )
    assert sum(stats["model_distribution"].values()) == sum(stats["tier_distribution"].values()) == 4


def test_a_smaller_pool_is_told_with_both_savings(
    http: httpx.Client, route: Callable[..., dict], org: str, gateway
) -> None:
    route("What is 2 * 23?")
    replies = [route(f"What is {number} * 23?", router="cheap-pair") for number in range(3)]
    stats = http.get(f"/stats/{org}").json()
    (name, pool), *others = stats["smaller_pools"].items()
    assert (name, others, pool["calls"], pool["dearest_model"]) == ("cheap-pair", [], 3, "sim/small-2")
    told = [reply["explain"]["savings"] for reply in replies]
    assert pool["total_saved_usd"] == pytest.approx(sum(one["saved_usd"] for one in told), abs=1e-12)
    assert pool["total_saved_usd"] == pytest.approx(sum(r["cost_saved_usd"] for r in replies), abs=1e-12)
    against_pool = sum(one["smaller_pool"]["saved_usd"] for one in told)
    assert pool["total_saved_vs_pool_usd"] == pytest.approx(against_pool, abs=1e-12)
    assert pool["total_saved_vs_pool_usd"] < pool["total_saved_usd"]


async def test_labels_of_picked_answers_correct_the_quality_and_bound_it(open_app, tmp_path) -> None:
    from x25.state.store import open_store

    database = f"sqlite+aiosqlite:///{tmp_path}/app/x25.db"
    async with open_app() as client, await open_store(database) as store:
        for number in range(32):
            asked = {"prompt": f"What is {number} * 23?", "org": "one", "hint": "qa"}
            reply = (await client.post("/route", json=asked)).json()
            await store.labels.add(
                "one", reply["call_id"], right=1.0, source="audit", edges=(0.2, 0.4, 0.6, 0.8)
            )
        found, other = [(await client.get(f"/stats/{org}")).json() for org in ("one", "two")]
        everything = (await client.get("/stats/all")).json()
    assert (found["quality"]["measured_by"], found["quality"]["labels"]) == ("labels and scores", 32)
    assert found["quality"]["low"] < 1.0 == found["quality"]["value"]
    (bound,) = found["quality_bound"].values()
    assert (bound["status"], bound["delta"]) == ("stated", 0.05)
    assert 0.7 < bound["level"] < 0.9
    assert (other["quality"], other["quality_bound"], everything["quality"]) == (None, {}, None)


def test_an_org_without_calls_has_zeros_and_no_averages(http: httpx.Client, org: str) -> None:
    stats = http.get(f"/stats/{org}").json()
    assert (stats["total_calls"], stats["total_cost_usd"], stats["model_distribution"]) == (0, 0, {})
    assert (stats["avg_quality"], stats["avg_latency_ms"]) == (None, None)


async def test_all_sums_over_the_orgs(open_app) -> None:
    async with open_app() as client:
        for org in ("one", "two", "two"):
            (await client.post("/route", json={"prompt": "hello", "org": org})).raise_for_status()
        everything, *each = [(await client.get(f"/stats/{org}")).json() for org in ("all", "one", "two")]
    for name in ("total_calls", "total_cost_usd", "total_saved_usd", "total_judge_cost_usd"):
        assert everything[name] == pytest.approx(sum(stats[name] for stats in each), abs=1e-12)
    for name in ("model_distribution", "tier_distribution"):
        assert Counter(everything[name]) == Counter(each[0][name]) + Counter(each[1][name])


def test_a_key_reads_its_own_org_only(http: httpx.Client, org: str, gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.new_key(org)}"}
    assert http.get(f"/stats/{org}", headers=headers).status_code == 200
    assert http.get("/stats/other", headers=headers).status_code == 403
    assert http.get("/stats/all", headers=headers).status_code == 403


def test_an_admins_key_reads_every_org_and_all_together(http: httpx.Client, org: str, gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.new_key(org, is_admin=True)}"}
    for named in ("other", "others"):
        http.post("/route", json={"prompt": "hello", "org": named}).raise_for_status()
    for path in ("/stats/all", "/stats/other", "/stage/other", "/thompson/other", "/judge/other"):
        assert http.get(path, headers=headers).status_code == 200, path
    assert len(http.get("/verify", headers=headers).json()["orgs"]) > 1
    body = {"prompt": "hello", "org": "other"}
    assert http.post("/route", json=body, headers=headers).json()["org"] == org, "its calls are its own org's"


def test_nano_dollars_become_dollars() -> None:
    from x25.api.routes.stats import to_wire

    sums = OrgStats(2, 1_500_000_000, 7, 1_500_000_004, 1_500_000_001, 0.5, 10.0, {"m": 2}, {"slm": 2})
    wire = to_wire(sums, {}, SimpleNamespace(reference=SimpleNamespace(model_id="v/m")))
    assert (wire.total_cost_usd, wire.total_judge_cost_usd) == (1.5, 7e-9)
    assert (wire.total_saved_usd, wire.total_saved_vs_pool_usd) == (-3e-9, -6e-9)


def test_estimated_costs_are_compared_with_realised_ones(
    http: httpx.Client, route: Callable[..., dict], org: str, gateway
) -> None:
    replies = [route(f"What is {number} + 3?", hint="qa") for number in range(10)]
    ratios: dict[str, list[float]] = {}
    with sqlite3.connect(gateway.database) as database:
        for call_id, decision in database.execute("SELECT call_id, decision FROM calls WHERE org = ?", [org]):
            made = json.loads(unpack(decision))
            query = "SELECT cost_nusd FROM attempts WHERE call_id = ? AND step = 0 AND kind = 'answer'"
            ((cost,),) = database.execute(query, [call_id]).fetchall()
            ratios.setdefault(made["model_id"], []).append(made["expected_cost_nusd"] / cost)
    found = http.get(f"/stats/{org}").json()["cost_estimates"]
    assert sum(one["answers"] for one in found.values()) == len(replies)
    assert found.keys() == ratios.keys()
    for model_id, one in found.items():
        assert one["median_ratio"] == pytest.approx(median(ratios[model_id]))
        assert one["median_relative_error"] == pytest.approx(median(abs(r - 1) for r in ratios[model_id]))


async def test_every_tier_is_shown_whether_it_was_asked_or_not(open_app) -> None:
    async with open_app() as client:
        nobody = (await client.get("/stats/one")).json()["tier_distribution"]
        asked = {"prompt": "hello", "org": "one", "policy": {"max_tier": "slm"}}
        (await client.post("/route", json=asked)).raise_for_status()
        found = (await client.get("/stats/one")).json()["tier_distribution"]
    assert nobody == {"slm": 0, "mid": 0, "frontier": 0}
    assert found == {"slm": 1, "mid": 0, "frontier": 0}


def test_intervals_equal_a_recomputation_from_the_database(
    http: httpx.Client, route: Callable[..., dict], org: str, gateway
) -> None:
    for number in range(12):
        route(f"What is {number} * 23?", hint=("qa", "code", "reasoning")[number % 3])
    with sqlite3.connect(gateway.database) as database:
        calls = database.execute(FROM_DATABASE, [org]).fetchall()
    cost, judge_cost, reference, quality, source, *_ = (np.array(one) for one in zip(*calls, strict=True))
    told = http.get(f"/stats/{org}").json()["comparison"]
    paid = cost + judge_cost
    assert told["saved_share"]["value"] == pytest.approx(1.0 - paid.sum() / reference.sum())
    residuals = paid - paid.sum() / reference.sum() * reference
    half = 1.959963984540054 * np.sqrt((residuals**2).sum() * 12 / 11) / reference.sum()
    assert told["saved_share"]["high"] - told["saved_share"]["value"] == pytest.approx(half)
    scores = quality.astype(float)
    half = 1.959963984540054 * scores.std(ddof=1) / np.sqrt(len(scores))
    assert told["quality"]["value"] - told["quality"]["low"] == pytest.approx(half, abs=1e-6)
    assert told["share_judged"] == pytest.approx((source == "judge").mean())
    assert told["counted_calls"] == 12
    assert told["frontier"]["model_id"] == "sim/large-5"
    assert told["frontier"]["cost_usd"] == pytest.approx(reference.sum() / 1e9, abs=2e-8)
    assert 0.0 <= told["choice_dependence"] <= 1.0


def test_an_org_without_calls_is_compared_with_nothing(http: httpx.Client, org: str) -> None:
    told = http.get(f"/stats/{org}").json()["comparison"]
    assert (told["saved_share"], told["share_judged"], told["single"], told["counted_calls"]) == (
        None,
        None,
        None,
        0,
    )


def test_the_sdk_reads_the_same_stats(
    http: httpx.Client, route: Callable[..., dict], org: str, gateway
) -> None:
    route()
    assert X25(org=org, gateway_url=gateway.url).get_stats() == http.get(f"/stats/{org}").json()


def test_goals_are_met_as_the_formula_says(http: httpx.Client, route: Callable[..., dict], org: str) -> None:
    for number in range(4):
        reply = route(f"What is {number} * 23?")
        paid_usd = reply["cost_usd"] + reply["judge_cost_usd"]
        share = reply["cost_saved_usd"] / (reply["cost_saved_usd"] + paid_usd)
        assert reply["goal_match"].keys() == {"cost", "quality", "latency"}
        assert reply["goal_match"]["cost"] == pytest.approx(min(max(share, 0.0), 1.0), abs=1e-4)
        assert reply["goal_match"]["quality"] == pytest.approx(reply["quality_score"], abs=1e-4)
        assert 0.0 <= reply["goal_match"]["latency"] <= 1.0
