"""What happens to a call when a run goes on from a checkpoint: resumed, edited by hand, or branched off.

A call that had not ended goes on under its id; its clock begins anew, since people take their time. Where the call had
been logged already, or another run of it asked for the same answer first, the run is a branch: a call of its own, with
an id, a row and an entry of its own. It keeps the answers it found, counts only what it buys itself, and `forked_from`
names the call it left. So nothing is ever billed or learnt twice under one id.
"""

from collections.abc import Mapping
from typing import Any

from langgraph.types import Overwrite

from ...nodes.lookup_cache import new_call_id
from ...nodes.org.rates import take_place
from ...nodes.services import Services
from ...routing.plan.request import check_request
from ...state.errors import InvalidRequest, TextNotKept
from ...state.names import check_call_id
from .messages import to_openai, with_question
from .privacy import HOW_TO_KEEP
from .turns import is_text, require_org

CHANGING = frozenset({"classify", "estimate_difficulty", "thompson_select", "dispatch", "judge"})
"""Nodes that change what a call is or costs. What the others write is written once for a call id, however often."""


async def go_on(
    node: str, state: Mapping[str, Any], services: Services, *, keeps_text: bool
) -> dict[str, Any]:
    """Return the channels to change before the first node of a run that goes on from a checkpoint.

    Raises
    ------
    InvalidRequest
        When what was edited by hand breaks a rule that a request must keep or names another org, or there is no call.
    TextNotKept
        When the words of the call are not in the checkpoint.
    """
    if not keeps_text:
        raise TextNotKept(
            f"this run goes on from a checkpoint, which holds no word of its call: {HOW_TO_KEEP}"
        )
    opened = state.get("thread")
    if opened is None:
        raise InvalidRequest("this thread holds no call to go on with: give it a prompt", field="prompt")
    require_org(state["org"], opened["org"])
    change = _edited(state, services)
    opening = change.get("opening", state["opening"])
    worked_s = sum(timing["ms"] for timing in state["timings"]) / 1e3
    change |= {
        "running": True,
        # What is edited by hand is another request than the one that its keys were made of.
        "opening": {**opening, "started_monotonic_s": services.clock_s() - worked_s, "cache": None},
    }
    named = state["call_id"] if state["call_id"] != opened["call_id"] else None
    logged = await services.store.calls.get(opened["org"], opened["call_id"])
    if named is not None or (logged is not None and node in CHANGING):
        change |= await branch_off({**state, **change}, services, named)
    return change


async def branch_off(
    state: Mapping[str, Any], services: Services, named: str | None = None
) -> dict[str, Any]:
    """Return the channels that make the rest of a run a call of its own, `named` or with a fresh id.

    The attempts that bought the answers it finds belong to the call that paid for them; limits a minute count it anew.

    Raises
    ------
    TooManyRequests
        When its org has no room for it.
    """
    now, org = services.now(), state["thread"]["org"]
    settings = await services.org_settings.of(org, services.store, services.clock_s())
    call_id = new_call_id(int(now.timestamp() * 1000)) if named is None else check_call_id(named)
    left = state["thread"]["call_id"]
    return {
        "call_id": call_id,
        "thread": {**state["thread"], "call_id": call_id},
        "opening": {
            **state["opening"],
            "started_at": now.isoformat(),
            "forked_from": left,
            "cache": None,
            "place": await take_place(org, settings, services),
        },
        "answers": [{**answer, "attempts": [], "is_inherited": True} for answer in state["answers"]],
    }


def _edited(state: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Return the request as it stands, checked like any other: an edit of the state is the caller's word too."""
    prompt, hint = state.get("prompt"), state.get("hint")
    messages, change = state["messages"], dict[str, Any]()
    if prompt is not None:
        if not is_text(prompt):
            raise InvalidRequest("prompt must be a text that is not empty", field="prompt")
        messages = with_question(messages, prompt)
        change = {"messages": Overwrite(messages), "prompt": None}
    checked = check_request(
        {**state, "prompt": None, "messages": to_openai(messages)},
        routers=services.routers_of(state["org"]),
        max_chars=services.limits.max_prompt_chars,
    )
    if hint is not None:
        change |= {"opening": {**state["opening"], "hint": checked["hint"]}, "hint": None}
    return change | {name: checked[name] for name in ("options", "optimize_for", "policy", "router")}
