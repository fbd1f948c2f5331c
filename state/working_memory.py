"""The working memory of one call, noun by noun: what each node may read, and what it gives back.

A call grows: `Opened` by lookup_cache, `Classified`, `Estimated`, `Routed` by thompson_select, `Learned`, `Logged`.
Each node names the one it needs, so that a node moved before its predecessor fails the type check. In LangGraph's
channels and in checkpoints the same nouns are JSON; `graph.memory.nouns` has the one pair of functions that turns them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from typing_extensions import TypedDict

from .answers import Answer, Belief
from .ceilings import Imposed
from .hits import CacheKeys, Hit
from .lessons import Lesson
from .org_wishes import AS_THE_GATEWAY, OrgWishes
from .recalled import Recalled, with_block
from .types import JSONObject, Reply

Strategy = Literal["plan", "classic", "threshold"]
ChainRouting = Literal["sticky", "mixed"]
TransitionKind = Literal["start", "escalate", "fallback", "stop"]


@dataclass(frozen=True, slots=True)
class Start:
    """Whom the caller wants the first answer of, beyond what policy and weights say."""

    model_id: str | None = None
    """Asked first; nobody else is while it answers."""
    tiers: tuple[str, ...] = ()
    """Asked first where one of them may be; empty = any."""
    why: str = ""
    """What of the request named the tiers."""
    chain_routing: ChainRouting | None = None
    """"sticky" keeps a conversation to the model that answered last, "mixed" chooses anew; None = nobody weaker."""
    chain_id: str | None = None
    notice: str = ""
    """What the caller said that nobody here knows, in words of ours."""


ANYWHERE = Start()


@dataclass(frozen=True, slots=True)
class Opening:
    """How the call was opened."""

    started_at: datetime
    """UTC."""
    started_monotonic_s: float
    """Reading of the process's monotonic clock; meaningless in another process."""
    max_escalations: int
    explain: bool
    """Whether the reply says why."""
    hint: str | None = None
    memory_hit: bool = False
    """The caller's option of that name: the messages hold remembered context that answers part of the prompt."""
    forked_from: str | None = None
    """The call that this one branched off from, when it began in the middle of another; it counts its own attempts."""
    imposed: tuple[Imposed, ...] = ()
    """Ceilings of the key and of the org that the call is under."""
    wishes: OrgWishes = AS_THE_GATEWAY
    """What the org set for its calls."""
    user_id: str | None = None
    """Whose call it is within the org."""
    start: Start = ANYWHERE
    cache: CacheKeys | None = None
    """By what its answer is found and kept; None where no cache is used."""
    place: str | None = None
    """Its place among the calls of an org with limits a minute; None where there are none, or a door counted it."""


@dataclass(frozen=True, slots=True)
class Task:
    """What kind of work the prompt asks for."""

    type: str
    """One of the seven task types, or "general" where the caller said so."""
    cell: str
    """Key of the bandit's cell: the task type, or "general" when the classifier is unsure."""
    confidence: float
    source: Literal["hint", "classifier"]
    request_type: str
    """One of the eight request types, which tell apart SQL and tool calls."""
    prompt_tokens: int
    """Estimated tokens of the request."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the estimators see of the prompt."""

    embedding: list[float]
    """The encoder's vector, shape (its dimension,)."""
    features: list[float]
    """Cheap features, in the order of `routing.prompt.features.FEATURE_NAMES`."""
    missing: str | None = None
    """Why the encoder gave no vector; `embedding` is then one that tells the estimators nothing."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How hard the prompt is, and who is expected to answer it well."""

    value: float
    """Logits, 0 = mean of the training prompts; higher is harder."""
    sigma: float
    band: str
    """"easy", "medium" or "hard"."""
    completion_probs: dict[str, float]
    """Predicted probability of a good answer, by model id."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The arm to ask next, whether its answer is to be judged, and why."""

    model_id: str
    tier: str
    is_judged: bool
    """Whether its answer is to be judged."""
    theta: float
    """Drawn quality of the arm."""
    value: float
    """Expected quality of the whole plan minus its prices; for the classic strategy the draw."""
    propensity: float
    """Probability that this arm was chosen."""
    judge_prob: float
    """Probability that the answer is judged, given the arm."""
    explored: bool
    """Whether the tier was chosen at random."""
    strategy: Strategy
    reason: str
    tier_to_model: dict[str, str]
    """The best arm of each tier in this draw."""
    audited: bool = False
    """Whether the answer was drawn at random to be judged; nothing seen of it afterwards changes that."""
    chance_judge_prob: float = 0.0
    """Probability that exploring or an audit has the answer judged, given the arm: no verifier takes that back."""
    expected_cost_nusd: int = 0
    """What the chosen arm's answer was estimated to cost; reported against what it did cost."""
    arm_probs: dict[str, float] = field(default_factory=dict)
    """Probability that each eligible arm would be chosen, by model id, of sum 1; of a call's first decision only."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Where one of the org's budgets stood when the call was decided."""

    multiplier: float
    """What the price of a dollar is multiplied with."""
    left_usd: float
    call_usd: float
    """Allowance of one call, US dollars."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the first decision of the call was made from."""

    beliefs: dict[str, Belief]
    """About each arm that was eligible, by model id."""
    removed: dict[str, str]
    """Model id to the constraint that removed it."""
    allowances: dict[str, Allowance] = field(default_factory=dict)
    """By policy key of the budget."""
    baseline_prob: float | None = None
    """What the chosen arm's long run lets expect of this prompt, for the drift detector; None while too little is
    known."""
    strengths: dict[str, float] = field(default_factory=dict)
    """How sure the belief about each arm is, in observations, by model id."""


