"""Make labelled prompts for the task classifier from hand-written templates and fillers.

`task_prompts/<kind>.yaml` holds the templates of one kind, its slots and its request options;
`task_prompts/shared.yaml` holds slots any kind may use, so that a passage alone never gives a label away.
`<<slot>>` in a template stands for one of the slot's fillers, the same at each place of one prompt. A template
belongs to one split. So does a filler: those at even positions of their list train, the others test.
`phrasings` are further wordings that only train: a text, or a text and its options. So do `more_fillers`.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import yaml

from ...routing.prompt.taxonomy import KIND_TO_TASK, KINDS, Kind
from ...state.types import TaskType

Split = Literal["train", "test"]

MOST_PER_TEMPLATE = 12
"""Prompts made from one template, so that none outweighs the others."""
MOST_PER_PHRASING = 8
"""Prompts made from one phrasing: many short wordings teach more than many fillings of one."""
_FOLDER = Path(__file__).with_suffix("")
_SLOT = re.compile(r"<<(\w+)>>")
_KIND_KEYS = frozenset({"templates", "slots", "options", "phrasings", "more_fillers"})
_SHARED_KEYS = frozenset({"slots", "more_fillers"})
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
    wording: str
    """The template itself, its slots left open: what asks for the work, whatever the work is about."""


@dataclass(frozen=True, slots=True)
class Template:
    """The wording of a prompt, with `<<slots>>` to fill."""

    template_id: str
    split: Split
    text: str
    options: dict[str, Any]
    most: int = MOST_PER_TEMPLATE
    """Prompts to make from it, at most."""

    @property
    def slots(self) -> list[str]:
        """Slot names in order of first appearance."""
        return list(dict.fromkeys(_SLOT.findall(self.text)))


def task_prompts(seed: int, split: Split, half: Literal[0, 1] | None = None) -> list[LabelledPrompt]:
    """Return the labelled prompts of one split, kind by kind, at most `MOST_PER_TEMPLATE` a template.

    The seed decides which fillers meet in a template; the same seed gives the same list. `half` uses only every
    other filler of the split, so that cross-validation can keep fillers apart as the splits do.

    Raises
    ------
    ValueError
        If the split is unknown or a file of `task_prompts/` breaks the schema.
    """
    if split not in get_args(Split):
        raise ValueError(f"split must be one of {', '.join(get_args(Split))}, got {split!r}")
    rng = np.random.default_rng(seed)
    document = _read("shared")
    _check_keys(document, required={"slots"}, allowed=_SHARED_KEYS, where="shared.yaml")
    shared = _fillers(document, split, half, "shared.yaml")
    return [
        LabelledPrompt(
            prompt, template.options, KIND_TO_TASK[kind], kind, template.template_id, split, template.text
        )
        for kind in KINDS
        for template, slots in _templates_of(kind, shared, split, half)
        for prompt in _fill(template, slots, rng)
    ]


def pieces(wording: str) -> list[str]:
    """Return what stands between the slots of a template."""
    return [piece for piece in _SLOT.split(wording)[::2] if piece.strip()]


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
    for number, entry in enumerate(kind.get("phrasings", []), start=1):
        wording = {"text": entry} if isinstance(entry, str) else entry
        name = f"{where.removesuffix('.yaml')}-phrasing-{number:02}"
        parsed = _parse_template({"id": name, "split": "train", **wording}, options, where)
        templates.append(replace(parsed, most=MOST_PER_PHRASING))
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
    kind: Kind, shared: Mapping[str, list[str]], split: Split, half: Literal[0, 1] | None
) -> list[tuple[Template, Mapping[str, list[str]]]]:
    """Return the templates of a kind and a split, each with the slots it may use."""
    where = f"{kind}.yaml"
    document = _read(kind)
    templates = parse_templates(document, where)
    slots = {**shared, **_fillers(document, split, half, where)}
    for template in templates:
        if unknown := set(template.slots) - slots.keys():
            raise ValueError(f"{where}: {template.template_id} names unknown slots {sorted(unknown)}")
    return [(template, slots) for template in templates if template.split == split]


def _fillers(
    document: Mapping[str, Any], split: Split, half: Literal[0, 1] | None, where: str
) -> dict[str, list[str]]:
    """Return slot name → the fillers of a split, or of one half of them."""
    slots = parse_slots(document.get("slots", {}), where)
    more = parse_slots(document.get("more_fillers", {}), where)
    if unknown := more.keys() - slots.keys():
        raise ValueError(f"{where}: more_fillers names unknown slots {sorted(unknown)}")
    chosen = {
        name: fillers[1::2] if split == "test" else [*fillers[::2], *more.get(name, [])]
        for name, fillers in slots.items()
    }
    return chosen if half is None else {name: fillers[half::2] for name, fillers in chosen.items()}


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
    """Return the template with up to `template.most` different draws of fillers."""
    names = template.slots
    choices = [slots[name] for name in names]
    sizes = tuple(len(fillers) for fillers in choices)
    drawn = rng.choice(prod(sizes), size=min(prod(sizes), template.most), replace=False)
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
