"""The harness decides by the code that serves: the same stream through the real graph ends the same way."""

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pytest

from x25.graph.build import build_cascade
from x25.graph.estimators import read_estimators
from x25.graph.memory.nouns import from_json
from x25.graph.routers import load_routers
from x25.nodes.offers.situation import Situation, derive_situation
from x25.nodes.services import Services
from x25.providers.base import Completion
from x25.providers.embeddings import open_encoder
from x25.providers.gateway import OPENAI_WIRE, Gateway
from x25.providers.judge import JudgeReply
from x25.providers.keyring import Keyring
from x25.providers.specs import Deployment, ModelSpec
from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.belief.likelihood import PASSED_CHECKS
from x25.routing.belief.thompson import Learner
from x25.routing.plan.configs import RouterConfig
from x25.state.store import open_store
from x25.state.types import TIERS
from x25.state.usage import Usage
from x25.state.working_memory import Routed
from x25.training.evaluation.cascade import Problem, run_cascade

ESTIMATORS = read_estimators(open_encoder())
PRICES = {"slm": "1", "mid": "4", "frontier": "20"}
CALLS = 60
CERTAIN = Learner(kappa0=1e12, kappa_max=1e12, n0=1e15)
"""Draws stand at the prediction, and evidence moves nothing: what is left is the plan."""
PROMPTS = (
    "Hi!",
    "What is 2 + 2?",
    r"Prove that $x^2 + y^2 \equiv 1 \pmod{p}$ has $p - (-1)^{(p-1)/2}$ solutions for each odd prime $p$.",
    "def f(x):\n    return x[::-1] + x\nassert f('ab') == ??",
    "Which of these is a mammal? A) trout B) whale C) crow D) newt",
    "A train leaves at 9:00 at 80 km/h, another at 10:15 at 120 km/h. When do they meet, step by step?",
)


WEIGHTS = {
    "quality-first": {"cost": 0.1, "quality": 0.9},
    "balanced": {"cost": 0.5, "quality": 0.5},
    "cost-first": {"cost": 0.8, "quality": 0.2},
}
"""Without latency, which recorded outcomes know nothing of."""


@dataclass
class Recording:
    """What each tier answered and how the judge scored it, fixed before anybody is asked."""

    score: np.ndarray
    bins: np.ndarray
    call: int = 0
    asked: dict[str, int] = field(default_factory=dict)

    async def complete(self, request):
        return Completion(
            message={"role": "assistant", "content": f"{request.spec.tier} answers"},
            finish_reason="stop",
            usage=Usage(50, 50),
            model=request.spec.model_id,
            latency_ms=1.0,
            deployment=request.deployment.name,
        )


@dataclass
class RecordedScores:
    recording: Recording
    specs: tuple[ModelSpec, ...]
    name: str = "recorded"

    def askable(self, answerer_provider, caller):
        return self.specs, {}

    def deadline_s(self):
        return 0.0

    def bound_cost_nusd(self, messages, answer, spec):
        return 10_000

    async def score(self, spec, *, messages, answer, record, **of_whom):
        tier = TIERS.index(answer["content"].split()[0])
        score = 0.1 + 0.2 * int(self.recording.bins[self.recording.call, tier])
        usage = Usage(1, 1, reported_cost_usd=Decimal("0.00001"))
        settled = Completion({}, "stop", usage, "judge", 1.0, "recorded")
        await record.finish(await record.begin("recorded"), settled)
        return JudgeReply(score, "recorded", "recorded", "recorded", usage, 10_000, "reported", 1.0)


def model(tier: str, role: str = "chat", price: str | None = None) -> ModelSpec:
    usd = Decimal(price or PRICES[tier])
    return ModelSpec(
        model_id=f"{role}/{tier}", provider=tier, tier=tier, role=role, input_usd_per_mtok=usd,
        output_usd_per_mtok=usd, context_tokens=100_000, max_output_tokens=4096, expected_latency_ms=100.0,
        expected_output_tokens=50, deployments=(Deployment("recorded", "", tier),),
    )  # fmt: skip


@pytest.fixture
async def store():
    async with await open_store("sqlite+aiosqlite://") as opened:
        yield opened


def services_for(store, recording: Recording) -> Services:
    specs = [model(tier) for tier in TIERS]
    quiet = RouterConfig(name="quiet", epsilon=0.0, audit_rate=0.0)
    return Services(
        store=store,
        models={spec.model_id: spec for spec in specs},
        reference=specs[-1],
        gateway=Gateway({OPENAI_WIRE: recording}, Keyring({})),
        encoder=ESTIMATORS.encoder,
        classifier=ESTIMATORS.classifier,
        difficulty=ESTIMATORS.difficulty,
        routers={**load_routers(), "quiet": quiet},
        judge=RecordedScores(recording, (model("slm", "judge", "0.1"),)),
        judge_table=DEFAULT_TABLE,
        learner=CERTAIN,
        rng=np.random.default_rng(3),
    )


def problem_of(call: Routed, situation: Situation, recording: Recording) -> Problem:
    """Return the one prompt of a finished call, as the harness would read it from a file."""
    arms, beliefs = situation.arms, call.selection.beliefs
    reference = situation.terms.reference_cost_nusd
    return Problem(
        thetas=np.array([[beliefs[arm.model_id].theta for arm in arms]]),
        predicted_costs=np.array([[arm.expected_cost_nusd / reference for arm in arms]]),
        scores=recording.score[[recording.call]],
        costs_usd=np.array([[100e-6 * float(PRICES[tier]) for tier in TIERS]]),
        bins=recording.bins[[recording.call]],
        judge_costs_usd=np.full((1, 3), 1e-5),
        judge_cost=situation.terms.prices.judge_cost,
        checked=PASSED_CHECKS,
    )


@pytest.mark.parametrize("preset", WEIGHTS)
@pytest.mark.slow
async def test_a_stream_through_the_real_graph_makes_the_moves_of_the_harness(store, preset):
    rng = np.random.default_rng(11)
    recording = Recording((rng.random((CALLS, 3)) < 0.6).astype(float), rng.integers(0, 5, (CALLS, 3)))
    services = services_for(store, recording)
    graph = build_cascade(services).compile()
    steps, judged = [], []
    for call in range(CALLS):
        recording.call = call
        request = {
            "prompt": PROMPTS[call % len(PROMPTS)],
            "org": preset,
            "router": "quiet",
            "optimize_for": WEIGHTS[preset],
        }
        final = [state async for state in graph.astream(request, stream_mode="values")][-1]
        made = from_json(Routed, final)
        situation = await derive_situation(made, services)
        problem = problem_of(made, situation, recording)
        expected = run_cascade(problem, DEFAULT_TABLE, situation.terms.prices)
        assert TIERS[expected.first[0]] == made.first_decision.tier
        assert TIERS[expected.tier[0]] == final["tier"]
        assert expected.answers[0] == final["cascade_steps"]
        assert expected.judge_calls[0] == sum(answer.verdict.source == "judge" for answer in made.bought)
        assert expected.cost_usd[0] == pytest.approx(final["cost_usd"] + final["judge_cost_usd"])
        steps.append(final["cascade_steps"])
        judged.append(expected.judge_calls[0])
    assert sum(judged) > 0
    assert preset != "balanced" or len(set(steps)) > 1  # some calls climbed, some did not
