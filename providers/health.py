"""How well deployments answer lately: a provider that degrades loses traffic before it fails hard."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from .specs import ModelSpec

RECENT_REQUESTS = 50.0
"""Requests after which an older one weighs 1/e: the memory of the averages."""
HALF_LIFE_S = 300.0
"""Seconds after which what was seen weighs half, so that a provider left alone is tried again."""
TRUST_REQUESTS = 5.0
"""Requests that went as expected and are taken for granted: one failure alone is no sign."""
MOST_OWN = 4096
"""Deployments as single orgs see them that one process remembers, the latest asked: about a megabyte."""

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


@dataclass(slots=True)
class _Watched:
    """One deployment's health, as everybody's requests show it."""

    seen: Health
    common: Health
    """Without what may be one org's own doing: of its failures with none of another org in between one is counted."""
    blamed: str | None = None
    """Whose request failed last."""


class HealthBook:
    """The health of every deployment that was asked, kept by model; one process, nothing stored.

    What an org's requests do to a deployment lowers the outlook for that org, and for others only as far as theirs
    fail, too.
    """

    def __init__(self, most_own: int = MOST_OWN) -> None:
        self._watched: dict[str, dict[str, _Watched]] = {}
        self._own: OrderedDict[tuple[str, str, str], Health] = OrderedDict()
        self._most_own = most_own

    def note(
        self, model_id: str, deployment: str, latency_ms: float | None, now_s: float, org: str = ""
    ) -> None:
        """Count an org's request to a model's deployment: its latency in milliseconds, or None when it failed."""
        deployments = self._watched.setdefault(model_id, {})
        if (one := deployments.get(deployment)) is None:
            fresh = Health(at_s=now_s)
            one = deployments[deployment] = _Watched(fresh, fresh)
        one.seen = one.seen.after(latency_ms, now_s)
        if latency_ms is not None or one.blamed != org:
            one.common = one.common.after(latency_ms, now_s)
        one.blamed = org if latency_ms is None else one.blamed
        self._note_own((model_id, deployment, org), latency_ms, now_s)

    def _note_own(self, place: tuple[str, str, str], latency_ms: float | None, now_s: float) -> None:
        """Count it for the org alone, from its first failure on."""
        before = self._own.get(place)
        if before is None and latency_ms is not None:
            return
        self._own[place] = (before or Health(at_s=now_s)).after(latency_ms, now_s)
        self._own.move_to_end(place)
        if len(self._own) > self._most_own:
            self._own.popitem(last=False)

    def seen(self, model_id: str) -> Mapping[str, Health]:
        """Return the health of each of a model's deployments that was asked, as it stood when it last was."""
        return {name: one.seen for name, one in self._watched.get(model_id, {}).items()}

    def outlook(self, spec: ModelSpec, now_s: float, org: str | None = None) -> Outlook:
        """Return what an org may expect of the model; None = what all requests together show.

        It answers when any deployment does, and they fail independently; one that was never asked is not counted,
        since its key may be missing. The latency is that of the first one asked, the others being its fallbacks.
        """
        watched = self._watched.get(spec.known_as)
        if not watched:
            return Outlook(1.0, spec.expected_latency_ms)
        known = [one.name for one in spec.deployments if one.name in watched]
        failure = 1.0
        for name in known:
            failure *= 1.0 - self._success_prob(spec.known_as, name, now_s, org)
        first = watched[known[0]].seen.at(now_s) if known else Health()
        return Outlook(1.0 - failure if known else 1.0, first.latency_ms(spec.expected_latency_ms))

    def _success_prob(self, model_id: str, deployment: str, now_s: float, org: str | None) -> float:
        one = self._watched[model_id][deployment]
        if org is None:
            return one.seen.at(now_s).success_prob
        common = one.common.at(now_s).success_prob
        own = self._own.get((model_id, deployment, org))
        return common if own is None else min(common, own.at(now_s).success_prob)
