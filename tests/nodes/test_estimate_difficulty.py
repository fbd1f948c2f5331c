from dataclasses import replace

import numpy as np
import pytest

from x25.routing.belief.completion import MEMORY_RELIEF_LOGITS, completion_prob, measured_prob
from x25.routing.plan.configs import RouterConfig
from x25.state.types import TIERS

PROMPTS = (
    "Say hi.",
    "What is the capital of Australia?",
    "Summarise in one sentence: the meeting was moved to Friday because two people were ill.",
    "Write a Python function that merges overlapping intervals and give its complexity.",
    "Prove, step by step, that there are infinitely many primes congruent to 3 modulo 4, then derive a bound. "
    * 5,
)


async def test_every_model_has_a_probability_and_stronger_ones_a_higher_one(walk, services):
    probs = (await walk("estimate_difficulty")).estimate.completion_probs
    assert probs.keys() == services.models.keys()
    assert all(0 < prob < 1 for prob in probs.values())
    ladder = ["sim/tiny-1", "sim/small-2", "sim/medium-3", "sim/medium-4", "sim/large-5", "sim/xlarge-6"]
    assert sorted(probs, key=probs.__getitem__) == ladder


async def test_a_harder_prompt_lowers_every_probability(walk):
    easy = (await walk("estimate_difficulty", prompt="Say hi.")).estimate
    proof = (
        "Prove, step by step, that there are infinitely many primes congruent to 3 modulo 4, then derive a bound. "
        * 5
    )
    hard = (await walk("estimate_difficulty", prompt=proof)).estimate
    assert easy.value < hard.value
    assert all(hard.completion_probs[name] < prob for name, prob in easy.completion_probs.items())
    assert {easy.band, hard.band} <= {"easy", "medium", "hard"}
    assert easy.sigma > 0


async def test_remembered_context_helps_models_below_the_frontier(walk, services):
    without = (await walk("estimate_difficulty")).estimate
    remembered = (await walk("estimate_difficulty", options={"memory_hit": True})).estimate
    assert remembered.value == without.value
    for spec in services.models.values():
        eased = completion_prob(
            tier=spec.tier, capability=spec.capability,
            difficulty=without.value - (0.0 if spec.tier == "frontier" else MEMORY_RELIEF_LOGITS),
        )  # fmt: skip
        assert remembered.completion_probs[spec.model_id] == pytest.approx(eased, abs=1e-4)


@pytest.mark.parametrize("threshold", [0.6, 0.7, 0.8, 0.9])
async def test_with_remembered_context_the_chosen_tier_is_never_higher(walk, services, threshold):
    """The rule that looks at the prompt alone: no draw can hide a difference."""
    strict = RouterConfig(
        "strict", strategy="threshold", completion_threshold=threshold, fallback_quality_margin=0.0
    )
    using = replace(services, routers={"strict": strict})
    ranks = []
    for prompt in PROMPTS:
        request = {"using": using, "router": "strict", "prompt": prompt}
        without = await walk("thompson_select", **request)
        remembered = await walk("thompson_select", **request, options={"memory_hit": True})
        ranks.append(tuple(TIERS.index(one.decision.tier) for one in (remembered, without)))
    assert all(with_memory <= alone for with_memory, alone in ranks), ranks


@pytest.mark.slow
async def test_remembered_context_lowers_the_share_of_the_frontier(walk, services):
    using = replace(services, rng=np.random.default_rng(3))
    request = {"using": using, "prompt": PROMPTS[-1], "router": "x25-classic"}
    shares = {}
    for hit in (False, True):
        runs = [await walk("thompson_select", **request, options={"memory_hit": hit}) for _ in range(300)]
        shares[hit] = sum(run.decision.tier == "frontier" for run in runs) / len(runs)
    assert shares[True] < shares[False] - 0.02, shares


SYSTEM = "You are the assistant of a bank. Write SQL, prove theorems, translate. def f(x): return x\n" * 35


@pytest.mark.parametrize("prompt", PROMPTS)
async def test_the_same_system_prompt_before_any_question_leaves_type_and_difficulty_as_they_are(
    walk, prompt
):
    """To within .02 of a logit: that there is a system message at all is an input nothing was fitted on."""
    assert len(SYSTEM) > 3_000
    said = [{"role": "user", "content": prompt}]
    bare = await walk("estimate_difficulty", prompt=None, messages=said, hint=None)
    instructed = await walk(
        "estimate_difficulty", prompt=None, messages=[{"role": "system", "content": SYSTEM}, *said], hint=None
    )
    assert (instructed.task.type, instructed.task.cell, instructed.task.confidence) == (
        bare.task.type, bare.task.cell, bare.task.confidence,
    )  # fmt: skip
    assert instructed.estimate.band == bare.estimate.band
    assert instructed.estimate.value == pytest.approx(bare.estimate.value, abs=0.02)
    assert instructed.estimate.sigma == pytest.approx(bare.estimate.sigma, abs=0.02)
    assert instructed.task.prompt_tokens > bare.task.prompt_tokens + 500


async def test_an_own_model_is_predicted_for_its_org_alone_by_what_was_measured_of_it(walk, services):
    spec = replace(
        services.models["sim/tiny-1"], model_id="own/m", owner="acme", measured_quality=0.9, measured_at=0.0
    )
    services.own_models._org_to_models["acme"] = {"own/m": spec}
    mine = (await walk("estimate_difficulty", org="acme")).estimate
    assert mine.completion_probs["own/m"] == pytest.approx(measured_prob(0.9, 0.0, mine.value), abs=0.01)
    assert "own/m" not in (await walk("estimate_difficulty", org="other")).estimate.completion_probs
