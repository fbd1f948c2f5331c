"""What a decision is asked for, and the router config that decides it: a named one with what the caller overrides."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from math import comb
from typing import Any, get_args

from ..nodes.services import Services
from ..routing.plan.configs import RouterConfig
from ..routing.plan.policy import Modality
from ..state.errors import EmptyPrompt, InvalidRequest, UnknownConfig, UnknownModels
from ..state.types import GENERAL, TASK_TYPES, Request

DEFAULT_CONFIG = "auto"
CUSTOM = "custom"
"""What the log calls a config where models were named and no config was."""
KNOBS = ("completion_threshold", "lambda_cost", "lambda_latency", "max_k", "fallback_quality_margin")
"""Knobs of the threshold rule: whoever names one has that rule decide."""
MOST_SETS = 20_000
"""Sets of models that one decision looks at, a tenth of a second of work."""
MOST_QUOTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One prompt to decide on. What is None is the config's to say."""

    prompt: str
    org: str = "default"
    config: str | None = None
    """Name of a router config, or of one model; None = "auto"."""
    models: tuple[str, ...] | None = None
    """Ids or aliases to choose among instead of the config's."""
    task: str | None = None
    """Task type known to the caller; wins over the classifier."""
    user_id: str | None = None
    preferred_input_modalities: tuple[str, ...] | None = None
    """As the policy's `prefer_modalities`."""
    completion_threshold: float | None = None
    lambda_cost: float | None = None
    lambda_latency: float | None = None
    max_k: int | None = None
    fallback_quality_margin: float | None = None
    optimize_for: Mapping[str, float] | str | None = None
    policy: Mapping[str, Any] | None = None

    @property
    def label(self) -> str:
        """What the log calls the config that decided."""
        return self.config or (DEFAULT_CONFIG if self.models is None else CUSTOM)

    @property
    def knobs(self) -> dict[str, float | int]:
        """The knobs that were named."""
        return {name: value for name in KNOBS if (value := getattr(self, name)) is not None}


def request_of(question: Question) -> Request:
    """Return the question as a request that the cascade's first node checks.

    Raises
    ------
    EmptyPrompt
        When there is nothing to decide on.
    InvalidRequest
        When the task is unknown, or modalities are preferred in two places.
    """
    if isinstance(question.prompt, str) and not question.prompt.strip():
        raise EmptyPrompt("empty prompt: a decision needs a text that is not empty", field="prompt")
    known = (*TASK_TYPES, GENERAL)
    if question.task is not None and question.task not in known:
        raise InvalidRequest(
            f"task must be one of {', '.join(known)}; got {question.task[:MOST_QUOTED]!r}", field="task"
        )
    request: dict[str, Any] = {
        "prompt": question.prompt, "org": question.org, "router": question.config or DEFAULT_CONFIG,
        "hint": question.task, "user_id": question.user_id, "optimize_for": question.optimize_for,
        "policy": _policy(question),
    }  # fmt: skip
    return {name: value for name, value in request.items() if value is not None}  # type: ignore[return-value]


def _policy(question: Question) -> dict[str, Any]:
    policy, preferred = dict(question.policy or {}), question.preferred_input_modalities
    if preferred is None:
        return policy
    known = get_args(Modality)
    unknown = next((name for name in preferred if name not in known), None)
    if unknown is not None:
        raise InvalidRequest(
            f"preferred_input_modalities must be some of {', '.join(known)}; got {unknown[:MOST_QUOTED]!r}",
            field="preferred_input_modalities",
        )
    if policy.get("prefer_modalities") is not None:
        raise InvalidRequest(
            "give preferred_input_modalities or policy.prefer_modalities, not both",
            field="preferred_input_modalities",
        )
    return policy | ({"prefer_modalities": list(dict.fromkeys(preferred))} if preferred else {})


def config_for(question: Question, services: Services) -> RouterConfig:
    """Return the config that decides: the named one, with every field that the question names in its place.

    Raises
    ------
    UnknownConfig, UnknownModels
        When a name is none.
    InvalidRequest
        When a knob is out of its range, or there would be too many sets to look at.
    """
    name = question.config or DEFAULT_CONFIG
    config = services.routers.get(name)
    if config is None:
        known = ", ".join(sorted(services.routers))
        raise UnknownConfig(f"unknown config: {name[:MOST_QUOTED]!r}; known: {known}", field="config")
    if question.models is not None:
        config = replace(config, models=_model_ids(question.models, services))
    if question.knobs:
        config = replace(config, **{"strategy": "threshold", **question.knobs})  # type: ignore[arg-type]
        _check_rule(config, services)
    return config


def _model_ids(named: tuple[str, ...], services: Services) -> tuple[str, ...]:
    if not named:
        raise InvalidRequest("models must name at least one model", field="models")
    aliases = {alias: spec.model_id for spec in services.models.values() for alias in spec.aliases}
    found = [aliases.get(name, name) for name in named]
    unknown = [name for name, model_id in zip(named, found, strict=True) if model_id not in services.models]
    if unknown:
        quoted = ", ".join(repr(name[:MOST_QUOTED]) for name in unknown)
        raise UnknownModels(
            f"unknown model IDs: {quoted}; GET /v1/models lists those there are", field="models"
        )
    return tuple(dict.fromkeys(found))


def _check_rule(config: RouterConfig, services: Services) -> None:
    try:
        rule = config.rule
    except ValueError as error:
        named = str(error).partition(" ")[0]
        raise InvalidRequest(str(error), field=named) from error
    count = len(set(config.models) & set(services.models)) if config.models else len(services.models)
    if sum(comb(count, size) for size in range(1, rule.max_k + 1)) > MOST_SETS:
        raise InvalidRequest(
            f"max_k {rule.max_k} of {count} models makes more than {MOST_SETS:,} sets; name fewer models",
            field="max_k",
        )


FIELDS = frozenset(field.name for field in fields(Question))
"""Names that a question may be asked with."""
