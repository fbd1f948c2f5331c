"""Which prompts teach the task classifier? Labelled ones, made from hand-written templates and fillers.

`task_prompts/<kind>.yaml` holds the templates of one kind, its slots and its request options;
`task_prompts/shared.yaml` holds slots any kind may use, so that a passage alone never gives a label away.
`<<slot>>` in a template stands for one of the slot's fillers, the same at each place of one prompt. A template
belongs to one split. So does a filler: those at even positions of their list train, the others test.
`phrasings` are further wordings that only train: a text, or a text and its options. So do `more_fillers`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ...providers.written import Several, Text, Texts, Written, parse, read_file, wrong
from ...routing.prompt.taxonomy import KIND_TO_TASK, KINDS, Kind
from ...state.errors import ConfigError
from ...state.types import TaskType

Split = Literal["train", "test"]
Half = Literal[0, 1] | None
Slots = Mapping[str, Sequence[str]]
"""Name of a slot → its fillers."""

MOST_PER_TEMPLATE = 12
"""Prompts made from one template, so that none outweighs the others."""
MOST_PER_PHRASING = 8
"""Prompts made from one phrasing: many short wordings teach more than many fillings of one."""
_FOLDER = Path(__file__).with_suffix("")
_SLOT = re.compile(r"<<(\w+)>>")


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


def _plain(filler: str) -> str:
    if _SLOT.search(filler):
        raise wrong(expected="text that names no slot itself")
    return filler


def _each_once(fillers: Sequence[str]) -> Sequence[str]:
    if len(fillers) < 2 or len(set(fillers)) != len(fillers):
        raise wrong(expected="two or more texts, each once")
    return fillers


Fillers = Annotated[
    Several[Annotated[str, Field(description="text"), AfterValidator(_plain)]],
    Field(description="a list of texts"),
    AfterValidator(_each_once),
]
Names = Annotated[Texts, Field(description="a list of names of options")]


class SlotFile(Written):
    """Slots and their fillers as they stand in a file."""

    slots: dict[str, Fillers] = Field(default_factory=dict, description="a mapping")
    """At least two fillers each, one for each split."""
    more_fillers: dict[str, Fillers] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _more_of_what_there_is(self) -> Self:
        if unknown := self.more_fillers.keys() - self.slots.keys():
            raise wrong("more_fillers", min(unknown), expected="absent for a slot without fillers")
        return self

    def of(self, split: Split, half: Half) -> Slots:
        """Return slot name → the fillers of a split, or of one half of them."""
        chosen = {
            name: fillers[1::2] if split == "test" else [*fillers[::2], *self.more_fillers.get(name, [])]
            for name, fillers in self.slots.items()
        }
        return chosen if half is None else {name: fillers[half::2] for name, fillers in chosen.items()}


class Phrasing(Written):
    """A wording that only trains, with `<<slots>>` to fill."""

    text: Text
    options: Names = ()
    """Request options to send along."""


class Entry(Phrasing):
    """A template as it stands in a file."""

    id: Text
    split: Annotated[Split, Field(description=" or ".join(get_args(Split)))]


F = TypeVar("F", bound=SlotFile)
_Wording = Annotated[
    Phrasing, BeforeValidator(lambda given: {"text": given} if isinstance(given, str) else given)
]


class KindFile(SlotFile):
    """What a kind's file holds."""

    templates: Annotated[Several[Entry], Field(description="a list of templates")]
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Name → OpenAI chat parameters."""
    phrasings: Annotated[Several[_Wording], Field(description="a list of wordings")] = ()

    @model_validator(mode="after")
    def _names_once_and_known(self) -> Self:
        ids = [entry.id for entry in self.templates]
        for place, name in enumerate(ids):
            if name in ids[:place]:
                raise wrong("templates", place, "id", expected="another than those above it")
        for key, entries in (("templates", self.templates), ("phrasings", self.phrasings)):
            for place, entry in enumerate(entries):
                if not self.options.keys() >= set(entry.options):
                    raise wrong(key, place, "options", expected=f"names out of {sorted(self.options)}")
        return self

    def worded(self, kind: str) -> list["Template"]:
        """Return templates and phrasings alike; a phrasing is called after the kind and its place."""
        phrasings = [
            Template(f"{kind}-phrasing-{number:02}", "train", one.text, self._sent(one), MOST_PER_PHRASING)
            for number, one in enumerate(self.phrasings, start=1)
        ]
        return [
            *(Template(one.id, one.split, one.text, self._sent(one)) for one in self.templates),
            *phrasings,
        ]

    def _sent(self, wording: Phrasing) -> dict[str, Any]:
        """Return the request options of a wording as one; their tools stand behind each other."""
        options = [self.options[name] for name in wording.options]
        joined = {key: value for option in options for key, value in option.items() if key != "tools"}
        if tools := [tool for option in options for tool in option.get("tools", [])]:
            joined["tools"] = tools
        return joined


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

    def fill(self, slots: Slots, rng: np.random.Generator) -> list[str]:
        """Return it with up to `most` different draws of fillers."""
        names = self.slots
        choices = [slots[name] for name in names]
        sizes = tuple(len(fillers) for fillers in choices)
        drawn = rng.choice(prod(sizes), size=min(prod(sizes), self.most), replace=False)
        prompts = []
        for number in drawn:
            picks = np.unravel_index(number, sizes) if sizes else ()
            filler_of = {
                name: fillers[pick] for name, fillers, pick in zip(names, choices, picks, strict=True)
            }
            prompts.append(_SLOT.sub(partial(_filler, filler_of), self.text))
        return prompts


def task_prompts(seed: int, split: Split, half: Half = None) -> list[LabelledPrompt]:
    """Return the labelled prompts of one split, kind by kind, at most `MOST_PER_TEMPLATE` a template.

    The seed decides which fillers meet in a template; the same seed gives the same list. `half` uses only every
    other filler of the split, so that cross-validation can keep fillers apart as the splits do.

    Raises
    ------
    ConfigError
        If a file of `task_prompts/` is not what it should be, naming the file and the key.
    ValueError
        If the split is unknown.
    """
    if split not in get_args(Split):
        raise ValueError(f"split must be one of {', '.join(get_args(Split))}, got {split!r}")
    rng = np.random.default_rng(seed)
    shared = _read(SlotFile, "shared").of(split, half)
    return [
        LabelledPrompt(
            prompt, template.options, KIND_TO_TASK[kind], kind, template.template_id, split, template.text
        )
        for kind in KINDS
        for template, slots in _templates_of(kind, shared, split, half)
        for prompt in template.fill(slots, rng)
    ]


def _filler(filler_of: Mapping[str, str], slot: re.Match[str]) -> str:
    return filler_of[slot[1]]


def pieces(wording: str) -> list[str]:
    """Return what stands between the slots of a template."""
    return [piece for piece in _SLOT.split(wording)[::2] if piece.strip()]


def _templates_of(kind: Kind, shared: Slots, split: Split, half: Half) -> list[tuple[Template, Slots]]:
    """Return the templates of a kind and a split, each with the slots it may use."""
    document = _read(KindFile, kind)
    slots: Slots = {**shared, **document.of(split, half)}
    templates = document.worded(kind)
    for template in templates:
        if unknown := set(template.slots) - slots.keys():
            raise ConfigError(
                f"{_path_of(kind)}: {template.template_id} names unknown slots {sorted(unknown)}"
            )
    return [(template, slots) for template in templates if template.split == split]


def _read(kind: type[F], name: str) -> F:
    path = _path_of(name)
    return parse(kind, read_file(path), str(path))


def _path_of(name: str) -> Path:
    return _FOLDER / f"{name}.yaml"
