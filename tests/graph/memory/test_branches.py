from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from langchain_core.messages import HumanMessage
from langgraph.types import Overwrite

from x25.graph.memory.branches import CHANGING, branch_off, go_on
from x25.graph.memory.nouns import from_json
from x25.nodes.services import Limits
from x25.routing.plan.org_settings import OrgSettings
from x25.state.errors import InvalidRequest, TextNotKept
from x25.state.working_memory import Opened

NOW = datetime(2026, 11, 27, tzinfo=UTC)
STATE = {
    "org": "acme", "call_id": "c1", "messages": [HumanMessage("hi", id="q1")], "options": {}, "policy": {},
    "optimize_for": {"cost": 1.0}, "router": "auto", "transitions": [], "learned": [],
    "thread": {"org": "acme", "call_id": "c1", "follows": None, "unanswered": ["q1"]},
    "opening": {
        "started_at": "2026-11-20T12:00:00Z", "started_monotonic_s": 5.0, "max_escalations": 2, "explain": True,
        "hint": None, "memory_hit": False, "forked_from": None,
    },
    "timings": [{"node": "lookup_cache", "ms": 1_000}, {"node": "classify", "ms": 500}],
    "answers": [{"step": 0, "message": {"content": "x"}, "attempts": [{"attempt_id": "a"}]}],
}  # fmt: skip


def services(*, is_logged):
    """Return what a resumed run asks of its services: a clock, the routers, and whether the call is logged."""

    async def get(org, call_id):
        assert (org, call_id) == ("acme", "c1")
        return "row" if is_logged else None

    async def of(org, store, now_s):
        return OrgSettings()

    return SimpleNamespace(
        org_settings=SimpleNamespace(of=of), now=lambda: NOW, clock_s=lambda: 1_000.0,
        routers_of=lambda _org: {"auto": None}, limits=Limits(max_prompt_chars=100),
        store=SimpleNamespace(calls=SimpleNamespace(get=get)),
    )  # fmt: skip


async def resumed(node="dispatch", state=STATE, *, is_logged=False):
    return await go_on(node, state, services(is_logged=is_logged), keeps_text=True)


async def test_a_call_that_had_not_ended_goes_on_under_its_id_with_its_clock_begun_anew():
    change = await resumed()
    assert not {"call_id", "answers", "thread"} & change.keys()
    assert change["opening"]["started_monotonic_s"] == 998.5  # it had worked for a second and a half
    assert change["running"] is True


@pytest.mark.parametrize("node", sorted(CHANGING))
async def test_a_call_that_was_logged_is_left_by_a_run_that_changes_it(node):
    change = await resumed(node, is_logged=True)
    assert change["call_id"] == change["thread"]["call_id"] != "c1"
    assert change["opening"]["forked_from"] == "c1"
    assert datetime.fromisoformat(change["opening"]["started_at"]) == NOW
    assert change["answers"] == [
        {"step": 0, "message": {"content": "x"}, "attempts": [], "is_inherited": True}
    ]
    call = from_json(Opened, {**STATE, **change, "messages": []})
    assert call.opening.forked_from == "c1"


@pytest.mark.parametrize("node", ["update_posterior", "audit", "stage_check"])
async def test_what_is_written_once_a_call_is_run_again_under_its_id(node):
    assert not {"call_id", "answers"} & (await resumed(node, is_logged=True)).keys()


async def test_a_call_id_put_in_by_hand_names_the_branch():
    change = await resumed(state={**STATE, "call_id": "mine"})
    assert (change["call_id"], change["opening"]["forked_from"]) == ("mine", "c1")
    with pytest.raises(InvalidRequest, match="call_id must be"):
        await resumed(state={**STATE, "call_id": "../x"})


async def test_edits_by_hand_are_taken_in():
    change = await resumed(state={**STATE, "prompt": "other", "hint": "code", "policy": {"max_tier": "mid"}})
    assert isinstance(change["messages"], Overwrite)
    assert [(message.content, message.id) for message in change["messages"].value] == [("other", "q1")]
    assert (change["opening"]["hint"], change["prompt"], change["hint"]) == ("code", None, None)
    assert change["policy"] == {"max_tier": "mid"}


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        ({"prompt": " "}, "prompt"), ({"prompt": "x" * 200}, "prompt"), ({"hint": "nothing"}, "hint"),
        ({"org": "other"}, "org"), ({"router": "nowhere"}, "router"),
        ({"messages": [{"role": "x"}]}, "messages[0].role"),
    ],
)  # fmt: skip
async def test_an_edit_keeps_the_rules_of_a_request(edit, field):
    with pytest.raises(InvalidRequest) as refused:
        await resumed(state={**STATE, **edit})
    assert refused.value.field == field


async def test_a_thread_without_a_call_has_nothing_to_go_on_with():
    with pytest.raises(InvalidRequest, match="no call to go on with"):
        await resumed(state={"messages": [HumanMessage("hi")]})


async def test_without_the_words_nothing_goes_on():
    with pytest.raises(TextNotKept, match="keep_text=True"):
        await go_on("dispatch", STATE, services(is_logged=False), keeps_text=False)


async def test_a_branch_is_named_freshly_and_sorts_by_time():
    names = {(await branch_off(STATE, services(is_logged=False)))["call_id"] for _ in range(5)}
    assert len(names) == 5
    assert {name[:12] for name in names} == {f"{int(NOW.timestamp() * 1000):012x}"}
