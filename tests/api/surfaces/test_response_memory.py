from types import SimpleNamespace

import pytest

from x25.api.surfaces.response_memory import (
    PreviousResponseNotFound,
    ResponseNotFound,
    earlier_messages,
    items_of,
    kept_response,
)
from x25.state.responses import KeptResponse

CALLS = [
    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
    {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}},
]
TALK = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello", "tool_calls": CALLS}]
TOLD = {"id": "resp_call-1"}


class Kept:
    """Responses of one org."""

    async def find(self, org, call_id):
        return KeptResponse(TALK, TOLD) if (org, call_id) == ("lab", "call-1") else None

    async def why_unknown(self, org):
        return f"{org} keeps none"


@pytest.fixture
def cascade():
    return SimpleNamespace(responses=Kept())


async def test_a_response_is_read_and_gone_on_from(cascade):
    assert (await kept_response(cascade, "lab", "resp_call-1")).told == TOLD
    assert await earlier_messages(cascade, "lab", "resp_call-1") == TALK
    assert await earlier_messages(cascade, "lab", None) == []


@pytest.mark.parametrize(
    ("org", "name"), [("other", "resp_call-1"), ("lab", "resp_call-2"), ("lab", "call-1"), ("lab", "")]
)
async def test_only_by_its_own_org_and_under_its_own_name(cascade, org, name):
    with pytest.raises(PreviousResponseNotFound, match=f"{org} keeps none"):
        await earlier_messages(cascade, org, name)
    with pytest.raises(ResponseNotFound, match=f"{org} keeps none"):
        await kept_response(cascade, org, name)


async def item(cascade, org, name):
    return (await items_of(cascade, org, [{"type": "item_reference", "id": name}]))(name)


async def test_items_of_an_answer_go_by_their_ids(cascade):
    assert await item(cascade, "lab", "msg_call-1") == {"role": "assistant", "content": "hello"}
    assert (await item(cascade, "lab", "fc_call-1_0"))["tool_calls"] == [CALLS[0]]
    assert (await item(cascade, "lab", "ctc_call-1_1"))["tool_calls"] == [CALLS[1]]


@pytest.mark.parametrize("name", ["fc_call-1_2", "fc_call-1", "fc_call-1_-1", "msg_call-2", "rs_call-1", ""])
async def test_others_are_not_known(cascade, name):
    assert await item(cascade, "lab", name) is None
    assert await item(cascade, "other", "msg_call-1") is None


async def test_what_refers_to_nothing_is_left_to_the_request(cascade):
    for given in ("hi", None, [1, {"type": "item_reference"}, {"type": "item_reference", "id": 3}]):
        assert (await items_of(cascade, "lab", given))("msg_call-1") is None
