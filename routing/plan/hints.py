"""How a caller steers routing without naming weights: `routing_hints`, and the model of `routing_override`.

Three kinds of hints. Leanings (`mode`, `preference_dial`, `prefer_latency`, `prefer_quality`) move the weights; limits
(`max_tier`, `max_cost_per_token`, `required_capabilities`, `mode: free_models_only`) are added to the policy and hold
for every model and judge that is asked, an overriding one included; and beginnings (`task_complexity`,
`chain_routing`, `routing_override.model`) say whom to ask first. Weaker to stronger: `optimize_for`, `mode`, the other
hints, an override or a model named by the request; a limit is never overridden.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from ...state.complaints import complain
from ...state.errors import InvalidRequest
from ...state.types import TIERS, Tier
from ...state.working_memory import ChainRouting, Start
from .policy import MOST_NAME_CHARS, MOST_NAMES
from .weights import DEFAULT_WEIGHTS, PRESETS

Mode = Literal["auto", "fast", "balanced", "quality", "cost_optimized", "free_models_only"]
Complexity = Literal["trivial", "standard", "complex", "expert"]
MODE_TO_WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "fast": {"cost": 0.1, "quality": 0.1, "latency": 0.8},
    "balanced": DEFAULT_WEIGHTS,
    "quality": PRESETS["quality-first"],
    "cost_optimized": {"cost": 0.8, "quality": 0.12, "latency": 0.08},
}
COMPLEXITY_TO_TIERS: Mapping[str, tuple[Tier, ...]] = {
    "trivial": ("slm",),
    "standard": ("slm", "mid"),
    "complex": ("mid", "frontier"),
    "expert": ("frontier",),
}
"""Tiers of the first answer; later ones may climb."""
CREATIVE = "creative"
WORKFLOW_TO_HINTS: Mapping[str, Mapping[str, Any]] = {
    "single_turn": {"chain_routing": "mixed"},
    "execution_task": {"required_capabilities": frozenset({"tools"})},
    "multi_step_conversational": {"chain_routing": "sticky"},
    "long_horizon_autonomous": {"task_complexity": "complex", "chain_routing": "sticky"},
    CREATIVE: {},
    "voice_simple": {"mode": "fast"},
    "voice_complex": {"prefer_latency": True},
}
"""What each `workflow_type` stands for, where the request says nothing of it: a preset, beneath all other hints. A
creative one also says the task type."""
UNKNOWN_WORKFLOW = f"it is none of {', '.join(WORKFLOW_TO_HINTS)}, so routing is automatic"
_TIER_NAMES: Mapping[str, Tier] = {
    **{tier: tier for tier in TIERS},
    "t3": "slm", "t2": "mid", "t1": "frontier", "speed": "slm", "value": "mid", "quality": "frontier",
}  # fmt: skip
_CAPABILITY_NAMES = {
    "json": "json_schema", "json_mode": "json_schema", "structured_output": "json_schema",
    "structured_outputs": "json_schema", "function_calling": "tools", "tool_use": "tools", "tool_calling": "tools",
}  # fmt: skip
_MODALITY_NAMES = {"vision": "image", "image": "image", "audio": "audio", "video": "video", "file": "file"}
_CHEAPEST, _DEAREST = 8.0, 0.02
"""What the dial multiplies the weight of cost, beside that of quality, with at its ends; 1 in the middle."""
_LEANINGS = ("mode", "prefer_latency")
_PREFERS_QUALITY, _PREFERS_LATENCY = 0.25, 4.0
_MOST_RATIO = 100.0
"""Of a weight to that of quality, where a caller weighs quality with nothing."""

_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Switch = Annotated[bool | None, Field(strict=True, description="true or false")]
_Name = Annotated[str, Field(strict=True, min_length=1, max_length=MOST_NAME_CHARS)]
ReadT = TypeVar("ReadT")


@dataclass(frozen=True, slots=True)
class Hints:
    """What a caller said in `routing_hints`; None = nothing."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    mode: Annotated[Mode | None, Field(description=f"one of {', '.join(get_args(Mode))}")] = None
    preference_dial: Annotated[_Number | None, Field(description="a number from 0 (cheap) to 1 (good)")] = (
        None
    )
    """Clamped to 0 to 1; .5 changes nothing."""
    prefer_latency: _Switch = None
    prefer_quality: _Switch = None
    max_latency_ms: Annotated[_Number | None, Field(gt=0, description="a number of milliseconds above 0")] = (
        None
    )
    """Soft: binds where some model is expected to be as fast. Below 500 the fastest tier is asked."""
    task_complexity: Annotated[
        Complexity | None, Field(description=f"one of {', '.join(get_args(Complexity))}")
    ] = None
    max_tier: Annotated[
        str | None,
        Field(strict=True, description=f"one of {', '.join(TIERS)}, or T3, T2, T1, or speed, value, quality"),
    ] = None
    max_cost_per_token: Annotated[_Number | None, Field(ge=0, description="a number of US dollars >= 0")] = (
        None
    )
    required_capabilities: Annotated[
        frozenset[_Name], Field(max_length=MOST_NAMES, description=f"a list of at most {MOST_NAMES} names")
    ] = frozenset()
    allow_free_fallback: _Switch = None
    chain_routing: Annotated[ChainRouting | None, Field(description="sticky or mixed")] = None
    chain_id: Annotated[
        str | None,
        Field(
            strict=True, min_length=1, max_length=MOST_NAME_CHARS, description="a text of 1 to 256 characters"
        ),
    ] = None
    """Names the chain that `sticky` keeps to; without one it is known by its messages."""
    max_chain_steps: Annotated[
        int | None, Field(strict=True, ge=1, lt=2**31, description="a whole number from 1 up")
    ] = None
    """Calls that the chain may have, this one included; needs `chain_id`."""
    chain_timeout_s: Annotated[_Number | None, Field(gt=0, description="a number of seconds above 0")] = None
    """How long after the beginning of its first call a chain may begin another; needs `chain_id`."""
    workflow_type: _Name | None = None
    """What the call is part of: the hints of `WORKFLOW_TO_HINTS` where nothing else is said; others are automatic."""

    @property
    def tier_limit(self) -> Tier | None:
        """Highest tier that may be asked."""
        return None if self.max_tier is None else _TIER_NAMES[self.max_tier.lower()]

    @property
    def task_hint(self) -> str | None:
        """Task type that the workflow is known to have."""
        return "creative" if self.workflow_type == CREATIVE else None

    @property
    def unknown_workflow(self) -> bool:
        """Whether a workflow was named that nothing is known of."""
        return self.workflow_type is not None and self.workflow_type not in WORKFLOW_TO_HINTS

    @property
    def leans(self) -> bool:
        """Whether it moves the weights."""
        return (
            self.mode in MODE_TO_WEIGHTS
            or self.preference_dial is not None
            or bool(self.prefer_latency or self.prefer_quality)
        )


