import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x25.providers.wire.fragments import ToolFragments
from x25.providers.wire.reply import MAX_TOOL_CALLS
from x25.state.errors import ProviderMalformed

ARGUMENTS = [json.dumps({"city": "Zürich 🌍", "n": 1}), json.dumps({"q": "a\u2028b"}), "{}"]
NAMES = ["get_weather", "search", "search"]


def together(deltas):
    """Put deltas together as OpenAI's clients do: by index, text after text."""
    calls = {}
    for delta in deltas:
        known = calls.setdefault(delta["index"], {"id": None, "name": "", "arguments": ""})
        known["id"] = known["id"] or delta.get("id")
        known["name"] += delta["function"].get("name", "")
        known["arguments"] += delta["function"].get("arguments", "")
    return [calls[index] for index in sorted(calls)]


def cut(text, places):
    at = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in itertools.pairwise(at)]


@st.composite
def streams(draw):
    """Three calls as a vendor may chunk and number them, each begun before the next one."""
    style = draw(st.sampled_from(["openai", "from one", "text", "all zero", "none"]))
    repeats_name = draw(st.booleans())
    batches = []
    for place, (name, arguments) in enumerate(zip(NAMES, ARGUMENTS, strict=True)):
        number = {"openai": place, "from one": place + 1, "text": str(place), "all zero": 0}.get(style)
        index = {} if number is None else {"index": number}
        head = {**index, "id": f"id-{place}", "type": "function", "function": {"name": name, "arguments": ""}}
        batches.append([head])
        for part in cut(arguments, draw(st.lists(st.integers(0, 99), max_size=6))):
            again = {"name": name} if repeats_name else {}
            fragment = {**index, "function": {**again, "arguments": part}}
            batches[-1 if draw(st.booleans()) else len(batches) - 1].append(fragment)
    return [[one] for batch in batches for one in batch] if draw(st.booleans()) else batches


@given(streams())
def test_calls_survive_any_chunking_and_numbering(batches):
    fragments = ToolFragments("d")
    sent = [delta for batch in batches for delta in fragments.add(batch)] + fragments.rest()
    wanted = [
        {"id": f"id-{place}", "name": name, "arguments": arguments}
        for place, (name, arguments) in enumerate(zip(NAMES, ARGUMENTS, strict=True))
    ]
    assert together(sent) == wanted
    whole = [
        {"id": one["id"], **{key: one["function"][key] for key in ("name", "arguments")}}
        for one in fragments.calls()
    ]
    assert whole == wanted


TURNS = [
    [{"index": 0, "id": "a", "function": {"name": "one", "arguments": ""}},
     {"index": 1, "id": "b", "function": {"name": "two", "arguments": ""}},
     {"index": 2, "id": "c", "function": {"name": "six", "arguments": ""}}],
    [{"index": 2, "function": {"arguments": '{"z"'}}, {"index": 1, "function": {"arguments": '{"y": {'}}],
    [{"index": 0, "function": {"arguments": '{"x"'}}, {"index": 2, "function": {"arguments": ": 3}"}}],
    [{"index": 1, "function": {"arguments": "}}"}}, {"index": 0, "function": {"arguments": ": 1}"}}],
]  # fmt: skip
"""Three calls whose fragments come in turns, the arguments of the last one first."""


def test_calls_are_passed_on_one_after_another_in_the_order_in_which_they_began():
    fragments = ToolFragments("d")
    sent = [delta for batch in TURNS for delta in fragments.add(batch)]
    assert [one["index"] for one in sent] == [0, 0, 1, 2]
    assert [one["id"] for one in sent if "id" in one] == ["a", "b", "c"]
    assert together(sent + fragments.rest()) == [
        {"id": one["id"], "name": one["function"]["name"], "arguments": one["function"]["arguments"]}
        for one in fragments.calls()
    ]
    assert [one["function"]["arguments"] for one in fragments.calls()] == [
        '{"x": 1}',
        '{"y": {}}',
        '{"z": 3}',
    ]


def test_a_call_is_passed_on_piece_by_piece_once_the_one_before_it_is_whole():
    fragments = ToolFragments("d")
    fragments.add([{"index": 0, "id": "a", "function": {"name": "one", "arguments": '{"x": 1}'}}])
    began = fragments.add([{"index": 1, "id": "b", "function": {"name": "two", "arguments": "{"}}])
    assert [one["function"]["arguments"] for one in began] == ["{"]
    assert [one["index"] for one in fragments.add([{"index": 1, "function": {"arguments": "}"}}])] == [1]


def test_calls_after_one_whose_arguments_never_end_are_passed_on_at_the_end():
    fragments = ToolFragments("d")
    sent = fragments.add([{"index": 0, "id": "a", "function": {"name": "one", "arguments": '{"x": '}}])
    sent += fragments.add([{"index": 1, "id": "b", "function": {"name": "two", "arguments": "{}"}}])
    assert [one["index"] for one in sent] == [0]
    assert [one["index"] for one in fragments.rest()] == [1]


