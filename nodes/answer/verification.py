"""Look at an answer for free before a judge is paid, and decide whether the judge is still worth it."""

from dataclasses import dataclass

import numpy as np

from ...routing.answer.features import AnswerFeatures, extract_answer
from ...routing.answer.verifier import FEATURES_ID, Assessment, Verifier, pack_features
from ...routing.answer.verifier_evidence import LEAST_AUDIT_AUC
from ...routing.belief.judge_table import JudgeTable
from ...routing.plan.judge_worth import judge_worth, tables_after_verifier
from ...routing.plan.ladder import climb
from ...state.answers import Answer, Belief
from ...state.learning.judged_answers import SeenAnswer
from ...state.records import usd_from_nusd
from ...state.types import TIERS
from ...state.working_memory import Routed
from ..offers.judges import NONE_NOW, caller_of, named
from ..offers.situation import Situation
from ..services import Services
from .text import message_text

KEPT_SHARE = 0.2
"""Share of verified answers whose judging stays as it was decided before anybody saw them: only these teach."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """How an answer will be looked at, decided before anybody sees it."""

    is_planned: bool
    """Whether the judge is to be asked."""
    hindrance: str | None
    """Why no judge can be asked: none is there, the policy lets none, the cap leaves too little; None where one can."""
    is_kept: bool
    """Whether that stands, whatever the free verifier says."""
    seen_prob: float
    """Probability that the judge is asked and that this stands."""
    verifier: Verifier | None = None
    """The org's own, which looks at the answer first; None where it has none that is trusted here."""

    @property
    def can_pay(self) -> bool:
        """Whether there is a judge who may be asked, and what the caller's cap leaves pays for it."""
        return self.hindrance is None

    @property
    def is_due(self) -> bool:
        """Whether the answer is looked at anyway."""
        return self.is_planned and self.is_kept


async def plan_inspection(
    call: Routed, answer: Answer, situation: Situation, services: Services
) -> Inspection:
    """Decide how the newest answer will be looked at.

    A random share of answers is judged as was decided before they came, whatever the verifier would say; so are all
    where the judge is too weak for anything to be planned around it.
    """
    decision = call.decision
    hindrance = _hindrance(call, answer, situation, services)
    can_pay = hindrance is None
    is_planned, seen_prob = decision.is_judged and can_pay, decision.judge_prob if can_pay else 0.0
    verifier = await _trusted_verifier(call, answer, situation, services)
    table = situation.terms.table
    if verifier is None or table is None or not table.is_trusted:
        return Inspection(is_planned, hindrance, True, seen_prob, verifier)
    is_kept = decision.explored or decision.audited or bool(services.rng.random() < KEPT_SHARE)
    by_chance = decision.chance_judge_prob if can_pay else 0.0
    return Inspection(
        is_planned, hindrance, is_kept, by_chance + (seen_prob - by_chance) * KEPT_SHARE, verifier
    )


def _hindrance(call: Routed, answer: Answer, situation: Situation, services: Services) -> str | None:
    """Return why no judge can be asked about the answer, by name; None where one can."""
    if situation.judge is None:
        reasons = named(situation.judges_removed)
        return f"no judge may be asked: {reasons}" if reasons else "there is no judge"
    judges, shut = situation.judge.askable(answer.provider, caller_of(call.org, services))
    if not judges:
        return f"{NONE_NOW}: {named(shut)}"
    left = situation.left_nusd(call.spent_nusd)
    most = situation.judge.bound_cost_nusd(call.sent, answer.message or {}, judges[0])
    if left is None or left >= most:
        return None
    left_usd = max(usd_from_nusd(left), 0.0)
    return f"max_cost_per_call_usd: a judgement can cost ${usd_from_nusd(most):.6f} > ${left_usd:.6f} left"


