import pytest

from x25.api.surfaces.response_items import page_of
from x25.api.surfaces.responses_request import messages_of
from x25.state.errors import InvalidRequest

TALK = [
    {"role": "developer", "content": "Be brief."},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "data:,", "detail": "low"}},
            {"type": "file", "file": {"file_data": "data:,", "filename": "a.pdf"}},
        ],
    },
    {
        "role": "assistant",
        "content": "Let me look.",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}},
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    {"role": "user", "content": "And now?"},
]


def page(**more):
    return page_of("call-1", TALK, **({"limit": 100, "order": "asc", "after": None, "names": {}} | more))


def test_a_conversation_is_told_in_items_that_stand_for_it():
    items = page()["data"]
    assert [item["type"] for item in items] == [
        "message", "message", "message", "function_call", "custom_tool_call", "function_call_output", "message",
    ]  # fmt: skip
    assert messages_of(items, lambda _: None) == TALK
    assert len({item["id"] for item in items}) == len(items)


def test_pages_go_on_where_the_one_before_ended_in_either_order():
    first = page(limit=4)
    assert first["has_more"]
    second = page(limit=4, after=first["last_id"])
    assert not second["has_more"]
    assert first["data"] + second["data"] == page()["data"]
    assert page(order="desc")["data"] == page()["data"][::-1]
    assert page(limit=1)["first_id"] == page(limit=1)["last_id"]


def test_an_id_of_no_item_is_refused_and_nothing_is_a_page_too():
    with pytest.raises(InvalidRequest) as refused:
        page(after="item_other_0")
    assert refused.value.field == "after"
    assert page_of("call-1", [], limit=1, order="asc", after=None, names={})["data"] == []
