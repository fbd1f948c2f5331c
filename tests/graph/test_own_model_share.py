"""How much of an org's traffic a model of its own comes to have, through the real graph, at default settings.

The others are a small, a middle and a large model at usual prices, right in .75, .85 and .92 of the calls, and known
from forty calls before the org registers its own. Judged by the judge that ships (AUC .85).
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np
import pytest

from x25.graph.build import RECURSION_LIMIT, build_cascade
from x25.graph.estimators import read_estimators
from x25.graph.execution.walk import DirectWalk
from x25.graph.own_models import Registration
from x25.graph.routers import load_routers
from x25.nodes.org.own_models import spec_of
from x25.nodes.services import Services
from x25.providers.base import Completion
from x25.providers.embeddings import open_encoder
from x25.providers.gateway import OPENAI_WIRE, Gateway
from x25.providers.judge import JudgeReply
from x25.providers.keyring import Keyring
from x25.providers.specs import Deployment, ModelSpec
from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.state.own_models import OwnModel
from x25.state.store import open_store
from x25.state.usage import Usage

ESTIMATORS = read_estimators(open_encoder())
OWN = "own/support"
TIER_TO_PRICE = {"slm": "0.20", "mid": "2", "frontier": "15"}
TIER_TO_LATENCY_MS = {"slm": 1500.0, "mid": 2500.0, "frontier": 6000.0}
OTHERS = {"chat/slm": 0.75, "chat/mid": 0.85, "chat/frontier": 0.92}
BEFORE, SETTLING, COUNTED = 40, 50, 50
"""Calls before the registration, after it, and then those that are counted."""
SEEDS = 20


@dataclass
class World:
    """One org, whose models are right with a known probability, and its judge."""

    seed: int
    own_scores: tuple[float, float] | None
    """Between which a judge's scores of the own model are; None = as its table says of right and wrong answers."""
    pass_rates: dict[str, float]
    rng: np.random.Generator = field(init=False)
    said: dict[str, tuple[str, bool]] = field(default_factory=dict)
    specs: tuple[ModelSpec, ...] = ()
    name: str = "scripted"

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.specs = (replace(model("slm"), model_id="judge/slm", role="judge"),)

    async def complete(self, request):
        name = request.spec.model_id
        is_right = bool(self.rng.random() < self.pass_rates[name])
        content = "" if not is_right and self.rng.random() < 0.14 else f"answer {len(self.said)}"
        self.said[content] = (name, is_right)
        return Completion(
            message={"role": "assistant", "content": content}, finish_reason="stop", usage=Usage(300, 300), model=name,
            latency_ms=1.0, deployment=request.deployment.name,
        )  # fmt: skip

    def askable(self, answerer_provider, caller):
        return self.specs, {}

    def deadline_s(self):
        return 0.0

    def bound_cost_nusd(self, messages, answer, spec):
        return 10_000

    async def score(self, spec, *, messages, answer, record, **of_whom):
        name, is_right = self.said[answer["content"]]
        edges = (0.0, *DEFAULT_TABLE.edges, 1.0)
        drawn = int(self.rng.choice(5, p=DEFAULT_TABLE.right if is_right else DEFAULT_TABLE.wrong))
        low, high = self.own_scores if name == OWN and self.own_scores else (edges[drawn], edges[drawn + 1])
        usage = Usage(1, 1, reported_cost_usd=Decimal(0))
        settled = Completion({}, "stop", usage, "judge", 1.0, "scripted")
        await record.finish(await record.begin("scripted"), settled)
        return JudgeReply(
            float(self.rng.uniform(low, high)), "scripted", "scripted", "scripted", usage, 0, "reported", 1.0
        )

    def services(self, store) -> Services:
        specs = [model(tier) for tier in TIER_TO_PRICE]
        return Services(
            store=store, models={spec.model_id: spec for spec in specs}, reference=specs[-1],
            gateway=Gateway({OPENAI_WIRE: self}, Keyring({})), encoder=ESTIMATORS.encoder,
            classifier=ESTIMATORS.classifier, difficulty=ESTIMATORS.difficulty, routers=load_routers(), judge=self,
            judge_table=DEFAULT_TABLE, rng=np.random.default_rng(self.seed + 1),
        )  # fmt: skip


def model(tier: str) -> ModelSpec:
    price = Decimal(TIER_TO_PRICE[tier])
    return ModelSpec(
        model_id=f"chat/{tier}", provider=tier, tier=tier, input_usd_per_mtok=price, output_usd_per_mtok=price,
        context_tokens=100_000, max_output_tokens=4096, expected_latency_ms=TIER_TO_LATENCY_MS[tier],
        expected_output_tokens=300, deployments=(Deployment("scripted", "", tier),),
    )  # fmt: skip


async def share_of_own(store, seed: int, own_scores, own_pass_rate: float) -> float:
    """Return the share of the counted calls whose answer came from the own model."""
    world, org = World(seed, own_scores, OTHERS | {OWN: own_pass_rate}), f"org-{seed}"
    services = world.services(store)
    walk = DirectWalk(build_cascade(services).compile(), RECURSION_LIMIT)  # as calls are served
    used: list[str] = []

    async def run(calls: int) -> None:
        for number in range(calls):
            asked = {"prompt": f"Name a colour, number {number}.", "org": org}
            reply = await walk.run(asked, {"configurable": {}}, None, lambda _: None)
            used.append(reply["model_used"])

    await run(BEFORE)
    content = Registration(OWN, "http://127.0.0.1:9/v1").content(org)
    await store.own_models.add(OwnModel(org, OWN, content, services.now()))
    await services.own_models.refresh(store)
    assert spec_of(OwnModel(org, OWN, content, services.now())).input_usd_per_mtok == Decimal("0.01")
    await run(SETTLING + COUNTED)
    assert OWN not in used[:BEFORE]
    return used[-COUNTED:].count(OWN) / COUNTED


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scores", "pass_rate", "at_least", "at_most", "seeds_beyond"),
    [((0.6, 1.0), 1.0, 0.85, 1.0, 1), ((0.25, 0.35), 0.3, 0.0, 0.15, 0), (None, 0.3, 0.0, 0.15, 1)],
    ids=["rewards of .6 and more", "rewards of .3", "right in 3 of 10 calls"],
)
async def test_an_own_model_of_good_rewards_gets_most_calls_and_one_of_poor_ones_few(
    scores, pass_rate, at_least, at_most, seeds_beyond
):
    async with await open_store("sqlite+aiosqlite://") as store:
        shares = [await share_of_own(store, 100 * seed, scores, pass_rate) for seed in range(SEEDS)]
    print(  # noqa: T201 - the figures, for whoever runs this with -s
        f"\nshare of calls {np.mean(shares):.3f}, from {min(shares):.3f} to {max(shares):.3f} over {SEEDS} seeds"
    )
    # A judge of AUC .85 errs: in an org of twenty a model it was lucky with has more calls for some fifty.
    assert sum(not at_least <= share <= at_most for share in shares) <= seeds_beyond, shares
    assert at_least <= np.mean(shares) <= at_most
