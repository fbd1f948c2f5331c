"""What came of a logged call? Its worth, right on average, and how surely the log knows it.

A call is worth its returned answer. Where nobody may have looked at its first answer, it is known with which
probability e > 0 somebody would. With q the belief about the asked model, w the quality that the judge's score stands
for, and z what the returned answer of a climb was taken for:

    looked at, returned        q + (w - q) / e
    looked at, climbed         q + (w - q) / e + z - P(right | score)
    not looked at              q

w is right on average over all scores but not over those that end a call, so a climb takes off what the answer it
replaced is expected to be worth. All this is right on average whatever q is, but for that last term. Where the first
answer failed a check or never came, and where a verifier chose to have it judged, the log says what the returned
one was taken for. A call without an answer is worth 0.

Quality is the probability of being right: a score stands for its bin's learning weight (`JudgeTable.reward_weights`) in
the shipped table, moved by the org's labels. Scores of a judge too weak to be trusted say nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from ...routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from ...state.logged_arms import LoggedArm
from ...state.records import Call

LEAST_SEEN_PROB = 1e-3
"""No answer is looked at with a smaller known probability; one that says so is damaged."""
NEVER = "never looked at"
"""Source of an answer that nobody would ever have looked at: its quality is the prediction's."""


@dataclass(frozen=True, slots=True)
class Worth:
    """Quality of one call."""

    value: float
    """Right on average."""
    sighting: float
    """1 / probability of having been looked at; 0 where nobody looked; 1 where it is known anyway."""
    source: str
    """"judge", "check", "estimate", "not looked at", "never looked at" or "no answer"."""


@dataclass(frozen=True)
class Judges:
    """How scores become qualities."""

    measured: Mapping[str, JudgeTable] = field(default_factory=dict)
    """Tables of judges that the org's labels have moved, by model id."""

    def read(self, judge: Any, score: Any) -> tuple[JudgeTable, int] | None:
        """Return the judge's table and the score's bin there; None where the score says nothing."""
        table = self.measured.get(str(judge), DEFAULT_TABLE)
        is_number = isinstance(score, float | int) and isfinite(score)
        return (table, table.bin_of(score)) if table.is_trusted and is_number else None


def worth_of(call: Call, arms: Sequence[LoggedArm], asked: LoggedArm, judges: Judges) -> Worth:
    """Return what a call was worth, by the rule at the head of this file.

    Parameters
    ----------
    arms
        Those its first decision chose among.
    asked
        The one it chose.
    """
    if call.status != "answered" or call.model_id is None:
        return Worth(0.0, 1.0, "no answer")
    verdict = call.decision.get("first_verdict") or {}
    is_first = not call.escalations and not call.fallbacks and call.model_id == asked.model_id
    seen_prob = _seen_prob(verdict)
    if verdict.get("outcome") == "unseen" and is_first:
        return Worth(asked.mean, 0.0, NEVER if seen_prob is None else "not looked at")
    found = judges.read(verdict.get("judge_model"), verdict.get("score"))
    if verdict.get("outcome") != "scored" or seen_prob is None or found is None:
        return _returned(call, arms, asked, judges)
    table, score_bin = found
    weight = float(table.reward_weights()[score_bin])
    of_first = asked.mean + (weight - asked.mean) / seen_prob
    if is_first:
        return Worth(of_first, 1.0 / seen_prob, "judge")
    later = _returned(call, arms, asked, judges)
    replaced = table.posterior(asked.mean, score_bin)
    return Worth(of_first + later.value - replaced, 1.0 / seen_prob, later.source)


def _seen_prob(verdict: Mapping[str, Any]) -> float | None:
    """Return the probability that the first answer would be looked at; None where nobody ever would."""
    prob = verdict.get("seen_prob")
    is_possible = isinstance(prob, float | int) and prob >= LEAST_SEEN_PROB
    return min(float(prob), 1.0) if is_possible and prob is not None else None


def _returned(call: Call, arms: Sequence[LoggedArm], asked: LoggedArm, judges: Judges) -> Worth:
    """Return the quality of the returned answer as the log has it: what ends a call is judged by Bayes' rule."""
    before = next((arm.mean for arm in arms if arm.model_id == call.model_id), asked.mean)
    if call.quality_source == "checks":
        return Worth(0.0, 1.0, "check")
    if call.quality_source == "judge":
        judge = (call.decision.get("first_verdict") or {}).get("judge_model") or _judge_of(call)
        found = judges.read(judge, call.quality_score)
        if found is None:
            return Worth(before, 1.0, NEVER)
        return Worth(found[0].posterior(before, found[1]), 1.0, "judge")
    return Worth(before if call.quality_score is None else call.quality_score, 1.0, "estimate")


def _judge_of(call: Call) -> Any:
    return (call.decision.get("terms") or {}).get("judge")
