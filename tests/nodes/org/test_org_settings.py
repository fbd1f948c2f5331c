import pytest

from x25.nodes.org.org_settings import LOOK_EVERY_S, SettingsBook
from x25.routing.plan.org_settings import OrgSettings
from x25.state.errors import StoreError


async def set_to(services, org, **settings):
    await services.store.org_settings.change(org, lambda _: settings, "")


async def test_what_another_process_set_counts_after_a_while(services):
    book = SettingsBook()
    assert await book.of("acme", services.store, 0.0) == OrgSettings()
    await set_to(services, "acme", judge="none")
    assert (await book.of("acme", services.store, LOOK_EVERY_S - 0.01)).judge is None
    assert (await book.of("acme", services.store, LOOK_EVERY_S)).judge == "none"
    assert (await book.of("beta", services.store, LOOK_EVERY_S)).judge is None


async def test_what_was_set_here_counts_at_once(services):
    book = SettingsBook()
    await book.of("acme", services.store, 0.0)
    book.keep("acme", OrgSettings(judge="none"), 0.1)
    assert (await book.of("acme", services.store, 0.2)).judge == "none"


async def test_known_settings_outlive_a_store_that_fails_and_unknown_ones_are_not_guessed(services):
    book = SettingsBook()
    await set_to(services, "acme", privacy="hashes")
    await book.of("acme", services.store, 0.0)
    await services.store.close()
    assert (await book.of("acme", services.store, 99.0)).privacy == "hashes"
    with pytest.raises(StoreError):
        await book.of("beta", services.store, 99.0)


async def test_settings_of_a_newer_version_are_not_served_in_part(services):
    await set_to(services, "acme", privacy="hashes", something_new=1)
    with pytest.raises(StoreError, match="settings kept of org acme cannot be used"):
        await SettingsBook().of("acme", services.store, 0.0)


async def test_the_orgs_longest_unseen_are_forgotten(services):
    book = SettingsBook(most_orgs=2)
    for org in ("a", "b", "a", "c"):
        await book.of(org, services.store, 0.0)
    await set_to(services, "a", judge="none")
    await set_to(services, "b", judge="none")
    assert (await book.of("a", services.store, 0.1)).judge is None
    assert (await book.of("b", services.store, 0.1)).judge == "none"
