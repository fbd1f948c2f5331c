"""Make labelled prompts for the task classifier from hand-written templates and fillers.

`task_prompts/<kind>.yaml` holds the templates of one kind, its slots and its request options;
`task_prompts/shared.yaml` holds slots any kind may use, so that a passage alone never gives a label away.
`<<slot>>` in a template stands for one of the slot's fillers, the same at each place of one prompt. A template
belongs to one split. So does a filler: those at even positions of their list train, the others test.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import yaml

from ..state.types import TaskType

Split = Literal["train", "test"]
Kind = Literal[
    "summary", "creative", "classification", "extraction", "sql", "translation", "tool_calling", "code", "qa",
    "reasoning", "general_chat",
]  # fmt: skip
EightType = Literal[
    "code", "factual_qa", "creative", "structured_extraction", "tool_calling", "sql", "reasoning", "general"
]

KINDS: tuple[Kind, ...] = get_args(Kind)
KIND_TO_TASK: dict[Kind, TaskType] = {
    "summary": "summary",
    "creative": "creative",
    "classification": "classification",
    "extraction": "extraction",
    "sql": "code",
    "translation": "summary",  # a given text is told again, its meaning kept
    "tool_calling": "extraction",  # arguments are taken out of words and put into a schema
    "code": "code",
    "qa": "qa",
    "reasoning": "reasoning",
    "general_chat": "qa",  # a short answer from general knowledge
}
"""Each kind's place among x25's seven task types."""
SEVEN_TO_EIGHT: dict[TaskType, EightType] = {
    "summary": "general",
    "code": "code",
    "classification": "general",
    "extraction": "structured_extraction",
    "qa": "factual_qa",
    "reasoning": "reasoning",
    "creative": "creative",
}
"""The nearest of the eight request types when only the task type is known."""
KIND_TO_EIGHT: dict[Kind, EightType] = {
    **{kind: SEVEN_TO_EIGHT[task_type] for kind, task_type in KIND_TO_TASK.items()},
    "sql": "sql",
    "tool_calling": "tool_calling",
    "general_chat": "general",
}
"""Each kind's place among the eight request types, three of which the seven do not tell apart."""

MOST_PER_TEMPLATE = 12
"""Prompts made from one template, so that none outweighs the others."""
_FOLDER = Path(__file__).with_suffix("")
_SLOT = re.compile(r"<<(\w+)>>")
_KIND_KEYS = frozenset({"templates", "slots", "options"})
_TEMPLATE_KEYS = frozenset({"id", "split", "text"})


@dataclass(frozen=True, slots=True)
class LabelledPrompt:
    """One prompt and what it asks for."""

    prompt: str
    options: dict[str, Any]
    """OpenAI chat parameters sent along: `tools` or `response_format`; mostly empty."""
    task_type: TaskType
    kind: Kind
    template: str
    """Id of the template the prompt was made from."""
    split: Split


@dataclass(frozen=True, slots=True)
class Template:
    """The wording of a prompt, with `<<slots>>` to fill."""

    template_id: str
    split: Split
    text: str
    options: dict[str, Any]

    @property
    def slots(self) -> list[str]:
        """Slot names in order of first appearance."""
        return list(dict.fromkeys(_SLOT.findall(self.text)))


def task_prompts(seed: int, split: Split) -> list[LabelledPrompt]:
    """Return the labelled prompts of one split, kind by kind, at most `MOST_PER_TEMPLATE` a template.

    The seed decides which fillers meet in a template; the same seed gives the same list.

    Raises
    ------
    ValueError
        If the split is unknown or a file of `task_prompts/` breaks the schema.
    """
    if split not in get_args(Split):
        raise ValueError(f"split must be one of {', '.join(get_args(Split))}, got {split!r}")
    rng = np.random.default_rng(seed)
    document = _read("shared")
    _check_keys(document, required={"slots"}, allowed={"slots"}, where="shared.yaml")
    shared = parse_slots(document["slots"], "shared.yaml")
    return [
        LabelledPrompt(prompt, template.options, KIND_TO_TASK[kind], kind, template.template_id, split)
        for kind in KINDS
        for template, slots in _templates_of(kind, shared)
        if template.split == split
        for prompt in _fill(template, slots, rng)
    ]


