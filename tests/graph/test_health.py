"""A provider that degrades loses traffic before it fails hard, and its answers lose no quality: whole calls."""

from dataclasses import replace

import numpy as np
import pytest

from x25.graph.build import build_cascade
from x25.providers.health import HealthBook
from x25.routing.belief.likelihood import PASSED_CHECKS, posterior

CALLS = 30
RATES = (0.0, 0.4, 0.8)


@pytest.mark.slow
async def test_traffic_falls_as_the_rate_of_faults_rises(cascade, fault):
    shares = []
    for rate in RATES:
        fault("503", "sim/small-2", probability=rate)
        fresh = replace(cascade.services, health=HealthBook(), rng=np.random.default_rng(11))
        graph = build_cascade(fresh).compile()
        request = {
            "prompt": "What is 2 plus 2?",
            "hint": "qa",
            "policy": {"max_tier": "slm"},
            "org": f"at-{rate * 10:.0f}",
        }
        asked = [
            (await graph.ainvoke(request))["explain"]["first_decision"]["model_id"] for _ in range(CALLS)
        ]
        shares.append(asked.count("sim/small-2") / CALLS)
    assert shares == sorted(shares, reverse=True), shares
    assert 0.0 < shares[-1] < shares[0] / 2, shares


async def test_the_quality_of_an_unjudged_answer_is_the_posterior_mean_whatever_the_draw_and_the_provider(
    cascade, fault
):
    """One model fails six times in ten; what does come is as good as ever. Nobody judges."""
    fault("503", "sim/small-2", probability=0.6)
    fresh = replace(cascade.services, health=HealthBook(), judge=None, rng=np.random.default_rng(11))
    graph = build_cascade(fresh).compile()
    request = {"prompt": "What is 2 plus 2?", "hint": "qa", "org": "unjudged", "policy": {"max_tier": "slm"}}
    availability, draws = set(), set()
    for _ in range(CALLS):
        reply = await graph.ainvoke(request)
        candidates = {one["model_id"]: one for one in reply["explain"]["candidates"]}
        expected = posterior(candidates[reply["model_used"]]["posterior_mean"], PASSED_CHECKS)
        assert reply["quality_source"] == "estimate"
        assert reply["quality_score"] == pytest.approx(expected, abs=1e-3)
        availability.add(candidates["sim/small-2"]["availability"])
        draws.add(candidates[reply["model_used"]]["theta"])
    assert min(availability) < 0.8 < max(availability)
    assert len(draws) > 10
