import pytest

from x25.api.surfaces.response_tools import tool_choice_of, tools_of
from x25.state.errors import InvalidRequest


def test_tools_take_the_form_of_chats():
    grammar = {"type": "grammar", "syntax": "regex", "definition": "a+"}
    assert tools_of(
        [
            {"type": "function", "name": "f", "description": None},
            {"type": "custom", "name": "g", "format": grammar},
        ]
    ) == [
        {"type": "function", "function": {"name": "f"}},
        {
            "type": "custom",
            "custom": {
                "name": "g",
                "format": {"type": "grammar", "grammar": {"syntax": "regex", "definition": "a+"}},
            },
        },
    ]


@pytest.mark.parametrize(
    "kind", ["web_search", "file_search", "mcp", "code_interpreter", "image_generation", None]
)
def test_tools_that_a_vendor_runs_are_refused_by_name(kind):
    with pytest.raises(InvalidRequest, match=str(kind)) as refused:
        tools_of([{"type": "function", "name": "f"}, {"type": kind}])
    assert refused.value.field == "tools[1].type"
    with pytest.raises(InvalidRequest, match=str(kind)):
        tool_choice_of({"type": kind})


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (None, None),
        ("required", "required"),
        ({"type": "function", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
        ({"type": "custom", "name": "g"}, {"type": "custom", "custom": {"name": "g"}}),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]},
            },
        ),
    ],
)
def test_so_does_the_choice_among_them(choice, told):
    assert tool_choice_of(choice) == told
