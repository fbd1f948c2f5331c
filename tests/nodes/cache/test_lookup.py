from dataclasses import replace

import pytest

from x25.nodes.cache.lookup import NOTHING, is_stored, look
from x25.nodes.org.checked import checked_request
from x25.routing.plan.org_settings import OrgSettings
from x25.state.org_wishes import OrgWishes


@pytest.fixture
def look_at(services):
    async def look_(settings=None, using=None, **request):
        settings, using = settings or OrgSettings(), using or services
        checked = await checked_request({"prompt": "Where is Oslo?", **request}, "default", settings, using)
        return await look(checked, checked["messages"], "c1", settings, using, most_escalations=2)

    return look_


async def test_nothing_is_looked_for_where_nobody_asks(look_at, services):
    assert await look_at() is NOTHING
    assert await look_at(cache="off") is NOTHING
    assert await look_at(cache="exact", using=replace(services, caches=None)) is NOTHING


async def test_a_request_that_asks_has_keys(look_at):
    found = await look_at(cache={"use": "exact", "max_age_s": 7})
    assert (found.hit, found.keys.context, found.keys.max_age_s, found.keys.is_read) == (
        None,
        None,
        7.0,
        True,
    )
    assert not (await look_at(cache="fresh", mode="cache")).keys.is_read
    assert (await look_at(mode="full")).keys.exact == found.keys.exact


async def test_what_the_org_settled_about_answers_is_part_of_the_key(look_at):
    found = await look_at(cache="exact")
    for settings in (OrgSettings(quality_bar=0.9), OrgSettings(judge="none")):
        assert (await look_at(settings, cache="exact")).keys.exact != found.keys.exact


async def test_only_an_org_that_switched_it_on_has_near_keys(look_at):
    near = OrgSettings(cache="near")
    assert (await look_at(near)).keys.context is not None
    assert (await look_at(near, cache="exact")).keys.context is None
    assert (await look_at(near, options={"n": 1, "seed": 3})).keys.context is None


async def test_what_hinders_a_cache_is_said(look_at):
    found = await look_at(cache="exact", options={"store": True})
    assert "store asks the vendor" in found.keys.hindrance
    assert not found.keys.is_read


def test_answers_are_in_the_store_where_words_may_be(services):
    keeps = replace(services, limits=replace(services.limits, store_prompts=True))
    assert is_stored(OrgWishes(), keeps)
    assert not is_stored(OrgWishes(privacy="inputs"), keeps)
    assert not is_stored(OrgWishes(), services)
