"""What an org's own free verifier changes, on the real graph with answers whose wording betrays the wrong ones."""

import json
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np
import pytest

from x25.graph.build import build_cascade
from x25.graph.estimators import read_estimators
from x25.graph.routers import load_routers
from x25.nodes.services import Limits, Services
from x25.providers.base import Completion
from x25.providers.embeddings import open_encoder
from x25.providers.gateway import OPENAI_WIRE, Gateway
from x25.providers.judge import JudgeReply
from x25.providers.keyring import Keyring
from x25.providers.specs import Deployment, ModelSpec
from x25.routing.answer.features import ANSWER_FEATURE_NAMES
from x25.routing.answer.verifier import KIND, VERIFIER_INPUTS, Verifier
from x25.routing.answer.verifier_evidence import TierEvidence
from x25.routing.answer.verifier_trees import LogisticHead
from x25.routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from x25.state.store import open_store
from x25.state.usage import Usage

PASS_RATES = {"slm": 0.6, "mid": 0.7, "frontier": 0.95}
PRICES = {"slm": "0.5", "mid": "4", "frontier": "20"}
BETRAYED = JudgeTable(
    "verifier", (-2.0, -1.0, 1.0, 2.0), (0.03, 0.01, 0.01, 0.01, 0.94), (0.94, 0.01, 0.01, 0.01, 0.03)
)
UNSURE = replace(BETRAYED, right=(0.25, 0.01, 0.01, 0.01, 0.72), wrong=(0.5, 0.01, 0.01, 0.01, 0.47))
CALLS = 150


@dataclass
class BetrayingModels:
    """Models that are right with a known probability, and hedge nineteen times in twenty when they are wrong."""

    rng: np.random.Generator
    right: dict[str, bool] = field(default_factory=dict)

    async def complete(self, request):
        is_right = bool(self.rng.random() < PASS_RATES[request.spec.tier])
        hedges = self.rng.random() < (0.05 if is_right else 0.95)
        text = f"{'Maybe, perhaps, I think, possibly:' if hedges else 'Clearly:'} answer {request.attempt_id}"
        self.right[text] = is_right
        return Completion(
            message={"role": "assistant", "content": text}, finish_reason="stop", usage=Usage(50, 50),
            model=request.spec.model_id, latency_ms=1.0, deployment=request.deployment.name,
        )  # fmt: skip


@dataclass
class PaidJudge:
    """A judge of the default table whose judgement costs a tenth of a frontier call; counts what it is asked."""

    models: BetrayingModels
    rng: np.random.Generator
    specs: tuple[ModelSpec, ...]
    name: str = "paid"
    asked: int = 0

    def askable(self, answerer_provider, caller):
        return self.specs, {}

    def deadline_s(self):
        return 0.0

    def bound_cost_nusd(self, messages, answer, spec):
        return 10

    async def score(self, spec, *, messages, answer, record, **of_whom):
        self.asked += 1
        shares = DEFAULT_TABLE.right if self.models.right[answer["content"]] else DEFAULT_TABLE.wrong
        score = 0.1 + 0.2 * int(self.rng.choice(5, p=shares))
        usage = Usage(1, 1, reported_cost_usd=Decimal(0))
        settled = Completion({}, "stop", usage, "judge", 1.0, "paid")
        await record.finish(await record.begin("paid"), settled)
        return JudgeReply(score, "r", "paid", "paid", usage, 0, "reported", 1.0)


def model(tier, role="chat", price=None):
    price = Decimal(price or PRICES[tier])
    return ModelSpec(
        model_id=f"{role}/{tier}", provider=tier, tier=tier, role=role, input_usd_per_mtok=price,
        output_usd_per_mtok=price, context_tokens=100_000, max_output_tokens=4096, expected_latency_ms=100.0,
        expected_output_tokens=50, deployments=(Deployment("scripted", "", tier),),
    )  # fmt: skip


ESTIMATORS = read_estimators(open_encoder())


class World:
    """One org's traffic; two of one seed answer alike as long as they decide alike."""

    def __init__(self, store, *, store_inputs=True) -> None:
        self.models = BetrayingModels(np.random.default_rng(1))
        specs = [model(tier) for tier in PRICES]
        self.judge = PaidJudge(self.models, np.random.default_rng(2), (model("slm", "judge", "0.5"),))
        self.services = Services(
            store=store, models={spec.model_id: spec for spec in specs}, reference=specs[-1],
            gateway=Gateway({OPENAI_WIRE: self.models}, Keyring({})), encoder=ESTIMATORS.encoder,
            classifier=ESTIMATORS.classifier, difficulty=ESTIMATORS.difficulty, routers=load_routers(),
            judge=self.judge, rng=np.random.default_rng(3), limits=Limits(store_inputs=store_inputs),
        )  # fmt: skip
        self.graph = build_cascade(self.services).compile()

    async def run(self, org, calls=CALLS):
        return [
            await self.graph.ainvoke(
                {"prompt": f"Name a colour, number {number}.", "org": org, "hint": "qa"},
                context={"explain": True},
            )
            for number in range(calls)
        ]

    def quality(self, replies):
        return float(np.mean([self.models.right[reply["text"]] for reply in replies]))


