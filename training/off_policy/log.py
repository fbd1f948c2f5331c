"""Which calls of an org's log can be weighed? Those logged with a probability for each arm."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.judge_table import DEFAULT_TABLE, table_from_counts
from ...state.learning.judge_tables import JudgeCounts
from ...state.logged_arms import LoggedArm, logged_arms
from ...state.records import Call
from .outcomes import Judges, Worth, worth_of

Floats = NDArray[np.float64]
MOST_CALLS = 20_000
"""Calls read, the newest first."""
SUM_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Decided:
    """One logged call: whom it might have asked, whom it did, and what came of it."""

    arms: tuple[LoggedArm, ...]
    asked: int
    """Index into `arms`."""
    terms: dict[str, Any]
    worth: Worth
    cost_nusd: float
    """All that the call cost, judge included."""
    router: str
    task_type: str

    @property
    def propensities(self) -> Floats:
        """Logged probability of each arm; their sum is 1."""
        probs = np.array([arm.propensity for arm in self.arms])
        return np.asarray(probs / probs.sum())


@dataclass(frozen=True)
class Log:
    """The calls that can be weighed, oldest first."""

    calls: tuple[Decided, ...]
    skipped: dict[str, int] = field(default_factory=dict)
    """How many others there were, by reason."""
    judge_labels: dict[str, float] = field(default_factory=dict)
    """Labels that moved each judge's table."""

    def __len__(self) -> int:
        """Return the number of calls."""
        return len(self.calls)


def read_log(
    calls: Iterable[Call], counts: Mapping[str, JudgeCounts], *, task_type: str | None = None
) -> Log:
    """Return the calls whose decision was logged with a probability for each arm; one task type or all.

    `counts` are the labelled answers of each judge by score bin.
    """
    tables = {
        judge: table_from_counts(DEFAULT_TABLE, one.right, one.wrong, name=judge)
        for judge, one in counts.items()
    }
    kept, skipped, judges = [], Counter[str](), Judges(tables)
    for call in calls:
        if task_type is not None and call.task_type != task_type:
            continue
        reason, decided = _decided(call, judges)
        if decided is None:
            skipped[reason] += 1
        else:
            kept.append(decided)
    return Log(tuple(kept), dict(skipped), {judge: one.labels for judge, one in counts.items()})


def _decided(call: Call, judges: Judges) -> tuple[str, Decided | None]:
    try:
        arms = logged_arms(call.decision)
    except ValueError:
        return "damaged decision", None
    if not arms:
        return "logged without a probability for each model", None
    asked = next((n for n, arm in enumerate(arms) if arm.model_id == call.decision.get("model_id")), None)
    if asked is None or arms[asked].propensity <= 0.0:
        return "asked a model it had no probability for", None
    if abs(sum(arm.propensity for arm in arms) - 1.0) > SUM_TOLERANCE:
        return "probabilities do not sum to one", None
    terms = call.decision.get("terms")
    return "", Decided(
        arms, asked, terms if isinstance(terms, dict) else {}, worth_of(call, arms, arms[asked], judges),
        float(call.paid_nusd), call.router, call.task_type,
    )  # fmt: skip
