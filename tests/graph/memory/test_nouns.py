import copy
import json
import pickle
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import getitem
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from x25.graph.checkpoints import values_of
from x25.graph.memory.nouns import NOUNS, from_json, noun_of, stage_of, to_json
from x25.nodes.audit import audit
from x25.nodes.classify import classify
from x25.nodes.dispatch import dispatch
from x25.nodes.judge import judge
from x25.nodes.stage_check import stage_check
from x25.state.answers import Answer, Failure
from x25.state.types import CascadeState
from x25.state.working_memory import Change, Classified, Estimated, Learned, Logged, Opened, Routed, Task

FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
PLAIN = {
    str: st.text(max_size=8), bool: st.booleans(), int: st.integers(-(2**53), 2**53), float: FINITE, Any: JSON,
    NoneType: st.none(), datetime: st.datetimes(timezones=st.just(UTC)),
}  # fmt: skip


def values(kind) -> st.SearchStrategy:
    """Return the values of a type: of every field of a noun, and of what a union, list, tuple or dict holds."""
    if kind in PLAIN:
        return PLAIN[kind]
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(kind, **{field.name: values(hints[field.name]) for field in fields(kind)})
    inner = get_args(kind)
    if get_origin(kind) is Literal:
        return st.sampled_from(inner)
    if get_origin(kind) in (Union, UnionType):
        return st.one_of(*map(values, inner))
    return collections(get_origin(kind), *inner)


def collections(origin, *inner) -> st.SearchStrategy:
    if origin is dict:
        return st.dictionaries(*map(values, inner), max_size=2)
    if inner[-1] is ... or origin is list:
        return st.lists(values(inner[0]), max_size=2).map(origin)
    return st.tuples(*map(values, inner))


OF_HITS = {"hit"}
"""What a call has that goes another way."""


def parts_of(call) -> dict[str, Any]:
    return {field.name: getattr(call, field.name) for field in fields(call)}


@given(call=values(Logged))
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_any_call_comes_back_from_json_text_as_it_went(call):
    text = json.dumps(to_json(Change(**parts_of(call))), allow_nan=False)
    assert from_json(Logged, json.loads(text)) == call


@given(call=values(Logged))
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_json_turned_to_nouns_and_back_is_the_same_json(call):
    memory = json.loads(json.dumps(to_json(Change(**parts_of(call)))))
    assert to_json(Change(**parts_of(from_json(Logged, memory)))) == memory


@given(call=values(Logged))
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_what_one_node_wrote_is_given_to_the_next_as_it_was(call):
    read = from_json(Logged, to_json(Change(**parts_of(call))))
    assert all(getattr(read, name) is getattr(call, name) for name in NOUNS - OF_HITS)


@pytest.mark.parametrize(
    "copied", [dict, copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_an_edited_copy_of_what_was_written_is_read_anew(copied):
    memory = to_json(Change(task=Task("coding", "coding/easy", 0.9, "hint", "chat", 12)))
    edited = copied(memory["task"])
    edited["prompt_tokens"] = 7
    assert type(edited) is dict
    assert noun_of("task", edited).prompt_tokens == 7
    assert noun_of("task", memory["task"]).prompt_tokens == 12


def test_nouns_are_the_channels_that_hold_something_else_than_plain_json():
    """Every channel a node may write is a noun, or is written as it stands."""
    hints, channels = get_type_hints(Change), get_type_hints(CascadeState)
    plain = {name for name in hints.keys() - {"reply"} if name not in NOUNS}
    assert hints.keys() & channels.keys() >= NOUNS
    assert plain == {
        "org", "call_id", "messages", "options", "optimize_for", "policy", "router",
        "conversation_id", "memory", "call_count", "audit_hash", "stage",
    }  # fmt: skip


def test_a_reply_is_written_field_by_field():
    update = to_json(Change(call_count=3, reply={"text": "Paris", "tier": "slm"}))
    assert update == {"call_count": 3, "text": "Paris", "tier": "slm"}


@pytest.mark.parametrize(
    ("node", "stage"),
    [(classify, Opened), (dispatch, Routed), (judge, Routed), (audit, Learned), (stage_check, Logged)],
)
def test_a_nodes_first_parameter_says_the_stage_it_asks_for(node, stage):
    assert stage_of(node) is stage


# what a real call leaves, and what an edit by hand may do to it


@pytest.fixture
async def memory(open_gateway):
    """Return the JSON that a call left in its checkpoint."""
    cascade = await open_gateway(store_prompts=True)
    reply = await cascade.route({"prompt": "What is 2 plus 2?", "router": "x25-classic"})
    await cascade.drain()
    return await values_of(cascade.saver, "default", reply["call_id"])


async def test_a_calls_memory_is_read_at_any_stage_that_it_has_reached(memory):
    logged = from_json(Logged, memory)
    for stage in (Opened, Classified, Estimated, Routed, Learned):
        assert parts_of(from_json(stage, memory)).items() <= parts_of(logged).items()
    assert logged.bought
    assert logged.call_count == 1


@pytest.mark.parametrize("name", ["task", "answers", "messages"])
async def test_a_missing_part_is_named(memory, name):
    del memory[name]
    with pytest.raises(KeyError, match=name):
        from_json(Logged, memory)


@pytest.mark.parametrize(
    ("path", "value", "noun"),
    [
        (("task", "prompt_tokens"), "many", "Task"),
        (("opening", "started_at"), "yesterday", "Opening"),
        (("selection", "beliefs", "sim/tiny-1", "mean"), "likely", "Selection"),
        (("transitions", 0, "kind"), "leap", "Transition"),
        (("transitions", 0, "decision", "propensity"), None, "Transition"),
        (("answers", 0, "attempts", 0, "status"), "lost", "Answer"),
        (("answers", 0, "verdict", "observation", "outcome"), "praised", "Answer"),
        (("answers", 0, "verdict"), [], "Answer"),
    ],
)
async def test_a_part_of_the_wrong_shape_names_its_path(memory, path, value, noun):
    part, *inside, last = path
    reduce(getitem, inside, memory[part])[last] = value
    with pytest.raises(ValidationError) as refused:
        from_json(Logged, memory)
    assert noun in refused.value.title
    assert {error["loc"] for error in refused.value.errors()} == {path[1:]}


async def test_a_part_that_lacks_a_field_names_it(memory):
    del memory["answers"][0]["model_id"]
    with pytest.raises(ValidationError) as refused:
        from_json(Routed, memory)
    assert [error["loc"] for error in refused.value.errors()] == [(0, "model_id")]


@pytest.mark.parametrize("text", ["\ud83d", "a\u0000b", "\u2028", "𝟙🙂"])
def test_whatever_text_a_provider_sends_survives(text):
    """Half a character, as where a vendor cuts a stream of them, is still JSON."""
    answer = Answer(
        step=0, model_id="m", provider="p", tier="slm", simulated=False, predicted_prob=0.5,
        message={"content": text}, failure=Failure("server", "ProviderServer", text),
    )  # fmt: skip
    memory = json.loads(json.dumps(to_json(Change(answers=(answer,)))))
    (kept,) = memory["answers"]
    assert (kept["message"]["content"], kept["failure"]["message"]) == (text, text)
