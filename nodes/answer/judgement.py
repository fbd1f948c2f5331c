"""Give an answer its verdict: free checks, the org's verifier, and the judge within the caller's cap."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from ...providers.judge import LLMJudge
from ...providers.specs import ModelSpec
from ...providers.walk import summed_up
from ...routing.answer.checks import CheckReport, run_checks
from ...routing.answer.verdict import Judgement, verdict_of
from ...routing.answer.verifier import Assessment
from ...routing.prompt.asked import asked_text
from ...state.answers import Answer, Belief, Verdict, Verification
from ...state.errors import AttemptInterrupted, OverBudget, ProviderError, ProviderMalformed
from ...state.money.budgets import Charge
from ...state.observations import Observation
from ...state.working_memory import Routed
from ..offers.judges import NONE_NOW, caller_of, named
from ..offers.situation import Situation
from ..records.attempts import Recording
from ..services import Services
from .verification import (
    KEPT_SHARE,
    Inspection,
    assess_answer,
    belief_after_assessment,
    is_judge_worth,
    judge_table_after,
    plan_inspection,
)


@dataclass(frozen=True, slots=True)
class _Examined:
    """An answer that passed the checks, and what is known before the judge is asked."""

    answer: Answer
    report: CheckReport
    inspection: Inspection
    before: Belief
    """After the verifier's assessment, where there was one."""
    assessment: Assessment | None

    def unseen(self) -> Observation:
        """Return that nobody looked further."""
        return Observation("unseen", None, None, None, self.inspection.seen_prob, self.inspection.is_due)

    def unjudged(self, hindrance: str | None) -> Verdict:
        """Return the verdict where no judge was asked."""
        return replace(verdict_of(self.report, self.unseen(), self.before), not_judged=hindrance)

    def scored(self, score: float, score_bin: int, judge_model: str) -> Observation:
        """Return that the judge gave a score."""
        seen_prob = self.inspection.seen_prob
        return Observation("scored", score_bin, score, judge_model, seen_prob, self.inspection.is_due)


async def examine(call: Routed, situation: Situation, services: Services) -> Answer:
    """Return the newest answer with its verdict, and with the attempt a judgement took."""
    answer = call.answers[-1]
    prob = answer.predicted_prob
    before = call.selection.beliefs.get(answer.model_id, Belief(prob, prob))
    inspection, judge = await plan_inspection(call, answer, situation, services), situation.judge
    report = run_checks(
        answer.message or {}, answer.finish_reason, call.options,
        asked=asked_text(call.messages), is_cut_by_limit=answer.is_cut_by_limit,
    )  # fmt: skip
    if answer.is_cut_by_limit:
        unseen = Observation("unseen", None, None, None, inspection.seen_prob, is_due=False)
        return replace(answer, verdict=verdict_of(report, unseen, before))
    if answer.step == 0:
        services.checks.record(call.org, answer.model_id, is_failure=report.failed is not None)
    if report.failed is not None:
        seen = _failed_check(call.org, answer, inspection, judge, services)
        return replace(answer, verdict=verdict_of(report, seen, before))
    assessment = None if inspection.verifier is None else assess_answer(call, answer, inspection.verifier)
    before = before if assessment is None else belief_after_assessment(assessment, before)
    examined = _Examined(answer, report, inspection, before, assessment)
    is_judged = _is_judged(call, situation, examined)
    if is_judged and judge is not None:
        answer = await _ask_judge(call, judge, situation, services, examined)
    else:
        answer = replace(answer, verdict=examined.unjudged(inspection.hindrance))
    if assessment is None or answer.verdict is None:
        return answer
    verified = Verification(assessment.prob, assessment.bin, KEPT_SHARE, not inspection.is_kept, is_judged)
    return replace(answer, verdict=replace(answer.verdict, verification=verified))


def _failed_check(
    org: str, answer: Answer, inspection: Inspection, judge: LLMJudge | None, services: Services
) -> Observation:
    """Return what a failed check shows. Checks see every answer, so it counts only where a judge would have looked.

    A judge that fails now and then would have looked at as many of the answers that pass.
    """
    is_due, answers_prob = inspection.is_due, 1.0
    if is_due and judge is not None:
        now_s = services.clock_s()
        judges, _ = judge.askable(answer.provider, caller_of(org, services))
        answers_prob = 1.0 - prod(
            1.0 - services.health.outlook(one, now_s, org).success_prob for one in judges
        )
        is_due = answers_prob >= 1.0 or bool(services.rng.random() < answers_prob)
    return Observation("failed_check", None, 0.0, None, inspection.seen_prob * answers_prob, is_due)


