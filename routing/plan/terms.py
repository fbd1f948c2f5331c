"""What a decision is made under, and how far a call has come: the two nouns every strategy reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...state.working_memory import Strategy
from ..belief.judge_table import JudgeTable
from ..belief.thompson import DEFAULT_LEARNER, Learner
from .cascade import PlanPrices
from .threshold import DEFAULT_RULE, ThresholdRule


@dataclass(frozen=True, slots=True)
class Terms:
    """What all decisions of one call are made under."""

    strategy: Strategy
    prices: PlanPrices
    reference_cost_nusd: float
    """For this request, of the reference among the models to choose among; costs are priced relative to it."""
    reference_latency_ms: float
    table: JudgeTable | None
    """The judge, or None when no answer can be judged. One of too small an AUC is asked for audits only."""
    learner: Learner = DEFAULT_LEARNER
    epsilon: float = 0.03
    """Share of calls that start at a tier chosen evenly, less where that would cost more than exploring may."""
    audit_rate: float = 0.05
    """Share of the answers the plan would not judge that are judged all the same."""
    suspicions: Mapping[str, float] = field(default_factory=dict)
    """Least audit rate of models whose answers fail more checks than they used to, by model id."""
    max_escalations: int = 2
    """Most climbs after the first answer; with 0 nothing is planned beyond it."""
    bar: float = 0.7
    """Score below which the classic strategy climbs."""
    rule: ThresholdRule = DEFAULT_RULE
    """Knobs of the threshold strategy, which looks at predictions alone: no evidence, no chance, no judge."""

    @property
    def reference(self) -> tuple[float, float]:
        """Cost and latency that everything is priced relative to."""
        return self.reference_cost_nusd, self.reference_latency_ms

    @property
    def trusted_table(self) -> JudgeTable | None:
        """The judge to plan around; None where there is none, or one too weak."""
        return self.table if self.table is not None and self.table.is_trusted else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a call has come."""

    thetas: Mapping[str, float]
    """The call's draw for each arm, by model id; an arm without one stands at its prediction."""
    answer_beliefs: Sequence[float] = ()
    """Drawn posterior quality of each answer bought."""
    last_tier: str | None = None
    """Only arms of a higher tier are considered, all of them where it is None."""
    last_score: float | None = None
    """Score of the last verdict; None when there is none, which never makes the classic strategy climb."""
    escalations_left: int = 2
    """Climbs the call may still make."""
    is_unusable: bool = False
    """Whether the last answer failed a check: then another model of its own tier may be asked as well."""
