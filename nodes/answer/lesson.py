"""What one answer teaches of its arm."""

from dataclasses import replace

from ...routing.belief.drift import FAST_GAMMA, surprise
from ...routing.belief.likelihood import learning_weight, likelihood, posterior
from ...state.answers import Answer
from ...state.lessons import Lesson, Watch
from ...state.working_memory import Routed
from ..services import Services


def is_only_checked(call: Routed, answer: Answer, services: Services) -> bool:
    """Return whether nobody judges, so that the free checks alone say what an answer of this call was worth."""
    nobody_judges = services.judge is None or call.opening.wishes.is_unjudged
    return nobody_judges and answer.verdict is not None and not answer.is_inherited


def lesson_of(call: Routed, answer: Answer, services: Services) -> Lesson:
    """Return what one answer teaches of its arm."""
    if is_only_checked(call, answer, services):
        return _checked_lesson(call, answer, services)
    assert answer.verdict is not None
    seen, theta = answer.verdict.observation, answer.verdict.belief.theta
    score, is_check = seen.score or 0.0, seen.outcome == "failed_check"
    before = [one.verdict.belief.theta for one in call.bought if one.verdict and one.step < answer.step]
    lesson = Lesson(
        step=answer.step, model_id=answer.model_id, tier=answer.tier, task_cell=call.task.cell,
        success=score, failure=1.0 - score, selection=None,
        rescued=theta > max(before) if before else None, watch=Watch(fast_gamma=FAST_GAMMA),
    )  # fmt: skip
    # A failed check is no judge's opinion, so no judge's labels change what it is worth.
    table = services.judge_table if is_check else services.table_of(call.org, seen.judge_model)
    is_first = answer.step == 0 and answer.model_id == call.first_decision.model_id
    if not is_first or not (is_check or table.is_trusted):
        return lesson
    weight = learning_weight(seen, table)
    expected = call.selection.baseline_prob
    nats = None if expected is None else surprise(expected, likelihood(seen, table))
    watch = Watch.after(nats, FAST_GAMMA, services.learner.return_hazard)
    return replace(lesson, selection=(weight, answer.predicted_prob), watch=watch)


def _checked_lesson(call: Routed, answer: Answer, services: Services) -> Lesson:
    """Return what the free checks alone teach: the probability that the answer is right, after them.

    Its mean is the prediction where the prediction is true. So passing answers raise a model by what checks can tell
    and no more, and failing ones lower it without bound.
    """
    assert answer.verdict is not None
    seen = likelihood(answer.verdict.observation, None)
    right = posterior(answer.predicted_prob, seen)
    lesson = Lesson(
        step=answer.step, model_id=answer.model_id, tier=answer.tier, task_cell=call.task.cell,
        success=right, failure=1.0 - right, selection=None, watch=Watch(fast_gamma=FAST_GAMMA),
    )  # fmt: skip
    if answer.step > 0 or answer.model_id != call.first_decision.model_id:
        return lesson
    expected = call.selection.baseline_prob
    watch = Watch.after(
        None if expected is None else surprise(expected, seen), FAST_GAMMA, services.learner.return_hazard
    )
    return replace(lesson, selection=(right, answer.predicted_prob), watch=watch)
