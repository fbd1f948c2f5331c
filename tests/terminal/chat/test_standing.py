import pytest

from x25.terminal.chat.agent import ChatAgent
from x25.terminal.viewers import OWNER, Viewer

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def ask(filled):
    async def answered(question, org="acme", viewer=OWNER):
        return (await ChatAgent(filled[0], viewer, org).ask(question)).answer

    return answered


async def test_what_there_is_is_counted(filled, ask):
    services, mine = filled[0].services, [one for one in filled[1] if one.org == "acme"]
    assert (await ask("List the models")).figures == {"models": len(services.models)}
    assert (await ask("What are the model prices?")).figures == {"models": len(services.models)}
    assert (await ask("What is the reference model?")).figures == {"model": services.reference.model_id}
    assert (await ask("What stage are we at?")).figures["calls"] == len(mine)
    assert (await ask("Is the audit chain intact?")).figures == {"entries": len(mine), "broken": 0}
    assert (await ask("Which router configs are there?")).figures["routers"] >= 3
    await services.store.keys.create("acme")
    assert (await ask("How many API keys are there?")).figures["good"] == 1
    assert (await ask("Which organisations are there?")).figures["orgs"] >= 2
    member = Viewer("ann", ("acme",), "t")
    assert (await ask("Which organisations are there?", "acme", member)).rows.rows == [("acme",)]


async def test_how_things_are_is_said_and_each_orgs_own(ask):
    assert (await ask("Has any model drifted?")).figures == {"drifts": 0}
    assert (await ask("Is any provider down?")).figures == {"down": 0}
    assert (await ask("How good is the judge?")).figures == {"labels": 0}
    assert set((await ask("What has been learned of the tiers?")).figures) == {"slm", "mid", "frontier"}
    assert "alerts" in (await ask("Are there any alerts?")).figures
    for question in (
        "What stage are we at?",
        "Has any model drifted?",
        "How good is the judge?",
        "What do you believe of the tiers?",
    ):
        assert "choose one above" in (await ask(question, None)).words
