import json
from decimal import Decimal

import numpy as np
import pytest

from x25.simulator.judge import SimulatedJudge, find_case, judge_score
from x25.simulator.models import SimulatedModel
from x25.simulator.tasks import generate

MODEL = SimulatedModel("sim/judge-1", "slm", "judge", 1.2, Decimal("0.15"), Decimal("0.60"), 0.0, 0.0)
TASK = generate(7, 1)[0]


def scores(right: bool, auc: float, n: int = 2000) -> np.ndarray:
    drawn = [judge_score(right, auc=auc, seed=3, question=f"q{i}", answer=str(right)) for i in range(n)]
    return np.array(drawn)


@pytest.mark.parametrize("auc", [0.75, 0.85, 0.95])
def test_scores_separate_right_from_wrong_with_the_stated_auc(auc: float) -> None:
    right, wrong = scores(True, auc), scores(False, auc)
    assert np.mean(right[:, None] > wrong[None, :]) == pytest.approx(auc, abs=0.02)


@pytest.mark.parametrize(
    ("right", "shares"), [(True, [0.08, 0.17, 0.23, 0.25, 0.27]), (False, [0.52, 0.27, 0.13, 0.07, 0.02])]
)
def test_fifths_of_the_score_hold_the_published_shares(right: bool, shares: list[float]) -> None:
    counts, _ = np.histogram(scores(right, 0.85, 4000), bins=[0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert counts / 4000 == pytest.approx(shares, abs=0.025)


def request(question: str, answer: str) -> dict:
    case = json.dumps({"question": question, "answer": answer})
    text = f"Judge this.\n<case-ab12>\n{case}\n</case-ab12>\nReply."
    return {"messages": [{"role": "system", "content": "Be strict."}, {"role": "user", "content": text}]}


def verdict(judge: SimulatedJudge, question: str, answer: str) -> dict:
    return json.loads(judge.answer(MODEL, request(question, answer)).message["content"])


def test_verdict_is_the_score_of_the_answers_real_correctness() -> None:
    judge = SimulatedJudge(auc=0.85, seed=3)
    for answer, right in ((f"Answer: {TASK.truth}", True), ("Answer: nonsense", False)):
        said = verdict(judge, TASK.prompt, answer)
        drawn = judge_score(right, auc=0.85, seed=3, question=TASK.prompt, answer=answer)
        assert said["score"] == round(drawn, 6)
        assert "Simulated judge" in said["reason"]


def test_unknown_correctness_scores_a_half_and_says_so() -> None:
    said = verdict(SimulatedJudge(auc=0.85, seed=3), "Write a poem.", "Roses are red.")
    assert said == {"reason": "Simulated judge: cannot tell whether this answer is right.", "score": 0.5}


def test_a_later_checker_is_asked_when_the_first_cannot_tell() -> None:
    judge = SimulatedJudge(
        auc=0.99, seed=3, checkers=(lambda _q, _a: None, lambda _q, answer: answer == "yes")
    )
    assert verdict(judge, "q", "yes")["score"] > verdict(judge, "q", "no")["score"]


def test_a_judge_answer_is_billed_as_judging() -> None:
    said = SimulatedJudge(auc=0.85, seed=3).answer(MODEL, request(TASK.prompt, "Answer: 1"))
    assert said.judge
    assert said.cost_usd == MODEL.cost_usd(said.prompt_tokens, said.completion_tokens) > 0


def test_a_request_without_a_readable_case_scores_a_half() -> None:
    body = {"messages": [{"role": "user", "content": "<case-ab12>\nnot json\n</case-ab12>"}]}
    assert find_case(body) is None
    said = json.loads(SimulatedJudge(auc=0.85, seed=3).answer(MODEL, body).message["content"])
    assert said == {"reason": "Simulated judge: the request holds no case.", "score": 0.5}


@pytest.mark.parametrize("auc", [0.4, 1.0])
def test_an_auc_that_no_score_can_have_is_refused(auc: float) -> None:
    with pytest.raises(ValueError, match="judge AUC"):
        SimulatedJudge(auc=auc, seed=3)
