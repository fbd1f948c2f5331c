"""Faults on demand: what goes wrong, asked for by a request header or by the rules of a scenario.

A fault is written `kind;parameter=value;…`, for example `429;retry_after=2` or `cut_stream;after=3`.
"""

from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from .tasks import chance

KIND_TO_PARAMETERS: dict[str, dict[str, float]] = {
    "400": {},
    "401": {},
    "402": {},
    "403": {},
    "404": {},
    "408": {},
    "413": {},
    "429": {"retry_after": -1},
    "500": {},
    "502": {},
    "503": {"retry_after": -1},
    "504": {},
    "529": {},
    "refused": {},
    "reset": {},
    "redirect": {},
    "timeout": {"seconds": 3600, "billed": 0},
    "slow_first_token": {"seconds": 1},
    "latency": {"ms": 100},
    "malformed": {},
    "cut_stream": {"after": 2},
    "slow_tokens": {"ms": 50},
    "stall": {"after": 2, "seconds": 3600},
    "garbage_frame": {"after": 2},
    "error_frame": {"after": 2},
    "ragged": {"bytes": 5},
    "refuse_usage": {},
    "missing_usage": {},
    "absurd_usage": {},
    "wrong_type": {},
    "gzip_garbage": {},
    "huge": {"megabytes": 64},
    "drip": {"ms": 20},
    "empty": {},
}
"""Every kind with its parameters and their defaults; `retry_after` -1 sends no Retry-After header.

Of streams: `slow_tokens` pauses before each event, `stall` falls silent after some, `garbage_frame` and `error_frame`
send something else then, `ragged` cuts the bytes anywhere, `refuse_usage` takes no `stream_options`. Of both: `drip`
sends byte by byte, `huge` does not end, `gzip_garbage` is not compressed as it says.
"""

STATUS_TO_ERROR: dict[str, tuple[str, str, str]] = {
    "400": ("invalid_request_error", "invalid_request", "Simulated: the request is not valid."),
    "401": ("authentication_error", "invalid_api_key", "Simulated: the API key is not valid."),
    "402": ("billing_error", "insufficient_credit", "Simulated: the account has no credit left."),
    "403": ("permission_error", "forbidden", "Simulated: this model is not for this account."),
    "404": ("not_found_error", "model_not_found", "Simulated: no such model."),
    "408": ("timeout_error", "request_timeout", "Simulated: the request took too long to arrive."),
    "413": ("invalid_request_error", "context_length_exceeded", "Simulated: the prompt is too long."),
    "429": ("rate_limit_error", "rate_limit_exceeded", "Simulated: too many requests."),
    "500": ("server_error", "internal_error", "Simulated: the upstream failed."),
    "502": ("server_error", "bad_gateway", "Simulated: nothing answers behind the upstream."),
    "503": ("server_error", "overloaded", "Simulated: the upstream is overloaded."),
    "504": (
        "server_error",
        "gateway_timeout",
        "Simulated: what is behind the upstream did not answer in time.",
    ),
    "529": ("overloaded_error", "overloaded", "Simulated: the upstream is overloaded."),
}
"""HTTP status to the type, code and message of its error body."""

_MATCH_KEYS = frozenset({"model", "nth", "every", "probability"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, with every parameter of its kind."""

    kind: str
    parameters: dict[str, float] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        return self.parameters[name]


def parse_fault(spec: str) -> Fault:
    """Return the fault a text such as `timeout;seconds=2;billed=1` asks for.

    Raises
    ------
    ValueError
        If the kind or a parameter is unknown, or a value is not a number of at least zero.
    """
    kind, *settings = (part.strip() for part in spec.split(";"))
    if kind not in KIND_TO_PARAMETERS:
        raise ValueError(f"unknown fault {kind!r}; {_nearest(kind, KIND_TO_PARAMETERS)}")
    parameters = dict(KIND_TO_PARAMETERS[kind])
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in parameters:
            raise ValueError(f"fault {kind} has no parameter {name!r}; {_nearest(name, parameters)}")
        parameters[name] = _number(f"{kind};{name}", value)
    return Fault(kind, parameters)


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} must be a number of at least 0, got {text!r}")
    return value


def _nearest(name: str, known: Any) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"


@dataclass(slots=True)
class Rule:
    """When a fault strikes: at models matching a glob, at the nth or every k-th request, or by chance."""

    fault: Fault
    model: str = "*"
    nth: int | None = None
    every: int | None = None
    probability: float = 1.0
    seen: int = 0
    """Requests that matched the model so far."""

    def strikes(self, model: str, draw_key: str, seed: int) -> bool:
        """Count the request if the model matches, and return whether the fault strikes it."""
        if not fnmatchcase(model, self.model):
            return False
        self.seen += 1
        if self.nth is not None and self.seen != self.nth:
            return False
        if self.every is not None and self.seen % self.every:
            return False
        return chance(seed, "fault", draw_key, str(self.seen)) < self.probability


class Scenario:
    """An ordered list of rules; the first that strikes gives the fault."""

    def __init__(self, rules: list[Rule], seed: int) -> None:
        self._rules = rules
        self._seed = seed

    def fault_for(self, model: str) -> Fault | None:
        """Return the fault this request meets; every rule counts the request, whichever strikes."""
        struck = [
            rule.fault
            for index, rule in enumerate(self._rules)
            if rule.strikes(model, str(index), self._seed)
        ]
        return struck[0] if struck else None


def parse_scenario(document: Any, seed: int) -> Scenario:
    """Return the scenario written as a list of `{match: {…}, fault: spec}`, or as `{rules: [that list]}`.

    Raises
    ------
    ValueError
        If a rule has another shape; the message names the rule by its position.
    """
    rules = document.get("rules") if isinstance(document, dict) else document
    if not isinstance(rules, list):
        raise ValueError(f"a scenario must be a list of rules, got {document!r}")  # noqa: TRY004 - a wrong file
    return Scenario([_parse_rule(index, rule) for index, rule in enumerate(rules)], seed)


def _parse_rule(index: int, rule: Any) -> Rule:
    if not isinstance(rule, dict) or "fault" not in rule or rule.keys() - {"match", "fault"}:
        raise ValueError(f"rule {index} must have the keys match and fault, got {rule!r}")
    match = rule.get("match") or {}
    unknown = sorted(match.keys() - _MATCH_KEYS)
    if unknown:
        raise ValueError(f"rule {index}: cannot match by {unknown[0]!r}; {_nearest(unknown[0], _MATCH_KEYS)}")
    for key in ("nth", "every"):
        if key in match and not (type(match[key]) is int and match[key] >= 1):
            raise ValueError(f"rule {index}: {key} must be a whole number of at least 1, got {match[key]!r}")
    if not 0 <= match.get("probability", 1.0) <= 1:
        raise ValueError(f"rule {index}: probability must be between 0 and 1, got {match['probability']!r}")
    return Rule(parse_fault(str(rule["fault"])), **match)
