"""Ask the judge for a verdict, within the caller's cap and without paying twice after a crash."""

from dataclasses import replace

from ...providers.base import Completion
from ...providers.judge import JudgeReply
from ...routing.answer.checks import CheckReport
from ...routing.answer.verdict import Verdict, from_judge, judge_failed, unjudged
from ...state.errors import OverBudget, ProviderError
from ...state.money.budgets import Charge
from ...state.records import Attempt
from ...state.types import CascadeState
from ..offers.budgets import budgets_of
from ..offers.candidates import left_nusd
from ..offers.prices import table_of
from ..records.attempts import Recording
from ..services import Services
from .verification import Glance


def can_pay_judge(state: CascadeState, services: Services) -> bool:
    """Return whether there is a judge and the caller's cap leaves what it can cost at most."""
    if services.judge is None:
        return False
    left, answer = left_nusd(state), state["held"][-1]
    return left is None or left >= services.judge.bound_cost_nusd(
        state["messages"], answer["message"], answer["provider"]
    )


async def ask_judge(
    state: CascadeState,
    services: Services,
    report: CheckReport,
    theta: float,
    glance: Glance | None = None,
) -> tuple[Verdict, list[dict[str, object]]]:
    """Return the judge's verdict, or the reason it gave none, and the attempt it cost.

    `theta` is what is believed of the answer, after the free look where there was one.
    """
    assert services.judge is not None
    answer = state["held"][-1]
    spec = services.judge.choose(answer["provider"]).priced_at(services.now())
    reserved = services.judge.bound_cost_nusd(state["messages"], answer["message"], answer["provider"])
    recording = Recording(
        services, state["org"], state["call_id"], answer["step"], "judge", spec, reserved,
        charge=Charge(budgets_of(state)),
    )  # fmt: skip
    prior = await recording.recall(state["attempts"]) if services.limits.resumable else None
    if prior is not None:
        return await _lost(recording, prior, report, theta), recording.to_json()
    try:
        attempt_id = await recording.begin(spec.deployments[0].name)
    except OverBudget:
        return unjudged(report, theta), []
    try:
        reply = await services.judge.score(
            messages=state["messages"],
            answer=answer["message"],
            answerer_provider=answer["provider"],
            attempt_id=attempt_id,
        )
    except ProviderError as error:
        await recording.fail(attempt_id, error)
        spent = recording.settled[-1].spent_nusd
        return judge_failed(
            report, f"{error.code}: {error}", theta, judge_cost_nusd=spent
        ), recording.to_json()
    await recording.finish(attempt_id, Completion(
        message={}, finish_reason=None, usage=reply.usage, model=spec.model_id,
        latency_ms=reply.latency_ms, deployment=spec.deployments[0].name,
    ))  # fmt: skip
    return _graded(state, services, recording, reply, report, theta, glance), recording.to_json()


def _graded(  # noqa: PLR0913, PLR0917 - who said what, and what was believed before
    state: CascadeState,
    services: Services,
    recording: Recording,
    reply: JudgeReply,
    report: CheckReport,
    theta: float,
    glance: Glance | None,
) -> Verdict:
    """Return the verdict of a judge's reply, read by the org's own table of this judge."""
    judge_model = recording.spec.model_id
    table = table_of(state, services, judge_model)
    verdict = from_judge(
        reply.score, reply.reason, report=report, theta=theta, table=table,
        judge_model=judge_model, judge_cost_nusd=recording.settled[-1].spent_nusd,
    )  # fmt: skip
    if glance is not None and table.is_trusted and verdict.bin is not None:
        # Judge and look are mistaken about the same answers: after the look the judge tells less.
        verdict = replace(verdict, posterior=glance.table(table).posterior(theta, verdict.bin))
    return verdict


async def _lost(recording: Recording, prior: Attempt, report: CheckReport, theta: float) -> Verdict:
    """Return the verdict where a process died on its judgement, which is not paid for a second time."""
    if prior.status == "started":
        await recording.interrupt(prior)
    spent = sum(one.spent_nusd for one in recording.settled)
    reason = f"interrupted: the process died before judgement {prior.attempt_id} was used"
    return judge_failed(report, reason, theta, judge_cost_nusd=spent)
