import pytest

from x25.routing.plan.request import check_options
from x25.routing.plan.tool_forms import usual_tools

SCHEMA = {"type": "object", "properties": {}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
CHOSEN = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("given", "usual"),
    [
        (TOOL, TOOL),
        ({"type": "function", "name": "f", "parameters": SCHEMA}, TOOL),
        ({"name": "f", "input_schema": SCHEMA}, TOOL),
        ({"type": "custom", "name": "c"}, {"type": "custom", "custom": {"name": "c"}}),
        ({"type": "web_search", "name": "w"}, {"type": "web_search", "name": "w"}),
        (3, 3),
    ],
)
def test_a_tool_takes_a_chats_form(given, usual):
    assert usual_tools({"tools": [given]}) == {"tools": [usual]}


@pytest.mark.parametrize(
    ("given", "usual"),
    [
        ("any", "required"), ("auto", "auto"), ({"type": "auto"}, "auto"), ({"type": "any"}, "required"),
        ({"type": "tool", "name": "f"}, CHOSEN), ({"type": "function", "name": "f"}, CHOSEN), (CHOSEN, CHOSEN),
        ({"type": "some"}, {"type": "some"}), ({"type": []}, {"type": []}), (7, 7),
    ],
)  # fmt: skip
def test_a_choice_takes_a_chats_form(given, usual):
    assert usual_tools({"tool_choice": given}) == {"tool_choice": usual}


def test_a_word_about_tools_that_are_not_there_is_not_sent():
    idle = {
        "tools": [],
        "functions": [],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "function_call": "none",
    }
    assert check_options(idle) == {}
    kept = {"tools": [TOOL], "tool_choice": "none", "parallel_tool_calls": False}
    assert check_options(kept) == kept
    legacy = {"functions": [{"name": "f"}], "function_call": "auto"}
    assert check_options(legacy) == legacy
