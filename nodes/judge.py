"""Look at the answer: free checks first, then the judge where one was due; then choose what comes next."""

from dataclasses import replace

from ..state.working_memory import Change, Routed
from .answer.judgement import examine
from .answer.next_transition import after_failure, after_verdict
from .services import Services


async def judge(call: Routed, services: Services) -> Change:
    """Give the newest answer a verdict; an answer that never came leads to a fallback instead."""
    situation = await services.situations.of(call, services)
    if call.answers[-1].failure is not None:
        return Change(transitions=(*call.transitions, after_failure(call, situation)))
    answers = (*call.answers[:-1], await examine(call, situation, services))
    transition = after_verdict(replace(call, answers=answers), situation, services)
    return Change(answers=answers, transitions=(*call.transitions, transition))