def parse_templates(document: object, where: str) -> list[Template]:
    """Return the templates of one kind's file; `where` names the file in messages.

    Raises
    ------
    ValueError
        If a key is missing or unknown, an id occurs twice, or a template names an option that is not there.
    """
    kind = _check_keys(document, required={"templates"}, allowed=_KIND_KEYS, where=where)
    options = kind.get("options", {})
    templates = [_parse_template(entry, options, where) for entry in kind["templates"]]
    ids = [template.template_id for template in templates]
    if len(set(ids)) != len(ids):
        raise ValueError(f"{where}: expected every template id once, got {ids}")
    return templates


def parse_slots(slots: Mapping[str, Any], where: str) -> dict[str, list[str]]:
    """Return slot name → fillers as they stand in a file; `where` names the file in messages.

    Raises
    ------
    ValueError
        If a slot has not at least two distinct strings, one for each split, or names a slot itself.
    """
    for name, fillers in slots.items():
        if not isinstance(fillers, list) or not all(map(_is_plain, fillers)):
            raise ValueError(f"{where}: expected slot {name!r} to hold plain strings, got {fillers!r}")
        if len(fillers) < 2 or len(set(fillers)) != len(fillers):
            raise ValueError(f"{where}: expected slot {name!r} to hold two or more fillers, each once")
    return dict(slots)


def _templates_of(
    kind: Kind, shared: Mapping[str, list[str]]
) -> list[tuple[Template, Mapping[str, list[str]]]]:
    """Return the templates of a kind, each with the slots it may use."""
    where = f"{kind}.yaml"
    document = _read(kind)
    templates = parse_templates(document, where)
    slots = {**shared, **parse_slots(document.get("slots", {}), where)}
    for template in templates:
        if unknown := set(template.slots) - slots.keys():
            raise ValueError(f"{where}: {template.template_id} names unknown slots {sorted(unknown)}")
    return [(template, slots) for template in templates]


def _parse_template(entry: object, options: Mapping[str, Any], where: str) -> Template:
    fields = _check_keys(entry, required=_TEMPLATE_KEYS, allowed=_TEMPLATE_KEYS | {"options"}, where=where)
    template_id, split, text = fields["id"], fields["split"], fields["text"]
    if not isinstance(template_id, str) or not isinstance(text, str):
        message = f"{where}: expected id and text of a template to be strings, got {entry!r}"
        raise ValueError(message)  # noqa: TRY004 - a fault of the file, like the others
    if split not in get_args(Split):
        raise ValueError(f"{where}: expected the split of {template_id} to be train or test, got {split!r}")
    names: Sequence[str] = fields.get("options", [])
    if unknown := [name for name in names if name not in options]:
        raise ValueError(f"{where}: {template_id} names unknown options {unknown}")
    return Template(template_id, split, text, _joined([options[name] for name in names]))


def _is_plain(filler: object) -> bool:
    return isinstance(filler, str) and not _SLOT.search(filler)


def _joined(options: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return several request options as one; their tools stand behind each other."""
    joined = {key: value for option in options for key, value in option.items() if key != "tools"}
    if tools := [tool for option in options for tool in option.get("tools", [])]:
        joined["tools"] = tools
    return joined


def _fill(template: Template, slots: Mapping[str, list[str]], rng: np.random.Generator) -> list[str]:
    """Return the template with up to `MOST_PER_TEMPLATE` different draws of fillers."""
    first = 0 if template.split == "train" else 1
    names = template.slots
    choices = [slots[name][first::2] for name in names]
    sizes = tuple(len(fillers) for fillers in choices)
    drawn = rng.choice(prod(sizes), size=min(prod(sizes), MOST_PER_TEMPLATE), replace=False)
    prompts = []
    for number in drawn:
        picks = np.unravel_index(number, sizes) if sizes else ()
        filler_of = {name: fillers[pick] for name, fillers, pick in zip(names, choices, picks, strict=True)}
        prompts.append(_worded(template.text, filler_of))
    return prompts


def _worded(text: str, filler_of: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda slot: filler_of[slot[1]], text)


def _read(name: str) -> Any:
    return yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def _check_keys(
    entry: object, *, required: AbstractSet[str], allowed: AbstractSet[str], where: str
) -> Mapping[str, Any]:
    """Return the entry if it is a mapping with all of the required and none but the allowed keys."""
    if not isinstance(entry, Mapping) or not required <= entry.keys() <= allowed:
        raise ValueError(
            f"{where}: expected the keys {sorted(required)} out of {sorted(allowed)}, got {entry!r}"
        )
    return entry
