"""Bodies of the doors that decide without calling, and of what was logged."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .schemas import WEIGHTS_SCHEMA, Body

_Share = Annotated[float, Field(ge=0, le=1)]
_Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class DecisionRequest(Body):
    """One prompt to decide on. A field that is named takes the place of the config's own."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={"example": {"prompt": "Calculate 18 * 23 + 9.", "config": "auto"}},
    )

    prompt: str = Field(description="The text to route.")
    config: str | None = Field(None, description='Name of a router config, or of one model. Default "auto".')
    config_name: str | None = Field(None, description="The same under its other name.")
    models: list[str] | None = Field(
        None,
        min_length=1,
        max_length=256,
        description="Ids or aliases to choose among instead of the config's.",
    )
    task: str | None = Field(
        None,
        description="Task type: summary, code, classification, extraction, qa, reasoning, creative or general; wins "
        "over the classifier.",
    )
    user_id: str | None = Field(None, description="Whose it is within the org, 1 to 255 characters.")
    preferred_input_modalities: list[str] | None = Field(
        None, max_length=16, description="text, image, audio, video, file: narrows the choice where it can."
    )
    completion_threshold: _Share | None = Field(
        None,
        description="Probability of completion that is enough. With any of the five knobs from here on the threshold "
        "rule decides: the candidate of least lambda_cost x cost / reference + lambda_latency x latency / reference "
        "that is likely enough.",
    )
    lambda_cost: _Price | None = Field(
        None, description="Price of the reference cost; raising it never chooses a dearer model."
    )
    lambda_latency: _Price | None = Field(
        None, description="Price of the reference latency; raising it never chooses a slower model."
    )
    max_k: int | None = Field(
        None, ge=1, le=4, description="Most models to select together; one of them has to answer well."
    )
    fallback_quality_margin: _Share | None = Field(
        None,
        description="Where nobody is likely enough: how far below the best a cheaper candidate may be.",
    )
    org: str | None = Field(
        None, description='Addition: whose learning decides; a key\'s own. Default "default".'
    )
    optimize_for: Annotated[Any, WEIGHTS_SCHEMA] = Field(None, description="Addition: as in /route.")
    policy: dict[str, Any] | None = Field(None, description="Addition: hard constraints, as in /route.")


class Candidate(BaseModel):
    """A model that could have been selected, and what is believed of it."""

    model_id: str
    tier: str
    input_modalities: list[str]
    mu: float = Field(description="Probability that asking it brings a good answer, 0 to 1.")
    sigma: float = Field(
        description="Standard deviation of that belief; shrinks as the org's calls are seen."
    )
    cost: float = Field(description="Estimated, US dollars.")
    latency: float = Field(description="Expected, milliseconds.")


class DecisionReply(BaseModel):
    """A decision; no model was asked."""

    id: str
    ts: float = Field(description="Seconds since 1970.")
    prompt: str
    task: str = Field(description="Task type that was given, or found.")
    config: str = Field(description='Config that decided, "custom" for a list of models alone.')
    selected: list[str]
    candidates: list[Candidate]
    expected_quality: float = Field(description="Probability that one of the selected answers well.")
    cost: float = Field(description="Estimated cost of asking all that is selected, US dollars.")
    latency: float = Field(description="Expected latency of the slowest of them, milliseconds.")
    input_modality_preference: dict[str, Any] = Field(
        description="requested, and applied: whether some model reads them all, so that others were left out."
    )
    user_id: str | None
    org: str
    propensity: float = Field(description="Addition: probability with which the first of them was selected.")
    strategy: str = Field(description="Addition: plan, classic or threshold.")
    reason: str = Field(description="Addition: why, in a sentence.")
    removed: dict[str, str] = Field(description="Addition: models that may not be asked, and why.")
    audit_hash: str = Field(description="Addition: hash of the decision's audit entry, 64 hex digits.")


class ConfigCard(BaseModel):
    """A router config with its models and knobs."""

    name: str
    description: str
    models: list[str] = Field(description="Those that can be reached here.")
    completion_threshold: float
    lambda_cost: float
    lambda_latency: float
    max_k: int
    fallback_quality_margin: float
    strategy: str = Field(
        description="Addition: plan, classic or threshold; the knobs above are the latter's."
    )
    first_tier: str = Field(
        description="Addition: any, or by_class: the tier that is promised for the request's class is begun with."
    )
    quality_bar: float = Field(description="Addition: of the classic strategy.")
    max_escalations: int = Field(description="Addition: of calls.")
    epsilon: float = Field(description="Addition: share of calls that start at a tier chosen evenly.")
    audit_rate: float = Field(description="Addition: share of answers judged beyond the plan.")


class ConfigList(BaseModel):
    """The router configs; every model is one of its own besides, under its id."""

    configs: list[ConfigCard]


class LoggedEntry(BaseModel):
    """A call or a decision, as logged."""

    id: str
    kind: Literal["call", "decision"] = Field(description='Addition: "decision" where no model was asked.')
    ts: float = Field(description="Seconds since 1970.")
    config: str
    prompt: str | None = Field(description="Null where prompts are not stored.")
    prompt_sha256: str | None = Field(
        description="Addition: hash of the prompt, also where it is not stored."
    )
    task: str
    selected: list[str] = Field(
        description="What the decision selected; of a call that was interrupted nothing."
    )
    candidates: list[Candidate] | None = Field(description="Null for calls, whose candidates the reply told.")
    expected_quality: float | None = Field(description="Null for calls.")
    cost: float = Field(
        description="US dollars: estimated of a decision; of a call what was paid, judge included."
    )
    latency: float = Field(description="Milliseconds: expected of a decision, measured of a call.")
    user_id: str | None
    status: str = Field(description="Addition: decided, answered, failed or interrupted.")
    model_used: str | None = Field(description="Addition: model that answered.")
    quality_score: float | None = Field(description="Addition: of the answer.")
    propensity: float = Field(description="Addition: probability of the first selection.")
    audit_hash: str = Field(description="Addition: hash of its audit entry.")
    audit_index: int = Field(description="Addition: place of that entry in the org's chain.")


class HistoryPage(BaseModel):
    """Some of what an org asked, newest first."""

    calls: list[LoggedEntry]
    total: int = Field(description="On all pages.")
    next: int | None = Field(
        description="Addition: `before` of the following page, whatever was logged meanwhile; null on the last."
    )


class Deleted(BaseModel):
    """What was deleted."""

    deleted: str
    training_lines: int = Field(
        0, description="Lines of folders of training data that went with it; absent without any."
    )
    training_folders_left: list[str] = Field(
        default_factory=list,
        description="Folders of training data that may hold it still, each with the reason: elsewhere, unreadable, or "
        "changed by hand; absent without any.",
    )