def _is_judged(call: Routed, situation: Situation, examined: _Examined) -> bool:
    """Return whether the judge is asked: as planned, or as the free verifier suggests."""
    assessment, table = examined.assessment, situation.terms.table
    if assessment is None or examined.inspection.is_kept or table is None:
        return examined.inspection.is_planned
    is_worth = is_judge_worth(call, situation, assessment, examined.before.theta, table)
    return is_worth and examined.inspection.can_pay


async def _ask_judge(
    call: Routed, judge: LLMJudge, situation: Situation, services: Services, examined: _Examined
) -> Answer:
    """Return the answer with the judge's verdict, or with the reason it gave none, and what that cost."""
    answer, report, before = examined.answer, examined.report, examined.before
    judges, shut = judge.askable(answer.provider, caller_of(call.org, services))
    if not judges:
        return replace(answer, verdict=examined.unjudged(f"{NONE_NOW}: {named(shut)}"))
    recording = Recording(
        services, call.org, call.call_id, answer.step, "judge", judges[0], reserved_nusd=0,
        left_nusd=situation.left_nusd(call.spent_nusd), charge=Charge(situation.budgets),
    )  # fmt: skip
    passed_over = named(shut) or None
    try:
        score, reason = await _grade(call, judge, judges, services, recording, answer)
    except OverBudget as error:
        return replace(answer, verdict=examined.unjudged(str(error)))
    except ProviderError as error:
        failed = Judgement(f"{error.code}: {error}", recording.spent_nusd, is_failure=True)
        verdict = verdict_of(report, examined.unseen(), before, judgement=failed)
        verdict = replace(verdict, judges_passed_over=passed_over)
        return replace(answer, attempts=(*answer.attempts, *recording.made), verdict=verdict)
    table = services.table_of(call.org, recording.spec.model_id)
    seen = examined.scored(score, table.bin_of(score), recording.spec.model_id)
    worth = None if not table.is_trusted else table
    if worth is not None and examined.assessment is not None:
        worth = judge_table_after(examined.assessment, worth)
    verdict = verdict_of(report, seen, before, worth, Judgement(reason, recording.spent_nusd))
    verdict = replace(verdict, judges_passed_over=passed_over)
    return replace(answer, attempts=(*answer.attempts, *recording.made), verdict=verdict)


async def _grade(  # noqa: PLR0913, PLR0917 - what is judged, by whom, for whom
    call: Routed,
    judge: LLMJudge,
    judges: Sequence[ModelSpec],
    services: Services,
    recording: Recording,
    answer: Answer,
) -> tuple[float, str]:
    """Return the score and reason of the first judge that gives one; who it was is the recording's spec then.

    One that was out when its process died is not paid for a second time, nor is a second one where the first replied
    with something that is no grade.

    Raises
    ------
    OverBudget
        When the org's budget leaves too little; nothing was asked.
    ProviderError
        When no judge gave a score; its attempts are settled.
    """
    prior = await recording.recall() if services.limits.resumable else None
    if prior is not None:
        if prior.status == "started":
            await recording.interrupt(prior)
        raise AttemptInterrupted(f"the process died before judgement {prior.attempt_id} was used")
    deadline_s = judge.deadline_s()
    failures: list[ProviderError] = []
    for spec in judges:
        recording.spec = spec.priced_at(services.now())
        recording.reserved_nusd = judge.bound_cost_nusd(call.sent, answer.message or {}, recording.spec)
        try:
            reply = await judge.score(
                recording.spec, messages=call.sent, answer=answer.message or {}, record=recording,
                caller=caller_of(call.org, services), deadline_s=deadline_s,
            )  # fmt: skip
        except OverBudget:
            if not failures:
                raise
            break
        except ProviderError as error:
            failures.append(error)
            continue
        if reply.score is None:
            raise ProviderMalformed(f"{reply.deployment} replied with something that is not a grade")
        return reply.score, reply.reason
    raise summed_up(failures)
