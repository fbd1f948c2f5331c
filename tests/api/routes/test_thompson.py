from collections.abc import Callable

import httpx
import pytest


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


async def test_evidence_of_the_cells_adds_to_the_prior_of_their_tier(open_app) -> None:
    async with open_app(seed=3) as client:
        prior = {arm["tier"]: arm for arm in (await client.get("/thompson/learner")).json()["arms"]}
        for number in range(20):
            body = {"prompt": f"What is {number} * 7?", "org": "learner", "router": "x25-classic"}
            (await client.post("/route", json=body)).raise_for_status()
        found = (await client.get("/thompson/learner")).json()
    assert found["cells"], "twenty judged answers teach something"
    for arm in found["arms"]:
        cells = [cell for cell in found["cells"] if cell["tier"] == arm["tier"]]
        start = prior[arm["tier"]]
        assert arm["alpha"] == pytest.approx(start["alpha"] + sum(c["successes"] for c in cells), abs=1e-2)
        assert arm["beta"] == pytest.approx(start["beta"] + sum(c["failures"] for c in cells), abs=1e-2)


def test_an_org_without_calls_has_the_priors_and_no_cells(http: httpx.Client, org: str) -> None:
    found = http.get(f"/thompson/{org}").json()
    assert found["cells"] == []
    assert all(arm["alpha"] > 0 and arm["beta"] > 0 for arm in found["arms"])


def test_a_key_reads_its_own_org_only(http: httpx.Client, org: str, gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.new_key(org)}"}
    assert http.get(f"/thompson/{org}", headers=headers).status_code == 200
    assert http.get("/thompson/other", headers=headers).status_code == 403
