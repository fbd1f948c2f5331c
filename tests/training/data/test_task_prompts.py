import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from x25.providers.written import parse
from x25.routing.prompt.taxonomy import KIND_TO_TASK, KINDS
from x25.state.errors import ConfigError
from x25.state.types import TASK_TYPES
from x25.training.data import task_prompts as module
from x25.training.data.task_prompts import (
    MOST_PER_PHRASING,
    MOST_PER_TEMPLATE,
    KindFile,
    LabelledPrompt,
    SlotFile,
    task_prompts,
)

FOLDER = Path(module.__file__).with_suffix("")
ENTRY = {"id": "a", "split": "train", "text": "Say <<word>>."}


def document_of(name):
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def parse_templates(document):
    return parse(KindFile, document, "x.yaml").worded("x")


def templates_of(kind):
    return parse(KindFile, document_of(kind), f"{kind}.yaml").worded(kind)


@pytest.fixture(scope="module")
def both():
    return {split: task_prompts(0, split) for split in ("train", "test")}


@pytest.fixture(scope="module")
def prompts(both):
    return [*both["train"], *both["test"]]


def test_each_kind_has_a_hundred_prompts_in_each_split_and_two_hundred_in_all(both):
    for kind in KINDS:
        counts = {split: sum(prompt.kind == kind for prompt in both[split]) for split in both}
        assert min(counts.values()) >= 100, (kind, counts)
        assert sum(counts.values()) >= 200, (kind, counts)


@pytest.mark.slow
def test_each_kind_has_a_dozen_templates_in_each_split():
    for kind in KINDS:
        counts = Counter(template.split for template in templates_of(kind))
        assert min(counts["train"], counts["test"]) >= 12, (kind, counts)


def test_no_prompt_occurs_twice(prompts):
    assert [text for text, count in Counter(prompt.prompt for prompt in prompts).items() if count > 1] == []


def test_no_template_makes_more_than_its_share(prompts):
    assert max(Counter(prompt.template for prompt in prompts).values()) == MOST_PER_TEMPLATE


@pytest.mark.slow
def test_every_template_makes_prompts_of_its_own_split_only(both):
    ids = {
        split: {
            template.template_id
            for kind in KINDS
            for template in templates_of(kind)
            if template.split == split
        }
        for split in both
    }
    assert ids["train"].isdisjoint(ids["test"])
    for split, made in both.items():
        assert {prompt.template for prompt in made} == ids[split]
        assert {prompt.split for prompt in made} == {split}


def five_grams(text):
    """Return the runs of five words that stand between two slots of a template."""
    pieces = [re.findall(r"\w+", piece.lower()) for piece in re.split(r"<<\w+>>", text)]
    return {tuple(words[at : at + 5]) for words in pieces for at in range(len(words) - 4)}


def test_train_and_test_templates_share_no_five_words_in_a_row():
    seen = {"train": {}, "test": {}}
    for kind in KINDS:
        for template in templates_of(kind):
            seen[template.split].update(dict.fromkeys(five_grams(template.text), template.template_id))
    assert len(seen["train"]) > 200
    shared = seen["train"].keys() & seen["test"].keys()
    assert {gram: (seen["train"][gram], seen["test"][gram]) for gram in shared} == {}


@pytest.mark.slow
def test_train_and_test_share_no_long_filler(both):
    fillers = [
        filler
        for name in ("shared", *KINDS)
        for fillers in document_of(name).get("slots", {}).values()
        for filler in fillers
        if len(filler) > 60
    ]
    texts = {split: "\0".join(prompt.prompt for prompt in made) for split, made in both.items()}
    assert len(fillers) > 50
    assert [filler for filler in fillers if filler in texts["train"] and filler in texts["test"]] == []


def test_the_same_seed_gives_the_same_prompts(both):
    assert task_prompts(0, "train") == both["train"]


def test_another_seed_gives_other_prompts_from_the_same_templates(both):
    other = task_prompts(1, "train")
    assert {prompt.prompt for prompt in other} != {prompt.prompt for prompt in both["train"]}
    assert Counter(prompt.template for prompt in other) == Counter(
        prompt.template for prompt in both["train"]
    )


def test_every_slot_is_filled(prompts):
    assert [prompt.prompt for prompt in prompts if "<<" in prompt.prompt or ">>" in prompt.prompt] == []
    assert all(prompt.prompt.strip() == prompt.prompt != "" for prompt in prompts)


def test_labels_are_valid(prompts):
    assert {prompt.kind for prompt in prompts} == set(KINDS)
    assert all(prompt.task_type == KIND_TO_TASK[prompt.kind] for prompt in prompts)
    assert {prompt.task_type for prompt in prompts} == set(TASK_TYPES)


def test_options_are_tools_or_a_response_format(prompts):
    assert {key for prompt in prompts for key in prompt.options} == {"tools", "response_format"}
    for prompt in prompts:
        names = [tool["function"]["name"] for tool in prompt.options.get("tools", [])]
        assert len(set(names)) == len(names)


def test_tools_come_with_tool_calls_only(prompts):
    assert {prompt.kind for prompt in prompts if "tools" in prompt.options} == {"tool_calling"}


def test_a_template_with_two_options_offers_the_tools_of_both(both):
    made = next(prompt for prompt in both["train"] if prompt.template == "tool_calling-train-04")
    assert [tool["function"]["name"] for tool in made.options["tools"]] == ["get_weather", "create_event"]


