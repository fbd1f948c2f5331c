"""What the stages of an org promise, on the whole gateway and simulated models at default settings."""

import pytest

from x25.routing.belief.stage import STAGE_STARTS
from x25.state.types import TIERS

PROMPTS = (
    "What is {n} times 7?", "Sort these words alphabetically: pear, fig, apple number {n}.",
    "Write a Python function that adds {n} to a number.", "Summarise in one sentence: item {n} was sold twice.",
)  # fmt: skip


@pytest.mark.slow
async def test_every_tier_is_tried_within_the_first_stage_whatever_the_seed(open_gateway, settings, tmp_path):
    tried = {}
    for seed in range(6):
        cascade = await open_gateway(seed=seed, data_dir=tmp_path / f"seed-{seed}")
        tiers = set()
        for n in range(STAGE_STARTS[1] - 1):
            reply = await cascade.route({"prompt": PROMPTS[n % len(PROMPTS)].format(n=n), "org": "acme"})
            tiers.add(reply["explain"]["first_decision"]["tier"])
        assert (reply["stage"]["stage"], reply["stage"]["calls_to_next_stage"]) == (1, 1)
        tried[seed] = tiers
    assert tried == {seed: set(TIERS) for seed in range(6)}