@dataclass(frozen=True, slots=True)
class Override:
    """What a caller said in `routing_override`."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    model: Annotated[_Name, Field(description="the id or alias of a model")]


_HINTS, _OVERRIDE = TypeAdapter(Hints), TypeAdapter(Override)


def parse_hints(given: object) -> Hints:
    """Return the hints of a request; an absent or null key says nothing.

    Raises
    ------
    InvalidRequest
        If a key is unknown or a value of the wrong type or range; `field` names it.
    """
    hints = _read(_HINTS, "routing_hints", given) or Hints()
    if hints.max_tier is not None and hints.max_tier.lower() not in _TIER_NAMES:
        field = "routing_hints.max_tier"
        expected = f"one of {', '.join(TIERS)}, T3, T2, T1, speed, value, quality"
        raise InvalidRequest(f"{field} must be {expected}, got {hints.max_tier!r}", field=field)
    for bound in ("max_chain_steps", "chain_timeout_s"):
        if getattr(hints, bound) is not None and hints.chain_id is None:
            field = f"routing_hints.{bound}"
            raise InvalidRequest(f"{field} needs a chain_id, which names the chain", field=field)
    return _with_preset(hints)


def _with_preset(hints: Hints) -> Hints:
    """Return the hints with those of the workflow where nothing is said."""
    preset = WORKFLOW_TO_HINTS.get(hints.workflow_type or "", {})
    unsaid = {name: value for name, value in preset.items() if getattr(hints, name) in (None, frozenset())}
    if hints.leans or hints.mode is not None:
        unsaid = {name: value for name, value in unsaid.items() if name not in _LEANINGS}
    return replace(hints, **unsaid) if unsaid else hints


def parse_override(given: object) -> str | None:
    """Return the name of the model that a request must begin with, None for none; errors as `parse_hints`."""
    found = _read(_OVERRIDE, "routing_override", given)
    return None if found is None else found.model


def _read(adapter: TypeAdapter[ReadT], name: str, given: object) -> ReadT | None:
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise InvalidRequest(f"{name} must be an object, got {type(given).__name__}", field=name)
    said = {key: value for key, value in given.items() if value is not None}
    if not said:
        return None
    try:
        return adapter.validate_python(said)
    except ValidationError as error:
        wrong = complain(error.errors(), adapter.json_schema(), said)
        field = f"{name}.{wrong.place}".rstrip(".")
        problem = f"is unknown; {wrong.hint}" if wrong.hint else f"must be {wrong.expected}, got {wrong.got}"
        raise InvalidRequest(f"{field} {problem}", field=field) from error


def lean(base: Mapping[str, float], hints: Hints) -> dict[str, float]:
    """Return the weights of a call, not normalised: those of `base` unless a hint says otherwise.

    The dial sets the weight of cost beside that of quality, and leaves that of latency: with one price of latency
    whatever its place, what the best plan costs never falls as the dial rises.
    """
    if not hints.leans:
        return dict(base)
    weights = MODE_TO_WEIGHTS.get(hints.mode or "", base)
    cost, latency = _ratio(weights, "cost"), _ratio(weights, "latency")
    if hints.preference_dial is not None:
        cost = _ratio(DEFAULT_WEIGHTS, "cost") * dial_factor(hints.preference_dial)
    cost *= _PREFERS_QUALITY if hints.prefer_quality else 1.0
    latency *= _PREFERS_LATENCY if hints.prefer_latency else 1.0
    return {"cost": cost, "quality": 1.0, "latency": latency}


def dial_factor(dial: float) -> float:
    """Return what cost weighs at a place of the dial, as a multiple of the middle's; falls all the way."""
    place = 2.0 * min(max(dial, 0.0), 1.0) - 1.0
    return float(_DEAREST**place if place > 0 else _CHEAPEST**-place)


