"""What would another policy have brought? Quality and cost of an org's calls, had it chosen whom to ask first.

Only the first choice is the other policy's. What follows it (the look at the answer, climbs, failovers) is as the log
has it after that same choice.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .estimates import ESTIMATORS, Estimate, Sample, difference, estimate, ratio
from .log import Log
from .outcomes import NEVER
from .policies import Policy

Floats = NDArray[np.float64]
LEAST_CALLS = 100
LEAST_EFFECTIVE = 50.0
"""Effective calls below which no figure is stated."""
LEAST_CHANCE = 1.0
"""Times an arm must be expected among all calls of the log for a choice of it to have had a chance."""
MOST_MISSING = 0.10
"""Largest share of the other policy's choices that the log gave no chance."""
LEAST_APPLIED = 0.5
"""Share of the calls in which the other policy has somebody to ask; the others are taken as they were decided."""
MOST_NEVER_SEEN = 0.2
"""Largest share of the calls whose answers nobody would ever have looked at."""
MOST_IMBALANCE = 0.4
"""How far the mean weight may be from 1: three standard errors at the least effective size."""
SEED = 17


@dataclass(frozen=True)
class Valuation:
    """What a policy would have brought on one log."""

    policy: str
    description: str
    calls: int
    skipped: dict[str, int]
    applied_share: float
    """Part of the calls in which the policy could be followed."""
    missing_share: float
    """Part of its choices that the log gave no chance to speak of: DR believes the prediction there."""
    sources: dict[str, int]
    """How the quality of the calls is known."""
    judge_labels: dict[str, float]
    """Labels that moved each judge's table; none = the shipped table is believed."""
    mean_weight: float
    """1 where the log holds what the policy would have done as often as its probabilities say."""
    refused: str | None = None
    """Why no figure is stated; None where they are."""
    logged: dict[str, Estimate] = field(default_factory=dict)
    """quality and cost_usd of the log itself."""
    values: dict[str, dict[str, Estimate]] = field(default_factory=dict)
    """The same under the policy, by estimator."""
    differences: dict[str, Estimate] = field(default_factory=dict)
    """Under the policy less logged, doubly robust; `cost_ratio` is the one divided by the other."""

    @property
    def measured_by(self) -> str:
        """What the estimate is of."""
        moved = ", ".join(f"{judge}: {labels:g} labels" for judge, labels in self.judge_labels.items())
        table = (
            f"its table as labels moved it ({moved})" if moved else "the shipped table, which no labels moved"
        )
        return (
            f"probability that the returned answer is right, by the judge's scores through {table}; the policy chooses "
            "whom to ask first, and what follows is as logged"
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self) | {"measured_by": self.measured_by}


def value(log: Log, policy: Policy) -> Valuation:
    """Return what a policy would have brought, or why the log cannot say."""
    samples, applied, missing = _samples(log, policy)
    sources = Counter(call.worth.source for call in log.calls)
    found = Valuation(
        policy.name, policy.description, len(log), log.skipped, applied, missing, dict(sorted(sources.items())),
        log.judge_labels, float(samples["quality"].weights.mean()) if len(log) else 0.0,
    )  # fmt: skip
    reason = _objection(found, samples)
    if reason is not None:
        return replace(found, refused=reason)
    logged = {name: estimate(_as_logged(sample), "ips") for name, sample in samples.items()}
    if policy.is_logged:
        values = {name: dict.fromkeys(ESTIMATORS, one) for name, one in logged.items()}
        return replace(found, logged=logged, values=values, differences=_nothing(logged))
    return replace(
        found,
        logged=logged,
        values={name: {one: estimate(sample, one) for one in ESTIMATORS} for name, sample in samples.items()},
        differences={name: difference(sample, "dr") for name, sample in samples.items()}
        | {"cost_ratio": ratio(samples["cost_usd"], "dr")},
    )


def _nothing(logged: dict[str, Estimate]) -> dict[str, Estimate]:
    same = {name: replace(one, value=0.0, low=0.0, high=0.0) for name, one in logged.items()}
    return same | {"cost_ratio": replace(logged["cost_usd"], value=1.0, low=1.0, high=1.0)}


def _samples(log: Log, policy: Policy) -> tuple[dict[str, Sample], float, float]:
    """Return the quality and the cost of each call, and which parts of calls and choices can be weighed."""
    rng, rows, applied, missing = np.random.default_rng(SEED), [], 0, 0.0
    for call in log.calls:
        logged = call.propensities
        chosen = policy.probs(call, rng)
        applied += chosen is not None
        probs = logged if chosen is None else chosen
        missing += float(probs[logged * len(log) <= LEAST_CHANCE].sum())
        means = np.array([arm.mean for arm in call.arms])
        costs = np.array([arm.cost_nusd for arm in call.arms])
        rows.append((
            probs[call.asked] / logged[call.asked], call.worth.value, call.worth.sighting, call.cost_nusd / 1e9,
            probs @ means, means[call.asked], probs @ costs / 1e9, costs[call.asked] / 1e9,
        ))  # fmt: skip
    table = np.array(rows, dtype=np.float64).reshape(-1, 8).T
    weights, quality, sightings, cost, expected, of_asked, expected_cost, cost_of_asked = table
    # Judgements and climbs come on top of the first answer's estimate, about in proportion.
    scale = cost.sum() / cost_of_asked.sum() if cost_of_asked.sum() > 0.0 else 0.0
    samples = {
        "quality": Sample(weights, quality, sightings, expected, of_asked),
        "cost_usd": Sample(weights, cost, np.ones(len(cost)), scale * expected_cost, scale * cost_of_asked),
    }
    calls = max(len(log), 1)
    return samples, applied / calls, missing / calls


def _as_logged(sample: Sample) -> Sample:
    one = np.ones(len(sample.weights))
    return Sample(one, sample.outcomes, sample.sightings, sample.expected_asked, sample.expected_asked)


def _objection(found: Valuation, samples: dict[str, Sample]) -> str | None:
    """Return why nothing is stated, None where something is."""
    if found.calls < LEAST_CALLS:
        why = "; ".join(f"{count:,} {reason}" for reason, count in found.skipped.items())
        return f"{found.calls:,} calls can be weighed, {LEAST_CALLS} are needed" + (
            f" ({why})" if why else ""
        )
    never = found.sources.get(NEVER, 0) / found.calls
    size = estimate(samples["quality"], "ips").effective_sample_size
    objections = {
        f"the policy could be followed in {found.applied_share:.1%} of the calls, {LEAST_APPLIED:.0%} are needed":
        found.applied_share < LEAST_APPLIED,
        f"the log gave {found.missing_share:.1%} of the policy's choices no chance, at most {MOST_MISSING:.0%} may be: "
        "let more calls explore (epsilon of the router)":
        found.missing_share > MOST_MISSING,
        f"nobody would ever have looked at the answers of {never:.1%} of the calls, at most {MOST_NEVER_SEEN:.0%} may "
        "be":
        never > MOST_NEVER_SEEN,
        f"the log is worth {size:.0f} calls under this policy, {LEAST_EFFECTIVE:.0f} are needed: more calls, more "
        "exploration or more judged answers would help":
        size < LEAST_EFFECTIVE,
        f"the calls weigh {found.mean_weight:.2f} on average where 1 is expected: the log does not hold what the "
        "policy would have done":
        abs(found.mean_weight - 1.0) > MOST_IMBALANCE,
    }  # fmt: skip
    return next((reason for reason, holds in objections.items() if holds), None)
