"""One org's evidence in memory, with the arithmetic of `state.learning.posteriors`, for replays of decisions."""

from collections.abc import Mapping
from dataclasses import replace

from ...routing.belief.drift import FAST_GAMMA, KEEP, alarm, expectation, has_changed
from ...routing.belief.thompson import Learner, combine
from ...state.learning.posterior_statements import POOLED
from ...state.lessons import Watch
from ...state.records import Arm, Evidence

CELL = "all"
"""A replay has one context cell."""
_NANO = 1e9


class Memory:
    """Evidence by model id: of the one cell, and pooled, which is what a changed arm begins anew from.

    `weight` is how many pass-or-fail observations one observation is worth.
    """

    def __init__(self, tiers: Mapping[str, str], learner: Learner, weight: float = 1.0) -> None:
        self._learner, self._weight = learner, weight
        self._cells = {name: Evidence(name, CELL, tier) for name, tier in tiers.items()}
        self._pooled = {name: Evidence(name, POOLED, tier) for name, tier in tiers.items()}
        self._read: dict[str, Evidence] = {}
        """What selection reads of arms that never changed, where nothing was added since."""

    def read(self, org_calls: int = 0) -> dict[str, Evidence]:
        """Return what selection reads after so many calls, by model id; arms never seen are absent."""
        found = {}
        for name, pooled in self._pooled.items():
            if pooled.weight_total <= 0.0:
                continue
            if name not in self._read or pooled.drifts:
                cells, pool = {name: self._cells[name]}, {name: pooled}
                self._read |= combine(cells, pool, self._learner, org_calls)
            found[name] = self._read[name]
        return found

    def expected(self, model_id: str, predicted: float) -> float | None:
        """Return what an arm is held to on a prompt it is predicted at; None while too little is known."""
        return expectation(predicted, self._cells[model_id], self._pooled[model_id], self._learner)

    def add(
        self,
        model_id: str,
        reward: float,
        predicted: float,
        org_calls: int,
        surprise: tuple[float, float] | None = None,
    ) -> bool:
        """Add one observation as `Posteriors.learn` does; where the arm has changed, begin anew and return True.

        Parameters
        ----------
        surprise
            What the observation tells the drift detector; None where nothing was expected.
        """
        watch = Watch.after(surprise, FAST_GAMMA, self._learner.return_hazard)
        sums = (self._weight * reward, self._weight * predicted, self._weight)
        for rows in (self._pooled, self._cells):
            rows[model_id] = _added(rows[model_id], sums, org_calls, watch, self._learner.gamma)
        self._read.pop(model_id, None)
        if not has_changed(pooled := self._pooled[model_id]):
            return False
        self._pooled[model_id] = _anew(pooled)
        cell = self._cells[model_id]
        self._cells[model_id] = Evidence(model_id, CELL, cell.tier, calls_seen=cell.calls_seen)
        return True


def _added(
    old: Evidence, sums: tuple[float, float, float], org_calls: int, watch: Watch, gamma: float
) -> Evidence:
    """Return one row after one observation, as `DISCOUNT_AND_ADD` leaves it."""
    idle = max(0, org_calls - old.calls_seen)
    kept, (reward, predicted, weight) = gamma**idle, sums
    odds = (old.return_odds + watch.return_hazard * idle) * watch.return_ratio
    return replace(
        old,
        reward_sum=old.reward_sum * kept + reward,
        predicted_sum=old.predicted_sum * kept + predicted,
        weight=old.weight * kept + weight,
        reward_total=old.reward_total + reward,
        predicted_total=old.predicted_total + predicted,
        weight_total=old.weight_total + weight,
        fast_reward=old.fast_reward * watch.fast_gamma + reward,
        fast_predicted=old.fast_predicted * watch.fast_gamma + predicted,
        fast_weight=old.fast_weight * watch.fast_gamma + weight,
        drift_up=max(0.0, old.drift_up + watch.rise),
        drift_down=max(0.0, old.drift_down + watch.fall),
        drift_calls=old.drift_calls + watch.watched,
        return_odds=min(odds, watch.most_odds) if old.forgotten_weight > 0.0 else 0.0,
        calls_seen=max(old.calls_seen, org_calls),
    )


def _anew(old: Evidence) -> Evidence:
    """Return the pooled row of an arm that has changed, as `BEGIN_ANEW` leaves it."""
    is_worse = float(alarm(old)["direction"] != "better")
    reward, predicted, weight = (
        KEEP * old.fast_reward,
        KEEP * old.fast_predicted,
        KEEP * old.fast_weight,
    )
    return replace(
        old,
        forgotten_reward=is_worse * (old.forgotten_reward + old.reward_total - old.fast_reward),
        forgotten_predicted=is_worse * (old.forgotten_predicted + old.predicted_total - old.fast_predicted),
        forgotten_weight=is_worse * (old.forgotten_weight + old.weight_total - old.fast_weight),
        return_odds=0.0,
        reward_sum=reward,
        predicted_sum=predicted,
        weight=weight,
        reward_total=reward,
        predicted_total=predicted,
        weight_total=weight,
        drift_up=0.0,
        drift_down=0.0,
        drift_calls=0,
        drifts=old.drifts + 1,
        drifted_at=old.calls_seen,
    )


def arm_of(model_id: str, tier: str, prob: float, usd: float = 0.0) -> Arm:
    """Return an arm of which nothing but prediction and price matters."""
    return Arm(
        model_id=model_id, provider="", tier=tier, expected_cost_nusd=round(usd * _NANO), expected_latency_ms=0.0,
        completion_prob=prob, input_usd_per_mtok=0.0, output_usd_per_mtok=0.0, context_tokens=1_000_000,
        max_output_tokens=1_000_000,
    )  # fmt: skip
