import pytest

from x25.routing.prompt.complexity import SIGNALS, capabilities_of, complexity_of

BASE = [{"role": "user", "content": "Compare the two plans and say which is cheaper."}]
SPLIT = [
    {"role": "user", "content": "Compare the "},
    {"role": "assistant", "content": "two plans and say "},
    {"role": "user", "content": "which is cheaper."},
]
IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}
TOOL = {"type": "function", "function": {"name": "search"}}
JSON = {"type": "json_object"}


def schema(*names):
    properties = {name: {"type": "string"} for name in names}
    return {"type": "json_schema", "json_schema": {"schema": {"type": "object", "properties": properties}}}


CHANGED = {
    "message_length": ([{"role": "user", "content": "Compare the two plans. " * 40}], {}),
    "conversation_depth": (SPLIT, {}),
    "schema_requirements": (BASE, {"response_format": JSON}),
    "tool_definitions": (BASE, {"tools": [TOOL]}),
    "required_capabilities": ([{"role": "user", "content": [{"type": "text", "text": BASE[0]["content"]}, IMAGE]}], {}),
}  # fmt: skip


def test_every_documented_signal_is_tried():
    assert set(CHANGED) == set(SIGNALS) == set(complexity_of(BASE, {}).points)


@pytest.mark.parametrize("signal", SIGNALS)
def test_each_signal_alone_raises_the_score(signal):
    plain, changed = complexity_of(BASE, {}), complexity_of(*CHANGED[signal])
    assert changed.score > plain.score + 0.01
    assert changed.points[signal] > plain.points[signal]
    others = [name for name in SIGNALS if name != signal]
    assert [changed.points[name] for name in others] == pytest.approx(
        [plain.points[name] for name in others], abs=0.005
    )


def test_the_score_stays_between_nothing_and_one():
    assert complexity_of([], {}).score == 0.0
    heavy = complexity_of([{"role": "user", "content": "x" * 2_000_000}] * 40, {"tools": [TOOL] * 200})
    assert 0.99 < heavy.score <= 1.0


def test_a_schema_counts_more_than_free_json_and_more_the_more_it_names():
    scores = [
        complexity_of(BASE, {"response_format": form}).score
        for form in ({"type": "text"}, JSON, schema("a"), schema("a", "b"))
    ]
    assert scores == sorted(set(scores))


@pytest.mark.parametrize(
    ("options", "required"),
    [
        ({}, []),
        ({"tool_choice": "auto", "max_tokens": 500, "reasoning_effort": "low"}, []),
        ({"tool_choice": "required"}, ["tool_call"]),
        ({"tool_choice": {"type": "function", "function": {"name": "search"}}}, ["tool_call"]),
        ({"max_completion_tokens": 8_000}, ["long_answer"]),
        ({"reasoning_effort": "high"}, ["reasoning"]),
    ],
)
def test_options_say_which_capabilities_are_required(options, required):
    assert capabilities_of(BASE, options) == required
