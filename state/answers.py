"""An answer of a call: one completion bought, with its verdict and attempts, or the failure to buy one."""

from dataclasses import dataclass, field
from typing import Literal

from .observations import Observation
from .records import Attempt, AttemptKind
from .types import JSONObject

QualitySource = Literal["judge", "checks", "estimate", "none"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a dispatch brought no answer."""

    code: str
    """`code` of the provider error."""
    error: str
    """Name of its class in `state.errors`."""
    message: str
    status: int | None = None
    """HTTP status the provider answered with; None where it answered none."""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Belief:
    """Probability that an answer of an arm is right."""

    mean: float
    """Mean of the posterior: what is reported."""
    theta: float
    """This call's draw from it: what decides."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What the org's own free verifier said of an answer, and what came of that."""

    prob: float
    bin: int
    kept_share: float
    """Share of answers whose judging stays as it was decided before they came."""
    decided: bool
    """Whether the verifier decided about the judge; otherwise that was decided before the answer came."""
    is_judged: bool
    """Whether the judge was to be asked."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of the free checks and, where one was due, of the judge."""

    score: float | None
    """0 to 1: the judge's, 0 of a failed check, the expected quality where nobody looked; None: a judge was due and
    failed."""
    source: QualitySource
    checks_made: tuple[str, ...]
    failed_check: str | None
    reason: str | None
    belief: Belief
    """Probability that the answer is right, after everything seen."""
    observation: Observation
    judge_cost_nusd: int = 0
    not_judged: str | None = None
    """Why no judge could be asked, by name; None where one was, or nobody wanted one."""
    verification: Verification | None = None
    judges_passed_over: str | None = None
    """Judges that might have been asked before the one that was and could not be reached, and why; None without any."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one dispatch brought: a completion, or a failure."""

    step: int
    """0 for the first dispatch of the call, then up."""
    model_id: str
    provider: str
    tier: str
    simulated: bool
    predicted_prob: float
    """Predicted probability of a good answer, before the org's evidence and whatever the provider's health."""
    attempts: tuple[Attempt, ...] = ()
    """Every provider request it took, the judge's included, in order."""
    message: JSONObject | None = None
    """The OpenAI assistant message; None when none came."""
    finish_reason: str | None = None
    is_cut_by_limit: bool = False
    """Whether it ended at a limit that the caller or the router set, not at the model's own: another model's would end
    there as well, so that says nothing about this one."""
    logprobs: str | None = None
    """`Logprobs` as JSON, where they were asked for. Text, since they can be megabytes and every node that changes an
    answer writes all answers of the call anew."""
    service_tier: str | None = None
    """The vendor's class of service that was charged; None where it does not say."""
    usage: JSONObject = field(default_factory=dict)
    """Tokens, OpenAI names; empty when the provider did not say."""
    latency_ms: float | None = None
    failure: Failure | None = None
    verdict: Verdict | None = None
    pieces_sent: int = 0
    """Pieces of it that were read while it was written; 0 = it was kept until it stood."""
    was_unwrapped: bool = False
    """Whether a code fence, or a thought, was taken off the JSON that the request asks for."""
    is_inherited: bool = False
    """Whether another call bought it, the one that this call branched off from: that one counts what it cost."""

    @property
    def teaches(self) -> bool:
        """Whether this call may learn from it: see `Observation.teaches`; what another call bought teaches there."""
        return self.verdict is not None and self.verdict.observation.teaches and not self.is_inherited

    def spent_nusd(self, kind: AttemptKind) -> int:
        """Return what its attempts of one kind count for in any budget."""
        return sum(one.spent_nusd for one in self.attempts if one.kind == kind)
