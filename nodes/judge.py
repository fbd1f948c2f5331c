"""Look at the answer: free checks first, then the judge where one was due; then choose what comes next."""

from dataclasses import replace

from ..state.working_memory import Change, Routed
from .answer.judgement import examine
from .answer.next_transition import after_failure, after_verdict
from .offers.budgets import refuse_overtaken
from .services import Services


async def judge(call: Routed, services: Services) -> Change:
    """Give the newest answer a verdict; an answer that never came leads to a fallback instead.

    Raises
    ------
    NoEligibleModel
        When other calls were faster to spend what the budgets left; nothing was asked.
    """
    situation = await services.situations.of(call, services)
    if call.answers[-1].failure is not None:
        transition = after_failure(call, situation)
        if transition.decision is None:
            refuse_overtaken(call, situation.offers(call.spent_nusd, call.failed_models).removed)
        return Change(transitions=(*call.transitions, transition))
    answers = (*call.answers[:-1], await examine(call, situation, services))
    transition = after_verdict(replace(call, answers=answers), situation, services)
    return Change(answers=answers, transitions=(*call.transitions, transition))