@dataclass(frozen=True, slots=True)
class Transition:
    """What the call does next, and why: the first model, a dearer one, another one after a failure, or nothing."""

    kind: TransitionKind
    reason: str
    decision: Decision | None = None
    """Whom to ask; None for a stop."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A checked request, opened as a call."""

    org: str
    call_id: str
    messages: list[JSONObject]
    options: JSONObject
    optimize_for: dict[str, float]
    policy: JSONObject
    router: str
    opening: Opening
    conversation_id: str = ""
    """Empty in calls opened before conversations were known."""
    recalled: Recalled | None = None
    """None where memory is off."""

    @property
    def sent(self) -> list[JSONObject]:
        """The messages that models read: the caller's, with what was recalled before the newest question."""
        recalled = self.recalled
        return (
            self.messages
            if recalled is None or not recalled.block
            else with_block(self.messages, recalled.block)
        )


@dataclass(frozen=True, kw_only=True)
class Known(Opened):
    """A call whose answer is known: another one bought it."""

    hit: Hit
    timings: list[JSONObject] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Classified(Opened):
    """A call whose kind of work is known."""

    task: Task
    inputs: Inputs


@dataclass(frozen=True, kw_only=True)
class Estimated(Classified):
    """A call whose difficulty is known."""

    estimate: Estimate


@dataclass(frozen=True, kw_only=True)
class Routed(Estimated):
    """A call for which somebody was chosen to ask."""

    selection: Selection
    transitions: tuple[Transition, ...]
    """From the first decision to the newest."""
    answers: tuple[Answer, ...] = ()
    """What each dispatch brought, in order."""

    @property
    def first_decision(self) -> Decision:
        """The decision the call began with: the one that is logged with its propensity."""
        first = self.transitions[0].decision
        assert first is not None
        return first

    @property
    def decision(self) -> Decision:
        """The newest decision."""
        return next(one.decision for one in reversed(self.transitions) if one.decision is not None)

    def count(self, kind: TransitionKind) -> int:
        """Return how often the call made such a transition."""
        return sum(one.kind == kind for one in self.transitions)

    @property
    def bought(self) -> tuple[Answer, ...]:
        """The answers that came."""
        return tuple(answer for answer in self.answers if answer.message is not None)

    @property
    def failed_models(self) -> frozenset[str]:
        """Models that were asked and brought no answer."""
        return frozenset(answer.model_id for answer in self.answers if answer.failure is not None)

    @property
    def spent_nusd(self) -> int:
        """What the call has cost so far, judge included; an attempt of unknown cost counts with its reservation."""
        return sum(attempt.spent_nusd for answer in self.answers for attempt in answer.attempts)


@dataclass(frozen=True, kw_only=True)
class Learned(Routed):
    """A call that taught what it could."""

    learned: tuple[Lesson, ...]
    timings: list[JSONObject] = field(default_factory=list)
    """Node and milliseconds, in the order of execution: the path this call took."""


@dataclass(frozen=True, kw_only=True)
class Logged(Learned):
    """A call that stands in the log and in the audit chain."""

    call_count: int
    """The org's calls, this one included."""


class Change(TypedDict, total=False):
    """What a node gives back: the nouns it made anew."""

    org: str
    call_id: str
    messages: list[JSONObject]
    options: JSONObject
    optimize_for: Mapping[str, float]
    policy: JSONObject
    router: str
    conversation_id: str
    memory: JSONObject
    """As the request gave it: it stays on a thread."""
    recalled: Recalled
    opening: Opening
    hit: Hit
    task: Task
    inputs: Inputs
    estimate: Estimate
    selection: Selection
    transitions: tuple[Transition, ...]
    answers: tuple[Answer, ...]
    learned: tuple[Lesson, ...]
    call_count: int
    audit_hash: str
    reply: Reply
    """Each field is a channel of its own."""
    stage: JSONObject
