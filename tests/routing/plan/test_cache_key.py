import pytest

from x25.routing.plan.cache_key import is_one_question, question_apart, request_key, why_uncacheable
from x25.routing.plan.configs import RouterConfig
from x25.routing.plan.request import check_request

ROUTERS = {"auto": RouterConfig(name="auto"), "other": RouterConfig(name="other", max_escalations=1)}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def key_of(rules=(), **request):
    given = {"prompt": "Where is Oslo?", **request}
    if "messages" in given:
        given.pop("prompt")
    checked = check_request(given, routers=ROUTERS, max_chars=10_000)
    return request_key(checked, checked["messages"], ROUTERS[checked["router"]], rules)


DIFFERENT = [
    {"prompt": "where is Oslo?"}, {"options": {"temperature": 0}}, {"options": {"temperature": 0.5}},
    {"options": {"tools": [TOOL]}}, {"options": {"tools": [TOOL], "tool_choice": "none"}},
    {"options": {"response_format": {"type": "json_object"}}}, {"options": {"seed": 1}}, {"options": {"max_tokens": 9}},
    {"options": {"top_p": 0.5}}, {"options": {"stop": ["x"]}}, {"options": {"logprobs": True}},
    {"policy": {"max_tier": "slm"}}, {"policy": {"quality_bar": 0.9}}, {"router": "other"}, {"hint": "qa"},
    {"optimize_for": "cost-first"}, {"rules": (2, 0.9, None)},
    {"routing_hints": {"chain_routing": "sticky", "chain_id": "a"}}, {"options": {"memory_hit": True}},
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is Oslo?"}]},
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hi"},
                  {"role": "user", "content": "Where is Oslo?"}]},
]  # fmt: skip


def test_whatever_changes_an_answer_is_another_request():
    keys = [key_of(**one) for one in [{}, *DIFFERENT]]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {64}


@pytest.mark.parametrize(
    "same",
    [
        {"org": "acme"},
        {"user_id": "u1"}, {"call_id": "c1"}, {"conversation_id": "talk"}, {"options": {"user": "ann"}},
        {"options": {"metadata": {"a": "b"}}}, {"mode": "cache"}, {"cache": "exact"},
        {"messages": [{"content": "Where is Oslo?", "role": "user"}]},
    ],
)  # fmt: skip
def test_who_asks_under_which_label_is_the_same_request(same):
    assert key_of(**same) == key_of()


def test_zero_is_a_temperature_however_it_is_written():
    assert key_of(options={"temperature": 0}) == key_of(options={"temperature": 0.0})


def test_the_question_is_taken_out_of_its_context():
    system, asked = {"role": "system", "content": "Be brief."}, {"role": "user", "content": " Where? "}
    assert question_apart([system, asked]) == ("Where?", [system, {"role": "user", "content": ""}])


@pytest.mark.parametrize(
    "messages",
    [
        [], [{"role": "assistant", "content": "x"}], [{"role": "user", "content": "  "}],
        [{"role": "user", "content": [{"type": "text", "text": "x"}]}],
        [{"role": "tool", "content": "x", "tool_call_id": "t"}, {"role": "user", "content": "x"}],
    ],
)  # fmt: skip
def test_what_is_no_plain_question_has_no_other_wording(messages):
    assert question_apart(messages) is None


def test_tools_schemas_and_several_answers_are_no_one_question():
    assert is_one_question({"temperature": 0.2, "n": 1})
    for options in ({"tools": [TOOL]}, {"n": 2}, {"response_format": {"type": "json_object"}}, {"seed": 4}):
        assert not is_one_question(options)


@pytest.mark.parametrize(
    ("content", "options", "why"),
    [
        ("x", {"store": True}, "vendor to keep"), ("x", {"web_search_options": {}}, "web"),
        ("x", {"tools": [{"type": "web_search"}]}, "vendor runs"), ("x", {"modalities": ["text",
        "audio"]}, "poken"),
        ([{"type": "image_url", "image_url": {"url": "https://a/b.png"}}], {}, "address"),
    ],
)  # fmt: skip
def test_what_may_be_answered_otherwise_next_time_is_not_kept(content, options, why):
    assert why in why_uncacheable([{"role": "user", "content": content}], options)


def test_what_is_sent_along_does_not_change():
    inline = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
        {"type": "text", "text": "https://a"},
    ]
    assert why_uncacheable([{"role": "user", "content": inline}], {"tools": [TOOL]}) is None
