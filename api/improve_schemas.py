"""Bodies of /improve: folders of training data, and models of an org's own."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ..state.gathering import BASE_MODEL, BASE_MODELS, LEAST_QUALITY, MOST_EXAMPLES, PersonalData
from .schemas import Body

_Usd = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_ModelId = Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z0-9][\w.:-]*(/[A-Za-z0-9][\w.:-]*)*$")]


class ImproveRequest(Body):
    """What to gather; an empty body is a good one."""

    model_config = ConfigDict(strict=True, extra="forbid")

    min_quality: float = Field(
        LEAST_QUALITY, ge=LEAST_QUALITY, lt=1, description="A call's quality_score must be above it."
    )
    judged_only: bool = Field(False, description="Leave out calls whose score is an estimate.")
    personal_data: PersonalData = Field(
        "redact",
        description="redact: [email] and the like in its place; drop: leave such calls out; keep: no search.",
    )
    held_out_share: float = Field(0.1, gt=0, le=0.5, description="Share of the prompts kept for measuring.")
    min_examples: int = Field(
        50, ge=2, le=MOST_EXAMPLES, description="Fewer end the job, saying how many are missing."
    )
    max_examples: int = Field(5_000, ge=2, le=MOST_EXAMPLES, description="The best and newest of more.")
    base_model: str = Field(BASE_MODEL, description=f"One of {', '.join(BASE_MODELS)}.")


class Job(BaseModel):
    """A job that gathers training data."""

    org: str
    job_id: str
    status: str = Field(description="queued, running, done or failed.")
    phase: str = Field(description="What it does now.")
    progress: float = Field(ge=0, le=1, description="Share of the calls looked at.")
    done: int
    total: int = Field(description="Calls with a score above min_quality; 0 until they are counted.")
    created_at: str
    finished_at: str | None
    options: dict[str, Any]
    detail: str | None = Field(description="Why it failed, and what to do.")
    result: dict[str, Any] | None = Field(
        description="folder, examples, files with their hashes, and what was left out for which reason."
    )


class OwnModelInfo(BaseModel):
    """A registered model."""

    org: str
    model_id: str
    tier: str
    base_url: str
    input_usd_per_mtok: float
    output_usd_per_mtok: float
    held_out_quality: float | None
    registered_at: str


class Improvements(BaseModel):
    """Where an org stands with a model of its own."""

    org: str
    stage: int
    calls_needed: int = Field(description="Calls until POST /improve is open; 0 = it is.")
    opted_out_since: str | None = Field(
        description="When the org refused training on its calls; null = it did not."
    )
    jobs: list[Job] = Field(description="Newest first, at most 50.")
    models: list[OwnModelInfo]


class OptOut(Body):
    """Whether an org's calls may be trained on."""

    model_config = ConfigDict(strict=True, extra="forbid")

    opted_out: bool


class RegisterRequest(Body):
    """A model of the org's own, served by an OpenAI-compatible server such as vLLM or Ollama."""

    model_config = ConfigDict(strict=True, extra="forbid")

    model_id: _ModelId = Field(description="Its id here, such as own/support-3b.")
    base_url: str = Field(
        max_length=2_048, description="Such as http://localhost:8000/v1; it is asked first."
    )
    key_env: str | None = Field(
        None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$",
        description="Environment variable of the gateway that holds its API key; null = it wants none.",
    )  # fmt: skip
    name: str | None = Field(
        None, min_length=1, max_length=256, description="Its name there; null = model_id."
    )
    input_usd_per_mtok: _Usd = Field(0.01, description="US dollars per million tokens of prompt.")
    output_usd_per_mtok: _Usd = Field(0.01, description="US dollars per million tokens of answer.")
    context_tokens: int = Field(8_192, ge=256, le=10_000_000)
    max_output_tokens: int = Field(2_048, ge=1, le=1_000_000)
    capabilities: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        default_factory=list,
        max_length=16,
        description="What it can beyond text: tools, json_object, json_schema, …",
    )
    held_out_quality: _Share | None = Field(
        None,
        description="Share of held-out prompts it answered well: what is believed of it before its first call.",
    )


class Registered(OwnModelInfo):
    """What became of a registration."""

    registered: bool
    is_new: bool = Field(
        description="False: it took the place of an earlier one, of which what was learnt is dropped."
    )
    seen_everywhere_within_s: float = Field(
        description="When every worker of the gateway routes to it, seconds."
    )
