from collections.abc import Callable

import httpx
import pytest

from x25.routing.belief.completion import TIER_PRIOR
from x25.state.store import open_store


def test_arms_are_the_tiers_in_order_with_the_mean_and_confidence_of_their_beta(
    http: httpx.Client, route: Callable[..., dict], org: str
) -> None:
    for number in range(8):
        route(f"What is {number} * 23?")
    found = http.get(f"/thompson/{org}").json()
    assert found["org"] == org
    assert [arm["tier"] for arm in found["arms"]] == ["slm", "mid", "frontier"]
    for arm in found["arms"]:
        assert arm["mean_reward"] == pytest.approx(arm["alpha"] / (arm["alpha"] + arm["beta"]), abs=1e-3)
        assert arm["confidence"] == pytest.approx(min(1, (arm["alpha"] + arm["beta"]) / 50), abs=1e-3)


async def test_who_adds_each_reward_and_its_complement_to_what_is_shown_gets_what_is_shown_next(
    open_app,
) -> None:
    """Default router, judge table and checks: judged answers, failed checks and escalated ones alike."""
    async with open_app(seed=3) as client:
        counts = {
            arm["tier"]: [arm["alpha"], arm["beta"]]
            for arm in (await client.get("/thompson/learner")).json()["arms"]
        }
        rewards = set()
        for number in range(40):
            before = {tier: list(pair) for tier, pair in counts.items()}
            body = {"prompt": f"Calculate {number} * 7 + {number % 9}. Give the number.", "org": "learner"}
            body |= {"hint": "reasoning"} if number % 3 == 0 else {}
            reply = await client.post("/route", json=body)
            reply.raise_for_status()
            for lesson in reply.json()["explain"]["learned"]:
                counts[lesson["tier"]][0] += lesson["success"]
                counts[lesson["tier"]][1] += lesson["failure"]
                rewards.add(lesson["success"])
                assert lesson["success"] + lesson["failure"] == pytest.approx(1.0)
            found = (await client.get("/thompson/learner")).json()
            for arm in found["arms"]:
                alpha, beta = counts[arm["tier"]]
                assert (arm["alpha"], arm["beta"]) == (
                    pytest.approx(alpha, abs=1e-4),
                    pytest.approx(beta, abs=1e-4),
                )
                assert arm["mean_reward"] == pytest.approx(alpha / (alpha + beta), abs=1e-4)
                assert arm["alpha"] >= before[arm["tier"]][0] - 1e-4
                assert arm["beta"] >= before[arm["tier"]][1] - 1e-4
    assert len(rewards) > 3, "answers of several scores taught"
    for arm in found["arms"]:
        cells = [cell for cell in found["cells"] if cell["tier"] == arm["tier"]]
        assert arm["alpha"] - 10 * TIER_PRIOR[arm["tier"]] == pytest.approx(
            sum(cell["successes"] for cell in cells), abs=1e-3
        )


async def test_what_the_plan_reads_stands_beside_the_counts(open_app) -> None:
    async with open_app(seed=3) as client:
        for number in range(20):
            body = {"prompt": f"What is {number} * 7?", "org": "learner", "router": "x25-classic"}
            (await client.post("/route", json=body)).raise_for_status()
        found = (await client.get("/thompson/learner")).json()
    assert sum(cell["selection"]["first_calls"] for cell in found["cells"]) == 20
    for cell in found["cells"]:
        plan = cell["selection"]
        assert cell["mean_reward"] == pytest.approx(cell["alpha"] / (cell["alpha"] + cell["beta"]), abs=1e-3)
        assert cell["successes"] + cell["failures"] >= plan["first_calls"]
        assert (plan["drifts"], plan["return_prob"]) == (0, 0.0)
        assert 0.0 < plan["mean_belief"] < 1.0
        assert plan["concentration"] >= 30.0
    assert any(
        cell["selection"]["mean_belief"] != cell["selection"]["mean_prediction"] for cell in found["cells"]
    )


async def test_rescues_and_dominated_models_are_reported_with_their_numbers(open_app, tmp_path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'app' / 'x25.db'}"
    async with open_app(seed=3) as client, await open_store(url) as store:
        posteriors = store.posteriors
        lesson = {"task_cell": "qa", "success": 1.0, "failure": 0.0, "gamma": 1.0, "org_calls": 0}
        for number in range(80):
            for model_id, tier, weight in (("sim/tiny-1", "slm", 0.9), ("sim/large-5", "frontier", 0.6)):
                await posteriors.learn(
                    "pool",
                    f"c{number}-{tier}",
                    0,
                    model_id=model_id,
                    tier=tier,
                    selection=(weight, 0.75),
                    **lesson,
                )
        for number, rescued in enumerate([True, True, False, True]):
            await posteriors.learn(
                "pool", f"r{number}", 1, model_id="sim/large-5", tier="frontier", selection=None, rescued=rescued,
                **lesson,
            )  # fmt: skip
        found = (await client.get("/thompson/pool")).json()
    assert [arm["rescue_rate"] for arm in found["arms"]] == [None, None, 0.75]
    (dear,) = found["dominated"]
    assert (dear["model_id"], dear["better_model_id"]) == ("sim/large-5", "sim/tiny-1")
    assert dear["pass_rate"] < dear["better_pass_rate"]
    assert dear["prob_better"] < 0.01
    assert dear["times_dearer"] > 1


def test_an_org_without_calls_has_the_priors_and_no_cells(http: httpx.Client, org: str) -> None:
    found = http.get(f"/thompson/{org}").json()
    assert found["cells"] == []
    assert all(arm["alpha"] > 0 and arm["beta"] > 0 for arm in found["arms"])


def test_a_key_reads_its_own_org_only(http: httpx.Client, org: str, gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.new_key(org)}"}
    assert http.get(f"/thompson/{org}", headers=headers).status_code == 200
    assert http.get("/thompson/other", headers=headers).status_code == 403
