"""Bodies of the reports: what routing saved, how mature an org is, what it learnt, how good its judges are."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class CostEstimate(BaseModel):
    """How far the costs a decision expected were from what was paid."""

    answers: int = Field(description="First answers compared, of the newest 500 calls.")
    median_relative_error: float = Field(description="Median of |estimated - realised| / realised.")
    median_ratio: float = Field(description="Median of estimated / realised; above 1 = estimated too high.")


class SmallerPool(BaseModel):
    """What the calls of a router saved that chooses among some of the models only."""

    calls: int
    dearest_model: str | None = Field(
        description="Of those it chooses among; null where no such router is loaded."
    )
    total_saved_usd: float = Field(description="Against the reference frontier model.")
    total_saved_vs_pool_usd: float = Field(description="Against the dearest model the router chooses among.")


class Interval(BaseModel):
    """A mean or a share with its 95 % interval; no interval of fewer than two calls."""

    value: float
    low: float | None
    high: float | None


class Beside(BaseModel):
    """All counted calls on one model instead, at its prices of now."""

    model_id: str
    cost_usd: float = Field(description="Of the same tokens.")
    saved_usd: float = Field(
        description="What the calls cost less than that, judge included; below 0 = more."
    )
    quality: float = Field(description="Believed share of right answers over the org's kinds of task.")
    quality_gain: Interval | None = Field(description="`believed` less that.")


class Comparison(BaseModel):
    """Addition: what the sums say, with intervals."""

    saved_share: Interval | None = Field(description="Of the reference's cost, judge included.")
    quality: Interval | None = Field(description="Mean quality_score of the answers that have one.")
    believed: Interval | None = Field(
        description="Share of right answers: each as likely as it is after all that was seen of it. Scores are no "
        "probabilities, so this is what single models are compared with; null of calls logged before it was kept."
    )
    share_judged: float | None = Field(description="Calls whose returned answer a judge scored.")
    choice_dependence: float | None = Field(
        description="How much the kind of task says about the model, 0 to 1: normalised mutual information, corrected "
        "for small numbers."
    )
    counted_calls: int = Field(
        description="Calls whose answer's tokens are known; the single models are told of these."
    )
    counted_paid_usd: float = Field(description="What these cost, judge included.")
    frontier: Beside | None = Field(description="Always the reference model.")
    single: Beside | None = Field(
        description="The best single model that would have cost no more than these calls did; null where each would "
        "have cost more, and over all projects."
    )


class Quality(BaseModel):
    """Mean quality of an org's answers, and how it is known."""

    value: float
    low: float | None = Field(description="Lower end of the 95 % interval; null without enough labels.")
    high: float | None
    measured_by: str = Field(
        description='"labels and scores": the scores of the newest 5,000 answers, corrected by labels of answers that '
        'were picked by chance; "scores": nothing corrects them.'
    )
    labels: int
    answers: int


class QualityBound(BaseModel):
    """At least what share of one task type's answers is good."""

    status: str = Field(description='"stated", "too few labels" or "suspended by drift".')
    level: float | None = Field(description="At least this share is good; null while nothing is stated.")
    delta: float = Field(
        description="Probability that any level ever stated is above the truth, drift apart that nobody noticed yet."
    )
    labels: int = Field(description="Labels the level rests on.")
    since: datetime | None = Field(description="The drift after which it began anew; null = none.")


class Stats(BaseModel):
    """Sums over the log of one org, or of all."""

    total_calls: int
    total_cost_usd: float = Field(description="Answer attempts of all calls, US dollars.")
    total_saved_usd: float = Field(
        description="Same tokens on the reference frontier model, minus answers, minus judgements."
    )
    avg_quality: float | None = Field(
        description="Mean quality_score of the answers that have one: judged, failed by a check, or estimated."
    )
    avg_latency_ms: float | None
    model_distribution: dict[str, int] = Field(description='Calls by model; "none" = no answer was bought.')
    tier_distribution: dict[str, int] = Field(
        description='Calls by tier, all of them; "none" = no answer was bought.'
    )
    total_judge_cost_usd: float = Field(description="Addition: what judging cost.")
    total_byok_usd: float = Field(
        default=0.0,
        description="Addition: what of all that vendors bill to the org's own keys, at our prices.",
    )
    total_disputed_usd: float = Field(
        default=0.0, description="Addition: billed far beyond what a request can cost, and counted nowhere."
    )
    reference_model: str = Field(
        description="Addition: the frontier model that savings are measured against."
    )
    total_saved_vs_pool_usd: float = Field(
        description="Addition: as total_saved_usd, against the dearest model each router chooses among where these "
        "are some of all models only."
    )
    cache_hits: int = Field(0, description="Addition: calls served by an answer that another one bought.")
    cache_saved_usd: float = Field(0.0, description="Addition: what those others had paid for it.")
    smaller_pools: dict[str, SmallerPool] = Field(
        default_factory=dict, description="Addition: the routers with such a pool, by name."
    )
    quality: Quality | None = Field(
        default=None, description="Addition: mean quality, corrected by labels; null over all orgs."
    )
    quality_bound: dict[str, QualityBound] = Field(
        default_factory=dict, description="Addition: what is stated of answers' quality, by task type."
    )
    cost_estimates: dict[str, CostEstimate] = Field(
        default_factory=dict, description="Addition: estimated against realised cost, by model."
    )
    comparison: Comparison | None = None