def planted(**changes):
    """Return a verifier that reads the doubts in an answer; `changes` are those of its tiers."""
    weights = np.zeros(len(VERIFIER_INPUTS))
    weights[ANSWER_FEATURE_NAMES.index("log_doubts")] = -5.0
    weights[VERIFIER_INPUTS.index("prior_logit")] = 1.0
    head = LogisticHead(np.zeros(len(weights)), np.ones(len(weights)), weights, 3.0)
    tier = replace(TierEvidence(1.0, 0.0, BETRAYED, labels=2_000, audit_auc=0.95), **changes)
    encoder = ESTIMATORS.difficulty.encoder_fingerprint
    return Verifier(head, dict.fromkeys(PRICES, tier), {}, encoder, {"cell_auc": {"qa": 0.95}})


async def put_live(store, org, verifier):
    text = verifier if isinstance(verifier, str) else json.dumps(verifier.to_dict())
    await store.artifacts.go_live(await store.artifacts.add_candidate(org, KIND, text, {}), {}, {})


@pytest.fixture
async def store():
    async with await open_store("sqlite+aiosqlite://") as opened:
        yield opened


def outcomes(replies):
    return [
        (reply["model_used"], reply["cost_usd"], reply["cascade_steps"], reply["quality_source"])
        for reply in replies
    ]


@pytest.mark.slow
async def test_a_good_verifier_saves_judgements_and_quality_holds(store):
    plain, verified = World(store), World(store)
    without = await plain.run("without")
    await put_live(store, "with", planted())
    replies = await verified.run("with")
    assert plain.judge.asked > 30
    assert verified.judge.asked < 0.75 * plain.judge.asked
    assert verified.quality(replies) >= plain.quality(without) - 0.02
    verifications = [verdict["verification"] for reply in replies for verdict in reply["explain"]["verdicts"]]
    assert 0.3 < np.mean([one["decided"] for one in verifications]) < 0.95
    assert (await store.audit.verify("with")).intact


@pytest.mark.slow
async def test_only_answers_judged_whatever_they_looked_like_teach(store):
    # A verifier that leaves doubt, so that it asks for some judgements itself.
    await put_live(store, "acme", planted(fitted=UNSURE))
    replies = await World(store).run("acme")
    judged = [
        verdict
        for reply in replies
        for verdict in reply["explain"]["verdicts"]
        if verdict["source"] == "judge"
    ]
    picked = sum(verdict["verification"]["decided"] for verdict in judged)
    assert picked
    assert len(await store.judged_answers.newest("acme", 1_000)) == len(judged) - picked
    for reply in replies:
        call = await store.calls.get("acme", reply["call_id"])
        is_picked = call.decision["verification"]["decided"]
        assert (call.decision["first_verdict"] is None) == is_picked
    cells = [one for one in await store.posteriors.read_all("acme") if one.task_cell != "*"]
    first = [reply["explain"]["verdicts"][0] for reply in replies]
    taught = sum(one["bin"] is not None and not one["verification"]["decided"] for one in first)
    assert sum(one.weight_total for one in cells) == pytest.approx(taught)


@pytest.mark.parametrize(
    "verifier",
    [
        planted(labels=199),
        planted(audit_auc=0.59),
        planted(audit_auc=None),
        replace(planted(), manifest={}),
        replace(planted(), manifest={"cell_auc": {"qa": 0.59, "code": 0.9}}),
        "{}",
    ],
    ids=["few labels", "weak", "not audited", "task not audited", "weak at this task", "damaged"],
)
async def test_a_verifier_nobody_may_trust_changes_nothing(store, verifier, caplog):
    plain, verified = World(store), World(store)
    without = await plain.run("without", 8)
    await put_live(store, "with", verifier)
    replies = await verified.run("with", 8)
    assert [one[0] for one in outcomes(replies)] == [one[0] for one in outcomes(without)]
    assert outcomes(replies) == outcomes(without)
    assert all(
        verdict["verification"] is None for reply in replies for verdict in reply["explain"]["verdicts"]
    )
    lines = [line for line in caplog.messages if "verifier" in line]
    assert len(lines) == (1 if isinstance(verifier, str) else 0)


async def test_where_inputs_are_not_stored_nothing_of_answers_is(store):
    world = World(store, store_inputs=False)
    await world.run("acme", 8)
    assert world.judge.asked
    assert await store.judged_answers.newest("acme", 10) == []
