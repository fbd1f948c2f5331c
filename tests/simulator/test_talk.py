import json
from decimal import Decimal

import pytest

from x25.routing.answer.checks import run_checks
from x25.simulator.models import SimulatedModel, answer
from x25.simulator.talk import chosen_tool, greeting

MODEL = SimulatedModel("sim/x", "slm", "chat", 0.0, Decimal("0.05"), Decimal("0.20"), 20.0, 5.0)
WEATHER = {
    "name": "get_weather",
    "description": "Weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
MAIL = {
    "name": "sendMail",
    "description": "Send a message to somebody.",
    "parameters": {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]},
}
TOOLS = [{"type": "function", "function": one} for one in (MAIL, WEATHER)]


def said(*messages, **options):
    turns = [{"role": "user", "content": one} if isinstance(one, str) else one for one in messages]
    return answer(MODEL, {"model": "sim/x", "messages": turns, **options}, 7)


@pytest.mark.parametrize("prompt", ["Hi", "hello!", "Hey there.", "Good morning", "Say hello.", "Guten Tag!"])
def test_a_greeting_is_greeted(prompt):
    text = said(prompt).message["content"]
    assert text.startswith("Hello!")
    assert "simulated" in text


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "Say which city is larger.",
        "Hidden files",
        "Hi, what is 2 + 2?",
        "Hello, please write a poem",
    ],
)
def test_what_is_more_than_a_greeting_is_not(prompt):
    assert greeting(prompt, "sim/x") is None


def test_what_it_cannot_do_it_says_plainly_and_no_check_takes_it_for_a_refusal():
    message = said("Who wrote Faust?").message
    assert "simulated" in message["content"]
    assert "no knowledge" in message["content"]
    assert "Who wrote Faust?" in message["content"]
    for one in (message, said("Hi").message):
        assert run_checks(one, "stop", {}).failed is None


@pytest.mark.parametrize("choice", [{}, {"tool_choice": "auto"}])
def test_a_tool_that_fits_is_called_on_auto_with_what_the_prompt_names(choice):
    done = said("What is the weather in Paris?", tools=TOOLS, **choice)
    (call,) = done.message["tool_calls"]
    assert done.finish_reason == "tool_calls"
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == {"city": "Paris"}


@pytest.mark.parametrize(
    ("prompt", "choice"),
    [
        ("Calculate 2 + 2. Give the number.", "auto"),
        ("What is the weather in Paris?", "none"),
        ("Hi", "auto"),
    ],
)
def test_no_tool_is_called_where_none_fits_or_none_is_wanted(prompt, choice):
    assert "tool_calls" not in said(prompt, tools=TOOLS, tool_choice=choice).message


def test_a_tool_result_is_taken_up():
    call = said("What is the weather in Paris?", tools=TOOLS).message
    result = {
        "role": "tool",
        "tool_call_id": call["tool_calls"][0]["id"],
        "content": '{"sky": "clear", "celsius": 21}',
    }
    done = said("What is the weather in Paris?", call, result, tools=TOOLS)
    assert done.finish_reason == "stop"
    assert '"celsius": 21' in done.message["content"]


def test_a_new_question_after_a_result_is_a_new_question():
    call = said("What is the weather in Paris?", tools=TOOLS).message
    result = {"role": "tool", "tool_call_id": "c", "content": "clear"}
    done = said("What is the weather in Paris?", call, result, "And the weather in Rome?", tools=TOOLS)
    assert json.loads(done.message["tool_calls"][0]["function"]["arguments"]) == {"city": "Rome"}


def test_a_required_tool_is_the_one_that_fits_best():
    body = {"messages": [{"role": "user", "content": "x"}], "tools": TOOLS, "tool_choice": "required"}
    assert chosen_tool(body, "How is the weather?") == WEATHER
    assert chosen_tool(body, "Nothing of the kind") == MAIL
