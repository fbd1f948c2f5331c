"""Which of the answers bought is returned."""

from ...state.answers import Answer
from ...state.working_memory import Routed


def best_answer(call: Routed) -> Answer | None:
    """Return the answer most likely right, the later one of equals; None when none was bought.

    One that failed a free check (empty, cut off, not the JSON asked for) comes after every one that passed.
    """
    return max(call.bought, key=_worth, default=None)


def _worth(answer: Answer) -> tuple[bool, float, int]:
    assert answer.verdict is not None
    return answer.verdict.failed_check is None, answer.verdict.belief.mean, answer.step