def test_a_slot_named_twice_gets_the_same_filler_both_times(both):
    made = [prompt.prompt for prompt in both["train"] if prompt.template == "reasoning-train-05"]
    assert made
    for prompt in made:
        first, last = re.fullmatch(r"What is (\d+) \* \d+ - (\d+)\?", prompt).groups()
        assert first == last


@pytest.mark.slow
def test_every_slot_and_every_option_is_used_and_no_kind_renames_a_shared_slot():
    shared = document_of("shared")["slots"].keys()
    used = set()
    for kind in KINDS:
        document = document_of(kind)
        own = document.get("slots", {}).keys()
        named = {name for template in templates_of(kind) for name in template.slots}
        options = {name for entry in document["templates"] for name in entry.get("options", [])}
        assert own <= named, kind
        assert own.isdisjoint(shared), kind
        assert options == document.get("options", {}).keys(), kind
        used |= named
    assert shared <= used


def test_every_file_in_the_folder_is_read():
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.yaml" for name in ("shared", *KINDS)}


def test_a_slot_of_a_template_is_listed_once_in_order():
    (template,) = parse_templates({"templates": [ENTRY | {"text": "<<b>> <<a>> <<b>>"}]})
    assert template.slots == ["b", "a"]


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split must be one of train, test, got 'dev'"):
        task_prompts(0, "dev")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "the file must be a mapping"),
        ({"templates": [ENTRY], "extra": 1}, "unknown key 'extra'"),
        ({"slots": {}}, "templates must be a list of templates, got nothing"),
        ({"templates": ["Say hello."]}, r"templates\[0\] must be a mapping, got 'Say hello.'"),
        ({"templates": [{"id": "a", "split": "train"}]}, r"templates\[0\].text must be text, got nothing"),
        ({"templates": [ENTRY | {"label": "qa"}]}, r"unknown key 'templates\[0\].label'"),
        ({"templates": [ENTRY | {"split": "dev"}]}, r"templates\[0\].split must be train or test, got 'dev'"),
        ({"templates": [ENTRY | {"text": 7}]}, r"templates\[0\].text must be text, got 7"),
        (
            {"templates": [ENTRY | {"options": ["hammer"]}]},
            r"templates\[0\].options must be names out of \[\]",
        ),
        (
            {"templates": [ENTRY], "phrasings": [{"text": "Say!", "options": ["hammer"]}]},
            r"phrasings\[0\].options",
        ),
        ({"templates": [ENTRY], "phrasings": [7]}, r"phrasings\[0\] must be a mapping, got 7"),
        ({"templates": [ENTRY, ENTRY]}, r"templates\[1\].id must be another than those above it, got 'a'"),
    ],
)
def test_a_kind_that_breaks_the_schema_is_refused_by_its_key(document, message):
    with pytest.raises(ConfigError, match=f"x.yaml: .*{message}"):
        parse_templates(document)


def test_a_phrasing_is_a_template_that_trains_and_makes_fewer_prompts():
    document = {"templates": [ENTRY], "phrasings": ["Speak <<word>>!"]}
    _, phrasing = parse_templates(document)
    assert (phrasing.template_id, phrasing.split, phrasing.text) == (
        "x-phrasing-01",
        "train",
        "Speak <<word>>!",
    )
    assert phrasing.most == MOST_PER_PHRASING < MOST_PER_TEMPLATE


def test_a_phrasing_may_bring_options():
    offered = {"tools": [{"type": "function", "function": {"name": "hammer"}}]}
    phrasings = [{"text": "Strike <<word>>!", "options": ["hammer"]}]
    document = {"templates": [ENTRY], "options": {"hammer": offered}, "phrasings": phrasings}
    assert parse_templates(document)[1].options == offered


@pytest.mark.parametrize(
    ("fillers", "message"),
    [
        ("word", "slots.word must be a list of texts, got 'word'"),
        (["one", 2], r"slots.word\[1\] must be text, got 2"),
        (["one", "<<other>>"], r"slots.word\[1\] must be text that names no slot itself"),
        (["one"], "slots.word must be two or more texts, each once"),
        (["one", "one"], "slots.word must be two or more texts, each once"),
    ],
)
def test_a_slot_that_breaks_the_schema_is_refused_by_its_key(fillers, message):
    with pytest.raises(ConfigError, match=f"x.yaml: {message}"):
        parse(SlotFile, {"slots": {"word": fillers}}, "x.yaml")


def test_more_fillers_of_an_unknown_slot_are_refused():
    with pytest.raises(ConfigError, match=r"more_fillers.verb must be absent"):
        parse(SlotFile, {"more_fillers": {"verb": ["go", "come"]}}, "x.yaml")


def test_a_template_that_names_no_known_slot_is_refused(tmp_path, monkeypatch):
    for path in FOLDER.iterdir():
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "summary.yaml").write_text(yaml.safe_dump({"templates": [ENTRY]}))
    monkeypatch.setattr(module, "_FOLDER", tmp_path)
    with pytest.raises(ConfigError, match=r"summary.yaml: a names unknown slots \['word'\]"):
        task_prompts(0, "train")


def test_a_labelled_prompt_is_frozen():
    prompt = LabelledPrompt("Hi!", {}, "qa", "general_chat", "a", "train", "Hi!")
    with pytest.raises(AttributeError):
        prompt.prompt = "Ho!"
