"""What a request asks of the model that is to answer it: derived once from its messages and options.

A model that cannot do what is asked would refuse, or leave it out in silence; so it is removed before anything is
drawn. What a registry file does not declare, a model is not taken to have.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...state.records import Arm
from ..prompt.media import media_of

NO_EFFORT = frozenset({None, "none"})
"""Values of `reasoning_effort` that ask for no reasoning."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing a model must be able to do."""

    name: str
    """As registry files declare it, among `capabilities` or `modalities`."""
    asked_by: str
    """The part of the request that asks for it."""
    is_modality: bool = False
    """Whether it is something to be read."""
    where_declared: bool = False
    """Whether it binds only where some model declares it: what many a file says nothing of."""

    def is_met_by(self, arm: Arm) -> bool:
        """Return whether a model declares it."""
        if not self.is_modality:
            return self.name in arm.capabilities or (
                self.name == "json_object" and "json_schema" in arm.capabilities
            )
        return self.name in arm.modalities or (self.name == "image" and "vision" in arm.capabilities)

    @property
    def objection(self) -> str:
        """Why a model that does not meet it may not be asked."""
        where = "modalities" if self.is_modality else "capabilities"
        return f"{self.name}: asked for by {self.asked_by}, and not among its {where}"


Needs = tuple[Need, ...]


def needs_of(messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> Needs:
    """Return what a request needs, each thing once; nothing for plain text."""
    found: dict[str, Need] = {}
    for need in (*_of_messages(messages), *_of_options(options)):
        found.setdefault(need.name, need)
    return tuple(found.values())


def unmet(needs: Needs, arm: Arm) -> Need | None:
    """Return the first need that a model does not meet, or None; what binds where declared is left to `narrow`."""
    return next((need for need in needs if not need.where_declared and not need.is_met_by(arm)), None)


def narrow(needs: Needs, arms: Sequence[Arm]) -> tuple[list[Arm], dict[str, str]]:
    """Return the models that meet what binds where it is declared, and why each other one is removed."""
    kept, removed = list(arms), dict[str, str]()
    for need in needs:
        able = [arm for arm in kept if need.is_met_by(arm)]
        if need.where_declared and able:
            removed |= {arm.model_id: need.objection for arm in kept if arm not in able}
            kept = able
    return kept, removed


def _of_messages(messages: Sequence[Mapping[str, Any]]) -> Iterator[Need]:
    for media in media_of(messages):
        yield Need(media.kind, f"a part of the messages ({media.kind})", is_modality=True)
    for index, message in enumerate(messages):
        if message.get("role") in {"tool", "function"}:
            yield Need("tools", f"messages[{index}].role")
        for key in ("tool_calls", "function_call"):
            if message.get(key):
                yield Need("tools", f"messages[{index}].{key}")


def _of_options(options: Mapping[str, Any]) -> Iterator[Need]:
    for key in ("tools", "functions"):
        if options.get(key):
            yield Need("tools", f"options.{key}")
    response_format = options.get("response_format")
    kind = response_format.get("type") if isinstance(response_format, Mapping) else None
    if kind == "json_schema":
        yield Need("json_schema", "options.response_format")
    if kind == "json_object":
        yield Need("json_object", "options.response_format", where_declared=True)
    modalities = options.get("modalities")
    for wanted in modalities if isinstance(modalities, list) else ():
        if isinstance(wanted, str) and wanted != "text":
            yield Need(f"{wanted}_output", "options.modalities")
    for key in _reasoning_keys(options):
        yield Need("reasoning", f"options.{key}", where_declared=True)
    if options.get("logprobs"):
        yield Need("logprobs", "options.logprobs")


def _reasoning_keys(options: Mapping[str, Any]) -> Iterator[str]:
    """Yield the options that ask for reasoning, in the dialects of OpenAI, OpenRouter, Anthropic and Alibaba."""
    effort = options.get("reasoning_effort")
    if isinstance(effort, str) and effort not in NO_EFFORT:
        yield "reasoning_effort"
    reasoning = options.get("reasoning")
    if isinstance(reasoning, Mapping) and reasoning.get("enabled") is not False:
        effort = reasoning.get("effort")
        if not (isinstance(effort, str) and effort in NO_EFFORT):
            yield "reasoning"
    thinking = options.get("thinking")
    if isinstance(thinking, Mapping) and thinking.get("type") not in (None, "disabled"):
        yield "thinking"
    if options.get("enable_thinking") is True:
        yield "enable_thinking"
