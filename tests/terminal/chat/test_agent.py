import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from x25.state.errors import Forbidden
from x25.terminal.chat.agent import CHAT_ORG, EXAMPLES, INSTRUCTION, LOOKS, ChatAgent, told
from x25.terminal.chat.vocabulary import KINDS
from x25.terminal.viewers import OWNER, Viewer

ANN = Viewer("ann", ("acme",), "t")


def test_every_kind_of_question_has_one_look_up():
    assert LOOKS.keys() == set(KINDS)
    assert all(look.__doc__ for look in LOOKS.values())
    assert all(one in INSTRUCTION for one in EXAMPLES)


@pytest.mark.slow
async def test_a_member_is_never_answered_of_another_org(cascade):
    for org in ("acme", "beta"):
        await cascade.route({"prompt": "What is 17 + 4?", "org": org})
    agent = ChatAgent(cascade, ANN, "acme")
    for question in (
        "How much did beta spend?",
        "Which organisations are there? beta",
        "spend of all organisations",
    ):
        assert (await agent.ask(question)).answer is None
    assert (await agent.ask("How many calls were made today?")).answer.figures == {"calls": 1}
    foreign = (await cascade.services.store.calls.list("beta", 1))[0].call_id
    assert (await agent.ask(f"Explain {foreign}")).answer.figures == {"found": 0}
    with pytest.raises(Forbidden):
        await told(ChatAgent(cascade, ANN, "beta"), "How many calls were made today?")
    assert not agent.has_models


@pytest.mark.slow
async def test_a_real_model_says_the_question_again_on_an_org_of_its_own(cascade, monkeypatch):
    """The simulator stands in for a real model; what it says is no question, so nothing is answered."""
    real = {name: replace(spec, simulated=False) for name, spec in cascade.services.models.items()}
    monkeypatch.setattr(ChatAgent, "has_models", property(lambda _: True))
    agent = ChatAgent(cascade, OWNER, "acme")
    found = await agent.ask("Whatever became of all the lovely cash?")
    assert found.answer is None
    assert found.model_used in real
    (call,) = await cascade.services.store.calls.list(CHAT_ORG, 5)
    assert call.model_id == found.model_used
    assert (await agent.ask("How much did we spend?")).model_used is None
    assert len(await cascade.services.store.calls.list(CHAT_ORG, 5)) == 1


@pytest.mark.slow
async def test_what_a_model_says_is_read_as_any_question_under_the_askers_rights(cascade, monkeypatch):
    await cascade.route({"prompt": "What is 17 + 4?", "org": "acme"})
    monkeypatch.setattr(ChatAgent, "has_models", property(lambda _: True))
    for said, expected in (
        ("How many calls were made today?", {"calls": 1}),
        ("How much did beta spend?", None),
    ):
        agent = ChatAgent(cascade, ANN, "acme")
        state = {"messages": [SimpleNamespace(text=said)]}
        asked = (await agent._read_again(state))["asked"]
        answer = None if asked is None else (await agent._look_up({"asked": asked}))["answer"]
        assert (None if answer is None else answer.figures) == expected
    json.dumps(INSTRUCTION)
