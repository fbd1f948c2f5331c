import pytest

from x25.routing.plan.org_settings import OrgSettings
from x25.state.errors import StoreError
from x25.state.responses import KeptResponse

KEPT = KeptResponse([{"role": "user", "content": "hi"}], {"id": "resp"})


async def answered(cascade, org="acme"):
    return (await cascade.route({"prompt": "Say hello.", "org": org}))["call_id"]


async def test_where_words_are_kept_it_is_in_the_store_for_every_process(open_gateway):
    one, other = [await open_gateway(store_prompts=True) for _ in range(2)]
    call_id = await answered(one)
    await one.responses.keep("acme", call_id, KEPT)
    assert await other.responses.find("acme", call_id) == KEPT
    assert await other.responses.find("acme-2", call_id) is None
    assert await other.responses.forget("acme", call_id)
    assert await one.responses.find("acme", call_id) is None


async def test_where_they_are_not_it_is_in_the_process_alone(open_gateway):
    one, other = [await open_gateway() for _ in range(2)]
    call_id = await answered(one)
    await one.responses.keep("acme", call_id, KEPT)
    assert await one.responses.find("acme", call_id) == KEPT
    assert await other.responses.find("acme", call_id) is None
    assert await one.services.store.responses.get("acme", call_id) is None


@pytest.mark.parametrize("privacy", ["hashes", "inputs"])
async def test_an_org_that_lets_no_words_be_kept_has_none_in_the_store(open_gateway, privacy):
    cascade = await open_gateway(store_prompts=True)
    services = cascade.services
    services.org_settings.keep("acme", OrgSettings(privacy=privacy), services.clock_s())
    call_id = await answered(cascade)
    await cascade.responses.keep("acme", call_id, KEPT)
    assert await services.store.responses.get("acme", call_id) is None
    assert await cascade.responses.find("acme", call_id) == KEPT
    assert "privacy" in await cascade.responses.why_unknown("acme")


async def test_what_another_process_erased_is_not_found_in_memory_either(open_gateway):
    one, other = [await open_gateway() for _ in range(2)]
    call_id = await answered(one)
    await one.responses.keep("acme", call_id, KEPT)
    assert await other.erase("acme", call_id)
    assert await one.responses.find("acme", call_id) is None


async def test_one_that_was_told_is_known_before_its_call_is_logged(open_gateway):
    cascade = await open_gateway(store_prompts=True)
    cascade.responses.note("acme", "c1", KEPT)
    assert cascade.responses.is_noted("acme", "c1")
    assert await cascade.responses.find("acme", "c1") == KEPT
    cascade.responses.forget_here("acme")
    assert not cascade.responses.is_noted("acme", "c1")


async def test_a_store_that_refuses_leaves_it_in_the_process(open_gateway, monkeypatch, caplog):
    cascade = await open_gateway(store_prompts=True)
    call_id = await answered(cascade)

    async def refuse(*_):
        raise StoreError("full")

    monkeypatch.setattr(cascade.services.store.responses, "keep", refuse)
    await cascade.responses.keep("acme", call_id, KEPT)
    assert "cannot be kept: full" in caplog.text
    assert await cascade.responses.find("acme", call_id) == KEPT


async def test_one_that_is_too_old_is_not_found(open_gateway):
    cascade = await open_gateway(store_prompts=True, responses_days=1e-9)
    call_id = await answered(cascade)
    await cascade.responses.keep("acme", call_id, KEPT)
    assert await cascade.responses.find("acme", call_id) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"responses_kept_s": 0}, "X25_RESPONSES_KEPT_S"),
        ({}, "X25_STORE_PROMPTS=true"),
        ({"store_prompts": True}, "older than 30 days (X25_RESPONSES_DAYS)"),
        ({"store_prompts": True, "responses_days": 0}, "deleted or erased"),
    ],
)
async def test_why_one_is_not_found_names_the_setting(open_gateway, changes, said):
    cascade = await open_gateway(**changes)
    assert said in await cascade.responses.why_unknown("acme")
    assert await cascade.responses.find("acme", "no such call!") is None
