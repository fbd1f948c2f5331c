"""A provider that degrades loses traffic before it fails hard: whole calls against the simulator."""

from dataclasses import replace

import numpy as np

from x25.graph.build import build_cascade
from x25.providers.health import HealthBook

CALLS = 30
RATES = (0.0, 0.4, 0.8)


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
