"""Do more of an arm's answers fail free checks than used to? Then those to come are judged more often.

Checks see every answer, rare audits few: a change shows there first. How many wrong answers they catch differs from one
kind of work to the next, though, so what they say is held against the arm's own past only. It moves no belief: it
raises the audit rate of answers to come, fixed before they come, so that what is learnt stays unbiased. With f
the share that failed so far and `RISE` how much it grew, each answer adds its log-likelihood ratio to a sum S >= 0:

    failed: ln RISE        passed: ln((1 - RISE f) / (1 - f))        f = (failed + 1) / (checked + `PRIOR_ANSWERS`)

Source: Page, Continuous inspection schemes, Biometrika 41 (1954).
"""

from dataclasses import dataclass
from math import log

from cachetools import LRUCache

RISE = 3.0
"""Factor by which the share of wrong answers grows when an arm drops by `drift.SHIFT` logits, from .95 or .9."""
PRIOR_ANSWERS = 25.0
_MOST_SHARE = 0.3  # RISE times it is still a probability
_LEAST_NATS = 4.0
"""Sum from which an arm is suspected; by chance it comes about once in e^4 / f answers."""
_MOST_NATS = 6.0
"""Sum from which every answer is judged."""
MOST_ARMS = 20_000
"""Arms of all orgs together that are remembered: those asked last."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What free checks saw of an arm's first answers, and the sum S."""

    answers: int = 0
    failed: int = 0
    nats: float = 0.0

    def after(self, *, is_failure: bool) -> "Checked":
        """Return the counts and the sum after one more answer."""
        share = min((self.failed + 1.0) / (self.answers + PRIOR_ANSWERS), _MOST_SHARE)
        step = log(RISE) if is_failure else log((1.0 - RISE * share) / (1.0 - share))
        return Checked(
            self.answers + 1, self.failed + is_failure, min(max(0.0, self.nats + step), _MOST_NATS + 1.0)
        )

    @property
    def suspicion(self) -> float:
        """Share of the next answers to judge, 0 to 1."""
        return min(1.0, max(0.0, (self.nats - _LEAST_NATS) / (_MOST_NATS - _LEAST_NATS)))


class CheckBook:
    """What checks saw of each arm of each org, in this process: a suspicion lost with it is no evidence lost."""

    def __init__(self) -> None:
        self._arms: LRUCache[tuple[str, str], Checked] = LRUCache(MOST_ARMS)

    def record(self, org: str, model_id: str, *, is_failure: bool) -> None:
        """Add one first answer."""
        arm = (org, model_id)
        self._arms[arm] = self._arms.get(arm, Checked()).after(is_failure=is_failure)

    def suspicion(self, org: str, model_id: str) -> float:
        """Return the share of an arm's next answers to judge because of what checks saw, 0 to 1."""
        seen = self._arms.get((org, model_id))
        return 0.0 if seen is None else seen.suspicion

    def clear(self, org: str, model_id: str) -> None:
        """Forget an arm that was found to have changed: its past is no measure any more."""
        self._arms.pop((org, model_id), None)
