import pytest

from x25.routing.plan.chat_parameters import ChatParameters, check_parameters
from x25.state.errors import InvalidRequest

FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
PASSED_ON = {
    "max_tokens": 5, "max_completion_tokens": 5, "temperature": 0, "top_p": 0.5, "top_k": 40, "min_p": 0.1,
    "top_a": 0.1, "typical_p": 1, "frequency_penalty": -2, "presence_penalty": 2, "repetition_penalty": 1.1,
    "seed": -(2**63), "stop": ["a", "b"], "logit_bias": {"50256": -100}, "n": 1, "logprobs": True,
    "top_logprobs": 20, "stream": False, "tools": [FUNCTION, {"type": "custom", "custom": {"name": "c"}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": False,
    "functions": [{"name": "f", "parameters": {}}], "function_call": {"name": "f"},
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": True}},
    "reasoning_effort": "minimal", "verbosity": "low", "modalities": ["text", "audio"],
    "audio": {"voice": "alloy", "format": "wav"}, "prediction": {"type": "content", "content": "x"},
    "service_tier": "flex", "store": False, "metadata": {"a": "b"}, "user": "u", "safety_identifier": "s",
    "prompt_cache_key": "k", "prompt_cache_retention": "24h", "memory_hit": True,
    "reasoning": {"effort": "low", "max_tokens": 9, "exclude": True}, "include_reasoning": False,
    "thinking": {"type": "enabled", "budget_tokens": 1024}, "enable_thinking": False, "thinking_budget": 512,
    "chat_template_kwargs": {"enable_thinking": False},
}  # fmt: skip


def test_every_parameter_is_known_with_a_value_and_kept_as_it_is():
    assert PASSED_ON.keys() == ChatParameters.__annotations__.keys()
    assert check_parameters(PASSED_ON) == PASSED_ON


@pytest.mark.parametrize("name", PASSED_ON)
def test_null_counts_as_not_given(name):
    assert check_parameters({name: None}) == {}


@pytest.mark.parametrize("value", [[], {}, "x", 5.5, True, -7, [[]], {"a": []}, object()])
@pytest.mark.parametrize("name", PASSED_ON)
def test_a_value_of_another_type_is_refused_by_name_or_is_one_that_the_type_holds(name, value):
    refused = None
    try:
        check_parameters({name: value})
    except InvalidRequest as error:
        refused = error
    assert refused is None or (refused.field.startswith(f"options.{name}") and refused.field in str(refused))


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"temperature": "0.5"}, "options.temperature"),
        ({"temperature": 3}, "options.temperature"),
        ({"temperature": float("nan")}, "options.temperature"),
        ({"temperature": True}, "options.temperature"),
        ({"seed": 2**63}, "options.seed"),
        ({"seed": 1.5}, "options.seed"),
        ({"max_tokens": 10**400}, "options.max_tokens"),
        ({"stop": 5}, "options.stop"),
        ({"stop": ["a"] * 65}, "options.stop"),
        ({"stop": ["a", None]}, "options.stop"),
        ({"logit_bias": {"1": 101}}, "options.logit_bias"),
        ({"logit_bias": []}, "options.logit_bias"),
        ({"n": 2}, "options.n"),
        ({"logprobs": 1}, "options.logprobs"),
        ({"logprobs": "true"}, "options.logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "options.top_logprobs"),
        ({"logprobs": True, "top_logprobs": -1}, "options.top_logprobs"),
        ({"logprobs": True, "top_logprobs": True}, "options.top_logprobs"),
        ({"logprobs": True, "top_logprobs": 2.0}, "options.top_logprobs"),
        ({"thinking": {"type": "on"}}, "options.thinking.type"),
        ({"thinking": {"type": "enabled", "budget_tokens": 0}}, "options.thinking.budget_tokens"),
        ({"reasoning": {"effort": "some"}}, "options.reasoning.effort"),
        ({"thinking_budget": "9"}, "options.thinking_budget"),
        ({"tools": {}}, "options.tools"),
        ({"tools": [FUNCTION] * 513}, "options.tools"),
        ({"tools": [{"type": "web_search"}]}, "options.tools[0].type"),
        ({"tools": [FUNCTION, {"type": "openrouter:web_search"}]}, "options.tools[1].type"),
        ({"tools": [{"type": "function", "function": []}]}, "options.tools[0].function"),
        ({"tools": [{"type": "function", "function": {"name": 5}}]}, "options.tools[0].function.name"),
        ({"tool_choice": "any"}, "options.tool_choice"),
        ({"tool_choice": {"type": "function"}}, "options.tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": []}}}, "options.tool_choice"),
        ({"tool_choice": "required"}, "options.tool_choice"),
        ({"tool_choice": "required", "tools": []}, "options.tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "options.tool_choice"),
        (
            {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "other"}}},
            "options.tool_choice",
        ),
        (
            {"tools": [FUNCTION], "tool_choice": {"type": "custom", "custom": {"name": "other"}}},
            "options.tool_choice",
        ),
        ({"function_call": []}, "options.function_call"),
        ({"response_format": {"type": "xml"}}, "options.response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "options.response_format.json_schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": []}},
            "options.response_format.json_schema",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": 5}}},
            "options.response_format.json_schema.name",
        ),
        ({"reasoning_effort": {"effort": "high"}}, "options.reasoning_effort"),
        ({"modalities": "audio"}, "options.modalities"),
        ({"modalities": ["video"]}, "options.modalities"),
        ({"audio": {"voice": "alloy"}}, "options.audio.format"),
        ({"prediction": {"type": "content"}}, "options.prediction.content"),
        ({"metadata": {"a": 1}}, "options.metadata"),
        ({"user": 5}, "options.user"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_of_another_type_or_out_of_range_is_named(options, field):
    with pytest.raises(InvalidRequest) as caught:
        check_parameters(options)
    assert caught.value.field == field


@pytest.mark.parametrize("given", [{}, {"logprobs": None}, {"logprobs": False}])
def test_the_likeliest_tokens_are_told_beside_those_of_the_answer_alone(given):
    with pytest.raises(InvalidRequest, match=r"needs options\.logprobs to be true") as caught:
        check_parameters({"top_logprobs": 5, **given})
    assert caught.value.field == "options.top_logprobs"
    assert check_parameters({"top_logprobs": 0, "logprobs": False}) == {"top_logprobs": 0, "logprobs": False}
    assert check_parameters({"top_logprobs": 5, "logprobs": True}) == {"top_logprobs": 5, "logprobs": True}


@pytest.mark.parametrize(
    "name", ["models", "provider", "api_base", "stream_options", "temprature", "Temperature"]
)
def test_a_word_that_is_no_parameter_is_refused_unless_it_asks_for_nothing(name):
    assert check_parameters({name: None}) == {}
    with pytest.raises(InvalidRequest, match=rf"options\.{name} is no parameter of this gateway; ") as caught:
        check_parameters({name: 1})
    assert caught.value.field == f"options.{name}"


def test_a_misspelt_name_is_put_right():
    with pytest.raises(InvalidRequest, match="did you mean 'temperature'"):
        check_parameters({"temprature": 1})


@pytest.mark.parametrize("name", ["", "x" * 300, 5])
def test_a_name_that_could_not_be_quoted_is_not(name):
    with pytest.raises(InvalidRequest) as caught:
        check_parameters({name: 1})
    assert (caught.value.field, len(str(caught.value)) < 200) == ("options", True)


@pytest.mark.parametrize(
    "tool", [{}, {"type": "function"}, {"type": "function", "function": {}}, {"type": "custom", "custom": {}}]
)
def test_a_tool_has_a_name(tool):
    named = {"type": "function", "function": {"name": "f"}}
    assert check_parameters({"tools": [named]}) == {"tools": [named]}
    with pytest.raises(InvalidRequest) as refused:
        check_parameters({"tools": [named, tool]})
    assert refused.value.field == f"options.tools[1].{tool.get('type', 'function')}.name"
