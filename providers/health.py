"""How well deployments answer lately: a provider that degrades loses traffic before it fails hard."""

from collections.abc import Mapping
from dataclasses import dataclass

from .specs import ModelSpec

RECENT_REQUESTS = 50.0
"""Requests after which an older one weighs 1/e: the memory of the averages."""
HALF_LIFE_S = 300.0
"""Seconds after which what was seen weighs half, so that a provider left alone is tried again."""
TRUST_REQUESTS = 5.0
"""Requests that went as expected and are taken for granted: one failure alone is no sign."""

_KEEP = 1.0 - 1.0 / RECENT_REQUESTS


@dataclass(frozen=True, slots=True)
class Health:
    """Decayed sums over one deployment's requests, as they stood at `at_s`."""

    answered: float = 0.0
    failed: float = 0.0
    total_latency_ms: float = 0.0
    """Over the answered ones."""
    at_s: float = 0.0
    """Reading of the monotonic clock."""

    def at(self, now_s: float) -> "Health":
        """Return the sums at a later moment: less of everything, in the same proportion."""
        keep = 0.5 ** (max(0.0, now_s - self.at_s) / HALF_LIFE_S)
        return Health(
            self.answered * keep, self.failed * keep, self.total_latency_ms * keep, max(now_s, self.at_s)
        )

    def after(self, latency_ms: float | None, now_s: float) -> "Health":
        """Return the sums after one more request: its latency, or None when it failed."""
        old = self.at(now_s)
        return Health(
            answered=old.answered * _KEEP + (latency_ms is not None),
            failed=old.failed * _KEEP + (latency_ms is None),
            total_latency_ms=old.total_latency_ms * _KEEP + (latency_ms or 0.0),
            at_s=old.at_s,
        )

    @property
    def success_prob(self) -> float:
        """Probability that the next request is answered; 1 while none has failed."""
        return (self.answered + TRUST_REQUESTS) / (self.answered + self.failed + TRUST_REQUESTS)

    def latency_ms(self, expected_ms: float) -> float:
        """Return the latency to expect: what was seen, and `expected_ms` for the requests taken for granted.

        Never less than `expected_ms`. Being quicker than its figure is no fault, and counting it would favour
        whoever is asked already over whoever was never timed.
        """
        seen = (self.total_latency_ms + TRUST_REQUESTS * expected_ms) / (self.answered + TRUST_REQUESTS)
        return max(expected_ms, seen)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to expect of a model's next request."""

    success_prob: float
    latency_ms: float


class HealthBook:
    """The health of every deployment that was asked, kept by model; one process, nothing stored."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, Health]] = {}

    def note(self, model_id: str, deployment: str, latency_ms: float | None, now_s: float) -> None:
        """Count one request to a model's deployment: its latency in milliseconds, or None when it failed."""
        deployments = self._seen.setdefault(model_id, {})
        deployments[deployment] = deployments.get(deployment, Health(at_s=now_s)).after(latency_ms, now_s)

    def seen(self, model_id: str) -> Mapping[str, Health]:
        """Return the health of each of a model's deployments that was asked, as it stood when it last was."""
        return self._seen.get(model_id, {})

    def outlook(self, spec: ModelSpec, now_s: float) -> Outlook:
        """Return what to expect of the model.

        It answers when any deployment does, and they fail independently; one that was never asked is not counted,
        since its key may be missing. The latency is that of the first one asked, the others being its fallbacks.
        """
        seen = self._seen.get(spec.model_id)
        if not seen:
            return Outlook(1.0, spec.expected_latency_ms)
        known = [seen[one.name].at(now_s) for one in spec.deployments if one.name in seen]
        failure = 1.0
        for health in known:
            failure *= 1.0 - health.success_prob
        first = known[0] if known else Health()
        return Outlook(1.0 - failure if known else 1.0, first.latency_ms(spec.expected_latency_ms))