class Stage(BaseModel):
    """How mature an org's learning is."""

    stage: int = Field(ge=1, le=4)
    stage_name: str
    total_calls: int
    calls_to_next_stage: int
    progress_in_stage: float
    improvement_available: bool = Field(
        description="Whether own calls can improve something now: from stage 3 on the estimators "
        "(`x25 train --from-log`), from stage 4 on a model (`POST /improve/{project}`)."
    )


class TierSelection(BaseModel):
    """What selection read of a tier: unbiased for correctness, forgotten and begun anew as the models change."""

    observations: float = Field(
        description="Judged first answers and failed checks, the forgotten counted less."
    )
    pass_rate: float = Field(description="Share of first answers taken to be right, corrected for the judge.")


class ArmSelection(TierSelection):
    """What the plan uses of one model in one task type, beyond the counts."""

    first_calls: int = Field(description="First answers looked at in this task type, none forgotten.")
    mean_prediction: float = Field(
        description="Mean predicted probability of a right answer, before evidence."
    )
    mean_belief: float = Field(
        description="What a prompt of that prediction is believed at: mean of the draws."
    )
    concentration: float = Field(description="How sure a draw is, in observations.")
    drifts: int = Field(
        description="How often the model was found to have changed and its past was forgotten."
    )
    return_prob: float = Field(description="Probability that a model which became worse has been repaired.")


class CountedBeta(BaseModel):
    """A plain Beta: each answer that teaches adds its reward to alpha and 1 - reward to beta, and nothing else does."""

    tier: str
    alpha: float
    beta: float
    mean_reward: float = Field(description="alpha / (alpha + beta).")
    confidence: float = Field(description="min(1, (alpha + beta) / 50).")
    rescue_rate: float | None = Field(
        None, description="Addition: share of its answers after an escalation that beat those before."
    )


class TierArm(CountedBeta):
    """Counts of one tier, over all its models and task types."""

    selection: TierSelection = Field(description="Addition: what selection reads instead of the counts.")


class CellArm(CountedBeta):
    """Counts of one model in one task type."""

    task_type: str
    model_id: str
    successes: float = Field(description="Sum of rewards: alpha less its prior.")
    failures: float = Field(description="Sum of 1 - reward: beta less its prior.")
    selection: ArmSelection


class Thompson(BaseModel):
    """Live posteriors of an org."""

    org: str
    arms: list[TierArm]
    cells: list[CellArm] = Field(description="Addition: counts and beliefs per task type and model.")
    dominated: list[dict[str, Any]] = Field(
        default_factory=list,
        description="Addition: models that are not better than a cheaper one, with the numbers.",
    )


class JudgeBin(BaseModel):
    """One score bin of a judge."""

    low: float = Field(description="Lowest score of the bin, counted in.")
    high: float = Field(description="Highest, counted in for the last bin only.")
    right: float = Field(description="Answers labelled right.")
    wrong: float
    right_share: float = Field(description="Share of right answers taken to land here.")
    wrong_share: float
    learning_weight: float | None = Field(description="Null: nothing is learnt from this judge.")


class Judge(BaseModel):
    """One judge against labelled outcomes."""

    judge: str
    labels: float
    auc: float | None = Field(description="By the org's labels alone; null without right and wrong ones.")
    auc_low: float | None = Field(description="Lower end of the 95 % interval.")
    auc_high: float | None
    served_auc: float = Field(description="Of the table in use, in which a default counts as 50 labels.")
    is_trusted: bool = Field(description="Below a served AUC of .65 no score triggers an escalation.")
    gap_to_target: float | None = Field(description="How far the AUC is below .8.")
    bins: list[JudgeBin]


class Judges(BaseModel):
    """Addition: the judges of an org, and how far labelled outcomes agree with them."""

    org: str
    labels: int = Field(description="Labels given, also of answers no judge had scored.")
    judges: list[Judge]
