import pytest

from x25.api.surfaces.response_memory import PreviousResponseNotFound, earlier_messages, item_of
from x25.graph.memory.remembered import RememberedAnswers

CALLS = [
    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
    {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}},
]
TALK = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello", "tool_calls": CALLS}]


@pytest.fixture
def memory():
    memory = RememberedAnswers(60.0)
    memory.remember("lab", "call-1", TALK)
    return memory


def known(memory):
    async def conversation(org, call_id):
        return memory.conversation(org, call_id)

    return conversation


async def test_a_response_is_gone_on_from(memory):
    assert await earlier_messages(known(memory), "lab", "resp_call-1") == TALK
    assert await earlier_messages(known(memory), "lab", None) == []


@pytest.mark.parametrize(
    ("org", "name"), [("other", "resp_call-1"), ("lab", "resp_call-2"), ("lab", "call-1"), ("lab", "")]
)
async def test_only_by_its_own_org_and_under_its_own_name(memory, org, name):
    with pytest.raises(PreviousResponseNotFound):
        await earlier_messages(known(memory), org, name)


def test_items_of_an_answer_go_by_their_ids(memory):
    assert item_of(memory, "lab", "msg_call-1") == {"role": "assistant", "content": "hello"}
    assert item_of(memory, "lab", "fc_call-1_0")["tool_calls"] == [CALLS[0]]
    assert item_of(memory, "lab", "ctc_call-1_1")["tool_calls"] == [CALLS[1]]


@pytest.mark.parametrize("name", ["fc_call-1_2", "fc_call-1", "fc_call-1_-1", "msg_call-2", "rs_call-1", ""])
def test_others_are_not_known(memory, name):
    assert item_of(memory, "lab", name) is None
    assert item_of(memory, "other", "msg_call-1") is None
