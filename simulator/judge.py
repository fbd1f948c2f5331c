"""A simulated judge: it knows whether an answer is right, and says so with a stated reliability."""

import json
from collections.abc import Callable
from statistics import NormalDist

from ..providers.judge_case import parse_case
from .models import (
    Answer,
    JSONObject,
    SimulatedModel,
    count_prompt_tokens,
    fit_length,
    last_user_text,
    token_limit,
)
from .tasks import chance, is_correct

Correctness = Callable[[str, str], bool | None]
"""(question, answer) to right, wrong, or None when this checker cannot tell."""

_RIGHT_SHARE = 0.727
"""Share of right answers assumed when scores are turned into pooled quantiles."""


def find_case(body: JSONObject) -> dict[str, str] | None:
    """Return the fenced case in the last user message; None when there is none that can be read."""
    text = last_user_text(body["messages"])
    if "<case-" not in text:
        return None
    try:
        return parse_case(text)
    except ValueError:
        return None


def judge_score(right: bool | None, *, auc: float, seed: int, question: str, answer: str) -> float:
    """Return a score in [0, 1] whose area under the ROC curve over many cases is `auc`; .5 if unknown.

    x is drawn from N(d, 1) for a right and N(0, 1) for a wrong answer with d = sqrt(2) Φ⁻¹(auc), the
    binormal model with equal variances; the score is the quantile of x in the pool of both.

    Source: Green and Swets (1966), Signal Detection Theory, AUC = Φ(d / sqrt(2)).
    """
    if right is None:
        return 0.5
    normal = NormalDist()
    shift = 2**0.5 * normal.inv_cdf(auc)
    x = normal.inv_cdf(chance(seed, "judge", question, answer)) + (shift if right else 0.0)
    return _RIGHT_SHARE * normal.cdf(x - shift) + (1 - _RIGHT_SHARE) * normal.cdf(x)


class SimulatedJudge:
    """Answers with {"reason", "score"}; asks the checkers in turn whether the judged answer is right."""

    def __init__(self, *, auc: float, seed: int, checkers: tuple[Correctness, ...] = (is_correct,)) -> None:
        if not 0.5 <= auc < 1.0:
            raise ValueError(f"judge AUC must be at least .5 and below 1, got {auc!r}")
        self._auc = auc
        self._seed = seed
        self._checkers = checkers

    def answer(self, model: SimulatedModel, body: JSONObject) -> Answer:
        """Return the verdict on the case in the conversation, at the model's prices."""
        reply = json.dumps(self._verdict(find_case(body)))
        prompt_tokens = count_prompt_tokens(body["messages"])
        text, tokens, finish = fit_length(reply, token_limit(body))
        message = {"role": "assistant", "content": text}
        cost = model.cost_usd(prompt_tokens, tokens)
        return Answer(message, finish, prompt_tokens, tokens, cost, judge=True)

    def _verdict(self, case: dict[str, str] | None) -> JSONObject:
        if case is None:
            return {"reason": "Simulated judge: the request holds no case.", "score": 0.5}
        question, answer = case.get("question", ""), case.get("answer", "")
        right = self._is_right(question, answer)
        score = judge_score(right, auc=self._auc, seed=self._seed, question=question, answer=answer)
        if right is None:
            reason = "Simulated judge: cannot tell whether this answer is right."
        else:
            reason = f"Simulated judge of AUC {self._auc}: the score is drawn, not reasoned."
        return {"reason": reason, "score": round(score, 6)}

    def _is_right(self, question: str, answer: str) -> bool | None:
        for checker in self._checkers:
            right = checker(question, answer)
            if right is not None:
                return right
        return None
