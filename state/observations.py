"""What was seen of an answer: the one noun that learning, drift detection, refits and replay read."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["failed_check", "scored", "unseen"]


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of an answer, and the probability, fixed before it came, that it would be looked at."""

    outcome: Outcome
    """A free check failed; the judge gave a score; or neither: it passed the checks and nobody looked further."""
    bin: int | None
    """The judge's score bin, 0 to 4, of a scored answer."""
    score: float | None
    """The judge's score, 0 to 1; 0 for a failed check; None where nobody looked further."""
    judge_model: str | None
    seen_prob: float
    """Probability, known before the answer came, that it would be looked at."""
    is_due: bool
    """Whether it was to be looked at anyway: planned, explored or audited before the answer came."""

    @property
    def teaches(self) -> bool:
        """Whether learning may read it: what was looked at because of how it came out would bias what is learnt."""
        return self.is_due and self.outcome != "unseen"
