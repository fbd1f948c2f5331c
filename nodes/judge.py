"""Look at the answer: free checks first, then the judge where one was due; then choose the next move."""

from ..providers.base import Completion
from ..routing.checks import CheckReport, run_checks
from ..routing.verdict import Verdict, from_checks, from_judge, judge_failed, unjudged
from ..state.errors import ProviderError
from ..state.records import Attempt
from ..state.types import CascadeState
from .candidates import left_nusd
from .moves import after_failure, after_verdict
from .recording import Recording
from .services import Services


async def judge(state: CascadeState, services: Services) -> CascadeState:
    """Give the newest answer a verdict; an answer that never came leads to a fallback instead."""
    if state["unanswered"] is not None:
        return after_failure(state, services)
    answer = state["held"][-1]
    theta = state["thetas"].get(answer["model_id"], state["completion_probs"][answer["model_id"]])
    report = run_checks(answer["message"], answer["finish_reason"], state["options"])
    attempts = state["attempts"]
    if report.failed is not None:
        verdict = from_checks(report, theta)
    elif state["decision"]["judge"] and _can_pay_judge(state, services):
        verdict, made = await _ask_judge(state, services, report, theta)
        attempts = attempts + made
    else:
        verdict = unjudged(report, theta)
    judged = {
        **answer,
        "quality": verdict.posterior,
        "passed": report.failed is None,
        "predicted": state["completion_probs"][answer["model_id"]],
    }
    seen = CascadeState(
        attempts=attempts,
        held=[*state["held"][:-1], judged],
        verdicts=[
            *state["verdicts"],
            {**verdict.to_json(), "step": answer["step"], "model_id": answer["model_id"]},
        ],
    )
    qualities = [held["quality"] for held in seen["held"]]
    return seen | after_verdict(state | seen, services, verdict, qualities)


def _can_pay_judge(state: CascadeState, services: Services) -> bool:
    """Return whether there is a judge and the caller's cap leaves what it can cost at most."""
    if services.judge is None:
        return False
    left, answer = left_nusd(state), state["held"][-1]
    return left is None or left >= services.judge.bound_cost_nusd(
        state["messages"], answer["message"], answer["provider"]
    )


async def _ask_judge(
    state: CascadeState, services: Services, report: CheckReport, theta: float
) -> tuple[Verdict, list[dict[str, object]]]:
    """Return the judge's verdict, or the reason it gave none, and the attempt it cost."""
    assert services.judge is not None
    answer = state["held"][-1]
    spec = services.judge.choose(answer["provider"])
    reserved = services.judge.bound_cost_nusd(state["messages"], answer["message"], answer["provider"])
    recording = Recording(services, state["org"], state["call_id"], answer["step"], "judge", spec, reserved)
    prior = await recording.recall(state["attempts"]) if services.limits.resumable else None
    if prior is not None:
        return await _lost(recording, prior, report, theta), recording.to_json()
    attempt_id = await recording.begin(spec.deployments[0].name)
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
    verdict = from_judge(
        reply.score, reply.reason, report=report, theta=theta, table=services.judge_table,
        judge_model=spec.model_id, judge_cost_nusd=recording.settled[-1].spent_nusd,
    )  # fmt: skip
    return verdict, recording.to_json()


async def _lost(recording: Recording, prior: Attempt, report: CheckReport, theta: float) -> Verdict:
    """Return the verdict where a process died on its judgement, which is not paid for a second time."""
    if prior.status == "started":
        await recording.interrupt(prior)
    spent = sum(one.spent_nusd for one in recording.settled)
    reason = f"interrupted: the process died before judgement {prior.attempt_id} was used"
    return judge_failed(report, reason, theta, judge_cost_nusd=spent)
