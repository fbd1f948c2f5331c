import json

import pytest

from x25.routing.plan.request import (
    answer_tokens,
    check_hint,
    check_messages,
    check_options,
    check_request,
    check_schemas,
    named_schemas,
)
from x25.state.errors import InvalidRequest
from x25.state.types import TASK_TYPES

ROUTERS = ("auto", "x25-classic")


def checked(**request):
    question = {} if "messages" in request else {"prompt": "Hi"}
    return check_request({**question, **request}, routers=ROUTERS, max_chars=1_000)


def test_a_prompt_is_all_a_request_needs():
    request = checked()
    assert request["messages"] == [{"role": "user", "content": "Hi"}]
    assert (request["org"], request["router"], request["hint"]) == ("default", "auto", None)
    assert (request["options"], request["policy"]) == ({}, {})
    assert sum(request["optimize_for"].values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": " \n"}, "prompt"),
        ({"prompt": 7}, "prompt"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "robot"}]}, "messages[1].role"),
        ({"messages": ["Hi"]}, "messages[0].role"),
        ({"org": "My Lab"}, "org"),
        ({"hint": "poetry"}, "hint"),
        ({"router": "nowhere"}, "router"),
        ({"options": [1]}, "options"),
        ({"options": {"max_tokens": 0}}, "options.max_tokens"),
        ({"options": {"max_completion_tokens": True}}, "options.max_completion_tokens"),
        ({"prompt": "x" * 1_000}, "prompt"),
    ],
)
def test_what_breaks_a_rule_is_named(request_, field):
    with pytest.raises(InvalidRequest) as caught:
        checked(**request_)
    assert caught.value.field == field


def test_unknown_policy_keys_are_refused():
    with pytest.raises(InvalidRequest, match="max_cost_usd"):
        checked(policy={"max_cost_usd": 1})


def test_messages_win_over_the_prompt_and_pass_untouched():
    messages = [
        {"role": "system", "content": "Be brief.", "name": "s"},
        {"role": "user", "content": [{"type": "text", "text": "part"}]},
    ]
    assert checked(messages=messages)["messages"] == messages


@pytest.mark.parametrize("content", [5, {}, ["part"], [{"text": "no type"}], [{"type": "text", "text": 5}]])
def test_content_that_the_cascade_could_not_read_is_refused(content):
    with pytest.raises(InvalidRequest) as caught:
        checked(messages=[{"role": "user", "content": content}])
    assert caught.value.field == "messages[0].content"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"tools": 5}, "options.tools"),
        ({"tools": ["a"]}, "options.tools[0]"),
        ({"response_format": "json"}, "options.response_format"),
        ({"response_format": {"type": ["json_object"]}}, "options.response_format.type"),
        ({"tools": [{"type": "function"}, {"type": 5}]}, "options.tools[1].type"),
    ],
)
def test_options_that_the_free_checks_read_are_checked(options, field):
    with pytest.raises(InvalidRequest) as caught:
        checked(prompt="Hi", options=options)
    assert caught.value.field == field


def response_format(schema):
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}}


def tools(*parameters):
    functions = [{"name": f"f{index}", "parameters": one} for index, one in enumerate(parameters)]
    return {"tools": [{"type": "function", "function": one} for one in functions]}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (response_format({"type": "objekt"}), "options.response_format.json_schema.schema"),
        (response_format([]), "options.response_format.json_schema.schema"),
        (tools({}, {"properties": {"a": {"$ref": "#/nowhere"}}}), "options.tools[1].function.parameters"),
        (tools({"required": "a"}), "options.tools[0].function.parameters"),
        ({**tools({}), **response_format({"pattern": "("})}, "options.response_format.json_schema.schema"),
    ],
)
def test_a_schema_that_is_none_is_refused_by_its_field(options, field):
    with pytest.raises(InvalidRequest, match="is not a JSON schema: ") as caught:
        check_schemas(options)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tools": None, "response_format": None},
        {"response_format": {"type": "json_object", "json_schema": {"schema": 5}}},
        {"response_format": {"type": "json_schema"}},
        {
            "tools": [
                {"type": "custom", "custom": {"name": "c"}},
                {"type": "function", "function": {"name": "f"}},
            ]
        },
    ],
)
def test_a_request_may_name_no_schema(options):
    check_schemas(options)
    assert list(named_schemas(options)) == []


def test_length_is_that_of_the_json_and_the_limit_is_accepted():
    messages = [{"role": "user", "content": "ä" * 10}]
    size = len(json.dumps(messages, ensure_ascii=False))
    assert check_messages({"messages": messages}, size) == messages
    with pytest.raises(InvalidRequest, match=f"is {size} characters long, at most {size - 1}"):
        check_messages({"messages": messages}, size - 1)


def test_base64_is_not_counted_as_prompt():
    photo = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64," + "A" * 5_000}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, photo]}]
    assert check_messages({"messages": messages}, 300) == messages
    words = [{"role": "user", "content": "A" * 5_000}]
    with pytest.raises(InvalidRequest, match="at most 300 are accepted"):
        check_messages({"messages": words}, 300)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"max_tokens": 50, "max_completion_tokens": None}, {"max_tokens": 50}),
        ({"max_tokens": None, "max_completion_tokens": 50}, {"max_completion_tokens": 50}),
        ({"max_tokens": 50, "max_completion_tokens": 60}, {"max_completion_tokens": 50}),
        ({"max_tokens": 60, "max_completion_tokens": 50}, {"max_completion_tokens": 50}),
        ({"max_tokens": None}, {}),
        ({}, {}),
    ],
)
def test_one_limit_on_the_answer_is_kept_the_smaller(given, kept):
    assert check_options(given) == kept


@pytest.mark.parametrize("hint", [*TASK_TYPES, "general", None])
def test_known_hints_are_kept(hint):
    assert check_hint(hint) == hint


def test_options_lose_what_the_cascade_sets_itself():
    options = {"temperature": 0, "tools": [], "stream": False, "n": 1, "seed": None}
    assert check_options(options) == {"temperature": 0}


@pytest.mark.parametrize(
    ("options", "tokens"),
    [
        ({}, 100),
        ({"max_tokens": 7}, 7),
        ({"max_tokens": 7, "max_completion_tokens": 9}, 7),
        ({"max_tokens": 7, "max_completion_tokens": None}, 7),
        ({"max_tokens": 5_000}, 200),
    ],
)
def test_answer_tokens_are_the_callers_or_the_default_within_the_models(options, tokens):
    assert answer_tokens(options, default=100, model_limit=200) == tokens


def test_a_memory_hit_is_taken_out_of_what_goes_to_the_model():
    checked = check_request(
        {"prompt": "x", "options": {"memory_hit": True, "seed": 1}}, routers=["auto"], max_chars=99
    )
    assert (checked["memory_hit"], checked["options"]) == (True, {"seed": 1})
    assert check_request({"prompt": "x"}, routers=["auto"], max_chars=99)["memory_hit"] is False
    with pytest.raises(InvalidRequest, match=r"options\.memory_hit must be true or false"):
        check_options({"memory_hit": "yes"})
