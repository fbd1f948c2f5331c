import asyncio

import pytest


async def test_settings_are_read_as_they_were_kept_by_org(store):
    assert await store.org_settings.read("acme") == {}
    await store.org_settings.change("acme", lambda _: {"judge": "none"}, "k1")
    assert await store.org_settings.read("acme") == {"judge": "none"}
    assert await store.org_settings.read("beta") == {}


async def test_a_change_sees_what_was_kept_and_one_that_raises_changes_nothing(store):
    await store.org_settings.change("acme", lambda _: {"a": 1}, "")
    assert await store.org_settings.change("acme", lambda now: {**now, "b": 2}, "") == {"a": 1, "b": 2}

    def refuse(now):
        raise ValueError(str(now))

    with pytest.raises(ValueError, match="'b': 2"):
        await store.org_settings.change("acme", refuse, "")
    assert await store.org_settings.read("acme") == {"a": 1, "b": 2}
    assert (await store.audit.verify("acme")).total_records == 2


async def test_changes_at_once_are_all_kept_and_chained(store):
    def setting(name):
        return lambda now: {**now, name: 1}

    await asyncio.gather(*(store.org_settings.change("acme", setting(f"s{n}"), "") for n in range(12)))
    assert len(await store.org_settings.read("acme")) == 12
    found = await store.audit.verify("acme")
    assert (found.intact, found.total_records, found.calls) == (True, 12, 0)


async def test_one_setting_is_listed_for_the_orgs_that_have_it(store):
    await store.org_settings.change("acme", lambda _: {"retention_days": 3}, "")
    await store.org_settings.change("beta", lambda _: {"judge": "none"}, "")
    assert await store.org_settings.all_with("retention_days") == {"acme": 3}