def _ratio(weights: Mapping[str, float], goal: str) -> float:
    quality = weights["quality"]
    return min(weights[goal] / quality, _MOST_RATIO) if quality > 0 else _MOST_RATIO * bool(weights[goal])


def limit(policy: Mapping[str, Any], hints: Hints) -> dict[str, Any]:
    """Return a policy with the limits of the hints: of two limits on one thing the stricter."""
    merged = dict(policy)
    for key, value in (
        ("max_cost_per_token", 0.0 if hints.mode == "free_models_only" else hints.max_cost_per_token),
        ("prefer_latency_ms", hints.max_latency_ms),
    ):
        if value is not None:
            merged[key] = value if merged.get(key) is None else min(value, merged[key])
    if (tier := hints.tier_limit) is not None:
        merged["max_tier"] = min(tier, merged.get("max_tier") or tier, key=TIERS.index)
    if hints.allow_free_fallback is not None:
        merged["allow_free_fallback"] = (
            hints.allow_free_fallback and merged.get("allow_free_fallback") is not False
        )
    wanted = {name.lower() for name in hints.required_capabilities}
    modalities = {_MODALITY_NAMES[name] for name in wanted if name in _MODALITY_NAMES}
    abilities = {_CAPABILITY_NAMES.get(name, name) for name in wanted - _MODALITY_NAMES.keys()}
    for key, names in (("require_modalities", modalities), ("required_capabilities", abilities)):
        if names:
            merged[key] = sorted(names | set(merged.get(key) or ()))
    return merged


def start(hints: Hints, model_id: str | None) -> Start:
    """Return whom a call asks first; `model_id` is the overriding model."""
    notice = f"workflow_type: {UNKNOWN_WORKFLOW}" if hints.unknown_workflow else ""
    if model_id is not None:
        return Start(
            model_id=model_id, chain_routing=hints.chain_routing, chain_id=hints.chain_id, notice=notice
        )
    tiers = COMPLEXITY_TO_TIERS.get(hints.task_complexity or "", ())
    return Start(
        tiers=tiers,
        why=f"task_complexity: {hints.task_complexity}" if tiers else "",
        chain_routing=hints.chain_routing,
        chain_id=hints.chain_id,
        notice=notice,
    )
