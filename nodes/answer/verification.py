"""Look at an answer for free before a judge is paid, and decide whether the judge is still worth it."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ...routing.answer.features import AnswerFeatures, extract_answer
from ...routing.answer.verifier import FEATURES_ID, Look, Verifier, pack_features
from ...routing.answer.verifier_evidence import FLAT_TABLE, LEAST_AUDIT_AUC
from ...routing.belief.judge_table import JudgeTable
from ...routing.plan.judge_worth import after_look, second_look
from ...routing.plan.ladder import climb
from ...state.learning.judged_answers import SeenAnswer
from ...state.types import TIERS, CascadeState, JSONObject
from ..offers.budgets import paces_of
from ..offers.candidates import eligible_arms
from ..offers.prices import judge_table, plan_prices, reference_cost_nusd
from ..services import Services
from .explanation import message_text

KEPT_SHARE = 0.2
"""Share of looked-at answers whose judging stays as it was decided before anybody saw them: only these teach."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What the free look says of an answer, and what it decided."""

    look: Look
    theta: float
    """Belief after the look."""
    judge: bool
    """Whether the judge is to be asked."""
    decided: bool
    """Whether the look decided that; otherwise it was decided before the answer came."""

    def table(self, judge: JudgeTable) -> JudgeTable:
        """Return what the judge's bins are worth after this look."""
        return after_look(judge, self.look.table)[self.look.bin]

    def to_json(self) -> JSONObject:
        """Return what the verdict records."""
        return {
            "prob": self.look.prob, "bin": self.look.bin, "posterior": self.theta, "decided": self.decided,
            "judge": self.judge, "kept_share": KEPT_SHARE,
        }  # fmt: skip


async def look_at(state: CascadeState, services: Services, theta: float) -> Glance | None:
    """Return the look of the org's own verifier at the newest answer; None where it has none that is trusted here.

    A random share of answers is judged as was decided before they came, whatever the look says.
    """
    if services.routers[state["router"]].strategy != "plan":
        return None
    encoder = services.difficulty.encoder_fingerprint
    verifier = await services.verifiers.verifier_of(services.store, state["org"], encoder, services.clock_s())
    if verifier is None or not _is_audited(verifier, state["task_cell"]):
        return None
    answer = state["held"][-1]
    usual = verifier.usual(answer["model_id"])
    look = verifier.look(
        features_of(state, answer, usual.length_mean, usual.length_sd),
        prior_prob=state["completion_probs"][answer["model_id"]],
        model_id=answer["model_id"], tier=answer["tier"],
    )  # fmt: skip
    if look is None or look.table is FLAT_TABLE:
        return None
    planned, seen = state["decision"]["judge"], look.posterior(theta)
    drawn = state["decision"]["explored"] or state["decision"]["audited"]
    is_kept = drawn or bool(services.rng.random() < KEPT_SHARE)
    table = judge_table(state, services)
    if is_kept or table is None or not table.is_trusted:
        return Glance(look, seen, planned, decided=False)
    return Glance(look, seen, _is_worth(state, services, look, seen, table), decided=True)


def _is_audited(verifier: Verifier, task_cell: str) -> bool:
    """Return whether an audit of this kind of task found the verifier good enough."""
    audits = verifier.manifest.get("cell_auc", {})
    return isinstance(audits, dict) and audits.get(task_cell, 0.0) >= LEAST_AUDIT_AUC


def _is_worth(state: CascadeState, services: Services, look: Look, seen: float, table: JudgeTable) -> bool:
    """Return whether the judge is worth its price after the look."""
    left = state["max_escalations"] - state["escalations"]
    rank = TIERS.index(state["held"][-1]["tier"])
    arms = [arm for arm in eligible_arms(state, services, paces_of(state))[0] if arm.rank > rank]
    others = [one["quality"] for one in state["held"][:-1]]
    prices = plan_prices(state, services, paces_of(state))
    row = np.array([[state["thetas"].get(arm.model_id, arm.completion_prob) for arm in arms]])
    rest = np.empty((1, 0)), np.empty(0), np.empty(0)
    if arms:
        references = (
            reference_cost_nusd(state, services),
            services.reference_for(state["router"]).expected_latency_ms,
        )
        ladder = climb(arms, row, prices, references)
        rest = ladder.thetas, ladder.costs, ladder.latencies
    found = second_look(
        [seen], [look.bin], [max(others)] if others else None, after_look(table, look.table), prices,
        thetas=rest[0], costs=rest[1], latencies=rest[2], max_moves=left, table=table,
    )  # fmt: skip
    return bool(found.is_worth[0])


def features_of(
    state: CascadeState, answer: JSONObject, length_mean: float = 0.0, length_sd: float = 0.0
) -> AnswerFeatures:
    """Return the features of one answer held."""
    prompt = "\n\n".join(message_text(message) for message in state["messages"])
    text = message_text(answer["message"])
    return extract_answer(prompt, text, answer["finish_reason"], state["options"], length_mean, length_sd)


async def keep_seen(state: CascadeState, services: Services) -> None:
    """Keep what the judged answers looked like, without their text, where inputs are stored.

    Answers that were judged because of how they looked are left out: they would teach what the look believes.
    """
    if not services.limits.store_inputs:
        return
    for verdict in state["verdicts"]:
        if verdict["source"] != "judge" or verdict["bin"] is None or is_picked(verdict):
            continue
        answer = state["held"][verdict["step"]]
        await services.store.looks.keep(SeenAnswer(
            org=state["org"], call_id=state["call_id"], step=verdict["step"],
            created_at=datetime.fromisoformat(state["started_at"]), task_cell=state["task_cell"],
            model_id=answer["model_id"], tier=answer["tier"],
            features=pack_features(features_of(state, answer)), features_id=FEATURES_ID,
            prior_prob=answer["predicted"], score_bin=verdict["bin"], judge=verdict["judge_model"] or "",
        ))  # fmt: skip


def is_picked(verdict: JSONObject) -> bool:
    """Return whether the look decided about this answer's judge, so that its verdict says little of others."""
    return bool((verdict.get("look") or {}).get("decided"))
