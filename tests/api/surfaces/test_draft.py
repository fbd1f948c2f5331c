import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from x25.api.surfaces.draft import Draft


def call(index, text, name=None):
    named = {} if name is None else {"id": f"k{index}", "type": "function"}
    called = {"arguments": text} if name is None else {"name": name, "arguments": text}
    return {"tool_calls": [{"index": index, **named, "function": called}]}


def verbs(steps):
    return [(step.verb, step.part.place) for step in steps]


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
    draft, begun, steps = Draft(), set(), []
    while any(queues):
        index = chance.choice([place for place, queue in enumerate(queues) if queue])
        steps += draft.take(call(index, queues[index].pop(0), None if index in begun else "f"))
        begun.add(index)
    steps += draft.finish()
    grown = {}
    for step in steps:
        if step.verb == "grow":
            assert step.part.number in grown
            grown[step.part.number] += step.said
        elif step.verb == "begin":
            grown[step.part.number] = ""
    assert grown == dict(enumerate(texts))
    assert sum(step.verb == "end" for step in steps) == len(texts)