async def _trusted_verifier(
    call: Routed, answer: Answer, situation: Situation, services: Services
) -> Verifier | None:
    """Return the org's verifier where it has one that an audit found good enough for this task and tier."""
    if situation.router.strategy != "plan":
        return None
    encoder = services.difficulty.encoder_fingerprint
    verifier = await services.verifiers.verifier_of(services.store, call.org, encoder, services.clock_s())
    if verifier is None or answer.tier not in verifier.tiers or not verifier.tiers[answer.tier].is_trusted:
        return None
    audits = verifier.manifest.get("cell_auc", {})
    is_audited = isinstance(audits, dict) and audits.get(call.task.cell, 0.0) >= LEAST_AUDIT_AUC
    return verifier if is_audited else None


def assess_answer(call: Routed, answer: Answer, verifier: Verifier) -> Assessment:
    """Return what the org's verifier says of an answer."""
    usual = verifier.usual(answer.model_id)
    assessment = verifier.assess(
        features_of(call, answer, usual.length_mean, usual.length_sd),
        prior_prob=answer.predicted_prob,
        model_id=answer.model_id,
        tier=answer.tier,
    )
    assert assessment is not None  # a verifier that knows the tier
    return assessment


def belief_after_assessment(assessment: Assessment, before: Belief) -> Belief:
    """Return the belief after the verifier's assessment."""
    return Belief(assessment.posterior(before.mean), assessment.posterior(before.theta))


def judge_table_after(assessment: Assessment, table: JudgeTable) -> JudgeTable:
    """Return what the judge's bins are worth after the free verifier: both are mistaken about the same answers."""
    return tables_after_verifier(table, assessment.table)[assessment.bin]


def is_judge_worth(
    call: Routed, situation: Situation, assessment: Assessment, theta: float, table: JudgeTable
) -> bool:
    """Return whether the judge is worth its price after the verifier's assessment.

    `theta` is the drawn belief after the assessment, `table` what the org knows of the judge.
    """
    rank = TIERS.index(call.answers[-1].tier)
    offers = situation.offers(call.spent_nusd, call.failed_models)
    arms = [arm for arm in offers.arms if arm.rank > rank]
    others = [one.verdict.belief.theta for one in call.bought[:-1] if one.verdict is not None]
    rest = np.empty((1, 0)), np.empty(0), np.empty(0)
    if arms:
        beliefs = call.selection.beliefs
        row = np.array([[
            beliefs[arm.model_id].theta if arm.model_id in beliefs else arm.completion_prob for arm in arms
        ]])  # fmt: skip
        references = situation.terms.reference
        rest = climb(arms, row, situation.terms.prices, references).sight
    found = judge_worth(
        [theta], [assessment.bin], [max(others)] if others else None,
        tables_after_verifier(table, assessment.table), situation.terms.prices,
        thetas=rest[0], costs=rest[1], latencies=rest[2],
        max_answers=call.opening.max_escalations - call.count("escalate"), table=table,
    )  # fmt: skip
    return bool(found.is_worth[0])


def features_of(
    call: Routed, answer: Answer, length_mean: float = 0.0, length_sd: float = 0.0
) -> AnswerFeatures:
    """Return the features of one answer bought."""
    prompt = "\n\n".join(message_text(message) for message in call.messages)
    text = message_text(answer.message or {})
    return extract_answer(prompt, text, answer.finish_reason, call.options, length_mean, length_sd)


async def keep_judged(call: Routed, services: Services) -> None:
    """Keep what the judged answers looked like, without their text, where inputs are stored.

    Answers that were judged because of how they looked are left out: they would teach what the verifier believes.
    """
    if not services.limits.store_inputs or not call.opening.wishes.keeps_inputs:
        return
    for answer in call.bought:
        assert answer.verdict is not None
        seen = answer.verdict.observation
        if seen.outcome != "scored" or seen.bin is None or not answer.teaches:
            continue
        await services.store.judged_answers.keep_later(SeenAnswer(
            org=call.org, call_id=call.call_id, step=answer.step, created_at=call.opening.started_at,
            task_cell=call.task.cell, model_id=answer.model_id, tier=answer.tier,
            features=pack_features(features_of(call, answer)), features_id=FEATURES_ID,
            prior_prob=answer.predicted_prob, score_bin=seen.bin, judge=seen.judge_model or "",
        ))  # fmt: skip