def test_what_follows_a_whole_call_is_passed_on_all_the_same():
    fragments = ToolFragments("d")
    sent = fragments.add([{"index": 0, "id": "a", "function": {"name": "one", "arguments": "{}"}}])
    sent += fragments.add([{"index": 1, "id": "b", "function": {"name": "two", "arguments": "{}"}}])
    sent += fragments.add([{"index": 0, "function": {"arguments": " "}}])
    assert together(sent)[0]["arguments"] == fragments.calls()[0]["function"]["arguments"] == "{} "


@pytest.mark.parametrize("first", ["{}", "null", " "])
def test_arguments_that_follow_a_stand_in_take_its_place(first):
    fragments = ToolFragments("d")
    sent = fragments.add([{"index": 0, "id": "a", "function": {"name": "one", "arguments": first}}])
    sent += fragments.add([{"index": 0, "function": {"arguments": '{"at":'}}])
    sent += fragments.add([{"index": 0, "function": {"arguments": "1}"}}]) + fragments.rest()
    assert together(sent)[0]["arguments"] == fragments.calls()[0]["function"]["arguments"] == '{"at":1}'
    alone = ToolFragments("d")
    alone.add([{"index": 0, "id": "a", "function": {"name": "one", "arguments": first}}])
    assert alone.rest()[0]["function"]["arguments"] == alone.calls()[0]["function"]["arguments"] == "{}"


def test_a_name_after_a_whole_call_begins_another_where_nothing_else_tells_them_apart():
    fragments = ToolFragments("d")
    sent = [
        one
        for city in ("Oslo", "Rome")
        for one in fragments.add([{"function": {"name": "look", "arguments": json.dumps({"at": city})}}])
    ]
    assert [one["index"] for one in sent] == [0, 1]
    assert [json.loads(one["function"]["arguments"])["at"] for one in fragments.calls()] == ["Oslo", "Rome"]
    assert len({one["id"] for one in fragments.calls()}) == 2


def test_a_call_without_the_object_around_it_is_read():
    fragments = ToolFragments("d")
    sent = fragments.add([{"index": 0, "id": "a", "name": "one", "arguments": '{"at": 1}'}])
    assert together(sent) == [{"id": "a", "name": "one", "arguments": '{"at": 1}'}]
    assert fragments.calls()[0].keys() == {"id", "type", "function"}


def test_calls_that_interleave_stay_apart():
    fragments = ToolFragments("d")
    given_ = [
        {"index": 5, "id": "a", "function": {"name": "one"}}, {"index": 2, "id": "b", "function": {"name": "two"}},
        {"index": 5, "function": {"arguments": "{1"}}, {"index": 2, "function": {"arguments": "{2"}},
        {"index": 5, "function": {"arguments": "}"}}, {"index": 2, "function": {"arguments": "}"}},
    ]  # fmt: skip
    sent = [delta for one in given_ for delta in fragments.add([one])] + fragments.rest()
    assert [one["function"]["arguments"] for one in fragments.calls()] == ["{1}", "{2}"]
    assert together(sent) == [
        {"id": one["id"], "name": one["function"]["name"], "arguments": one["function"]["arguments"]}
        for one in fragments.calls()
    ]


def test_a_name_in_pieces_an_object_and_no_id_are_taken_too():
    fragments = ToolFragments("d")
    sent = fragments.add([{"function": {"name": "get_"}}])
    sent += fragments.add([{"function": {"name": "weather"}}])
    assert sent == []
    sent += fragments.add([{"function": {"arguments": {"city": "é"}}}])
    sent += fragments.add([{"id": "late", "function": {"arguments": ""}}])
    assert together(sent) == [{"id": "call_0", "name": "get_weather", "arguments": '{"city": "é"}'}]
    assert fragments.calls()[0]["id"] == "call_0"


def test_ids_given_twice_are_told_apart_and_signatures_kept():
    fragments = ToolFragments("d")
    sent = fragments.add([
        {"index": 0, "id": "x", "function": {"name": "a", "arguments": "{}"}, "extra_content": {"sig": "s"}},
        {"index": 1, "id": "x", "function": {"name": "b", "arguments": "{}"}},
    ])  # fmt: skip
    assert [one["id"] for one in sent + fragments.rest()] == ["x", "x_1"]
    assert sent[0]["extra_content"] == {"sig": "s"}
    assert [one["id"] for one in fragments.calls()] == ["x", "x_1"]
    assert fragments.calls()[0]["extra_content"] == {"sig": "s"}


def test_a_custom_tool_has_input():
    fragments = ToolFragments("d")
    sent = fragments.add([{"index": 0, "id": "c", "custom": {"name": "sh", "input": "l"}}])
    sent += fragments.add([{"index": 0, "custom": {"input": "s"}}])
    assert [one["custom"] for one in sent] == [{"name": "sh", "input": "l"}, {"input": "s"}]
    assert fragments.calls()[0]["custom"] == {"name": "sh", "input": "ls"}


@pytest.mark.parametrize(
    "given_", ["x", [1], [{"index": n, "function": {}} for n in range(MAX_TOOL_CALLS + 1)]]
)
def test_what_is_no_list_of_fragments_is_refused(given_):
    with pytest.raises(ProviderMalformed):
        ToolFragments("d").add(given_)
