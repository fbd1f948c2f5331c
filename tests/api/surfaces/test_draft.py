import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from x25.api.surfaces.draft import Draft
from x25.providers.wire.fragments import ToolFragments


def call(index, text, name=None):
    named = {} if name is None else {"id": f"k{index}", "type": "function"}
    called = {"arguments": text} if name is None else {"name": name, "arguments": text}
    return {"tool_calls": [{"index": index, **named, "function": called}]}


def verbs(steps):
    return [(step.verb, step.part.place) for step in steps]


def in_order(steps):
    """Check that parts are told one after another, as clients take for granted."""
    told, at = [], -1
    for step in steps:
        if step.verb == "begin":
            assert step.part.place == at + 1, "begun out of turn"
            assert told == [], "begun before the one before it ended"
            at = step.part.place
            told.append(at)
        assert told == [step.part.place], "told of a part that is not open"
        if step.verb == "end":
            told.pop()
    assert told == []


def test_a_part_ends_when_the_next_begins():
    draft = Draft()
    steps = [
        *draft.take({"content": "a"}),
        *draft.take(call(0, "{}", "f")),
        *draft.take(call(1, "{}", "g")),
        *draft.finish(),
    ]
    assert verbs(steps) == [
        ("begin", 0), ("grow", 0), ("end", 0),
        ("begin", 1), ("grow", 1), ("end", 1),
        ("begin", 2), ("grow", 2), ("end", 2),
    ]  # fmt: skip


def test_an_answer_of_nothing_has_one_part_without_words():
    draft = Draft()
    assert verbs(draft.finish()) == [("begin", 0), ("end", 0)]
    assert draft.message() == {"role": "assistant", "content": ""}


def test_words_after_a_call_are_a_part_of_their_own():
    draft = Draft()
    for delta in ({"content": "a"}, call(0, "{}", "f"), {"content": "b"}):
        list(draft.take(delta))
    assert [(part.kind, part.number, part.said) for part in draft.parts] == [
        ("text", 0, "a"), ("function", 0, "{}"), ("text", 1, "b"),
    ]  # fmt: skip
    assert draft.message()["content"] == "ab"


def test_a_whole_message_goes_the_same_way():
    said = {"role": "assistant", "content": "word " * 40, "refusal": "No.",
            "tool_calls": [{"id": "k", "type": "custom", "custom": {"name": "g", "input": "free"}}]}  # fmt: skip
    draft, likely = Draft(), [{"token": "w"}]
    steps = list(draft.whole(said, {"content": likely, "refusal": None}))
    assert draft.message() == said
    assert [step.logprobs for step in steps if step.logprobs] == [tuple(likely)]
    assert not any(part.is_open for part in draft.parts)


def test_words_amid_the_arguments_of_a_call_wait_for_their_end():
    draft = Draft()
    deltas = [{"content": "a"}, call(0, "{", "f"), {"content": "b"}, {"refusal": "c"}, call(0, "}"), {"content": "d"},
              call(1, "{", "g"), {"content": "e"}]  # fmt: skip
    steps = [step for delta in deltas for step in draft.take(delta)]
    steps += draft.finish()
    in_order(steps)
    assert [(part.kind, part.said) for part in draft.parts] == [
        ("text", "a"), ("function", "{}"), ("text", "b"), ("refusal", "c"), ("text", "d"), ("function", "{"),
        ("text", "e"),
    ]  # fmt: skip


def test_a_free_text_ends_when_the_next_call_begins():
    draft = Draft()
    custom = {"index": 0, "id": "k", "type": "custom", "custom": {"name": "g", "input": "free"}}
    steps = [*draft.take({"tool_calls": [custom]}), *draft.take(call(1, "{}", "f")), *draft.finish()]
    in_order(steps)


def test_nothing_is_told_of_a_call_that_has_ended():
    draft = Draft()
    deltas = [call(0, "{}", "f"), call(1, "{}", "g"), call(0, " ")]
    steps = [step for delta in deltas for step in draft.take(delta)]
    in_order([*steps, *draft.finish()])
    assert [part.said for part in draft.parts] == ["{}", "{}"]


@given(
    st.lists(
        st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=5), max_size=3),
        min_size=1,
        max_size=4,
    ),
    st.randoms(use_true_random=False),
)
def test_fragments_of_calls_survive_any_chunking_in_any_turns(arguments, chance):
    texts = [json.dumps(one) for one in arguments]
    queues = []
    for text in texts:
        cuts = sorted({0, len(text), *(chance.randrange(len(text) + 1) for _ in range(3))})
        queues.append([text[a:b] for a, b in pairwise(cuts)])
    draft, fragments, steps, begun = Draft(), ToolFragments("d"), [], []
    while any(queues):
        index = chance.choice([place for place, queue in enumerate(queues) if queue])
        fragment = call(index, queues[index].pop(0), None if index in begun else "f")["tool_calls"][0]
        steps += draft.take({"tool_calls": fragments.add([fragment])})
        if chance.random() < 0.2:
            steps += draft.take({"content": "w"})
        begun += [index] if index not in begun else []
    steps += [*draft.take({"tool_calls": fragments.rest()}), *draft.finish()]
    in_order(steps)
    texts = [texts[index] for index in begun]
    steps, grown = [step for step in steps if step.part.is_call], {}
    for step in steps:
        if step.verb == "grow":
            assert step.part.number in grown
            grown[step.part.number] += step.said
        elif step.verb == "begin":
            grown[step.part.number] = ""
    assert grown == dict(enumerate(texts))
    assert sum(step.verb == "end" for step in steps) == len(texts)
