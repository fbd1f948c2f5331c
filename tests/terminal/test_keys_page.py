import logging
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from x25.state.api_key import ApiKey
from x25.state.errors import InvalidRequest
from x25.terminal.keys_page import check_limit, described, is_good, limit_words, may_manage
from x25.terminal.viewers import OWNER, Viewer

NOW = datetime(2025, 1, 1, tzinfo=UTC)
KEY = ApiKey("abc", "acme", "0" * 64, NOW, prefix="sk-x25-abcdef")


def test_a_key_is_good_until_it_ends():
    assert is_good(KEY, NOW)
    assert not is_good(ApiKey("a", "acme", "h", NOW, revoked_at=NOW), NOW)
    assert not is_good(ApiKey("a", "acme", "h", NOW, expires_at=NOW), NOW)
    assert is_good(ApiKey("a", "acme", "h", NOW, expires_at=NOW + timedelta(seconds=1)), NOW)


@pytest.mark.parametrize("typed", [-1, 1.5, 1_000_001, 1e99, float("inf"), float("nan")])
def test_a_limit_that_is_none_is_refused_and_not_taken_for_the_nearest(typed):
    with pytest.raises(InvalidRequest, match="whole number from 0 to 1,000,000"):
        check_limit(typed)


def test_a_limit_is_a_whole_number_and_none_without_one():
    assert [check_limit(typed) for typed in (None, 0, 5.0, 1_000_000)] == [0, 0, 5, 1_000_000]
    assert (limit_words(0), limit_words(5)) == ("any number of calls a minute", "5 calls a minute")


def test_an_admins_key_is_an_admins_to_manage():
    ann = Viewer("ann", ("acme",), "t")
    admins = ApiKey("a", "acme", "h", NOW, is_admin=True)
    assert may_manage(OWNER, admins)
    assert may_manage(ann, KEY)
    assert not may_manage(ann, admins)
    assert not may_manage(Viewer("bob", ("beta",), "t"), KEY)
    assert "never used" in described(KEY, is_live=True)
    assert "good until" not in described(KEY, is_live=True)
    replaced = ApiKey("a", "acme", "h", NOW, expires_at=NOW + timedelta(hours=1))
    assert f'good until <time datetime="{replaced.expires_at.isoformat()}"' in described(
        replaced, is_live=True
    )
    assert "good until" not in described(replaced, is_live=False)


@pytest.mark.browser
@pytest.mark.slow
def test_a_key_is_made_from_the_menu_shown_once_and_opens_the_door(tab, locked_pages):
    one = tab(locked_pages)
    one.sign_in("ann")
    page = one.open()
    page.get_by_label("Menu").first.click()
    page.get_by_role("link", name="Generate API Key").click()
    page.get_by_label("Organisation name").fill("acme")
    page.get_by_role("button", name="Check").click()
    page.locator("[data-org=acme]").wait_for()
    page.get_by_role("button", name="Proceed").click()
    secret = page.locator(".secret").inner_text()
    assert re.fullmatch(r"sk-x25-\S{40,}", secret)
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    answer = httpx.post(
        f"{locked_pages.url}/route",
        json={"prompt": "What is 2 + 2?"},
        headers={"x-api-key": secret},
        timeout=30,
    )
    assert answer.status_code == 200
    me = httpx.get(f"{locked_pages.url}/keys/me", headers={"x-api-key": secret}).json()
    assert (me["org"], me["scopes"]) == ("acme", ["call", "read", "feedback"])
    page.reload()
    page.locator("[data-tick]").first.wait_for()
    assert secret not in page.content()
    assert secret[:13] in page.content()
    database = b"".join(path.read_bytes() for path in locked_pages.folder.glob("x25.db*"))
    assert secret.encode() not in database
    page.get_by_role("button", name="Rotate").first.click()
    renewed = page.locator(".secret").inner_text()
    assert renewed != secret
    page.get_by_role("button", name="I have kept it").click()
    page.locator(".secret").wait_for(state="detached")
    for _ in range(2):
        page.get_by_role("button", name="Revoke").first.click()
        page.get_by_role("button", name="Revoke now").click()
        page.get_by_role("dialog").wait_for(state="hidden")
        page.wait_for_timeout(300)
    for gone in (secret, renewed):
        assert httpx.get(f"{locked_pages.url}/keys/me", headers={"x-api-key": gone}).status_code == 401
    logging.getLogger(__name__).info("done")


@pytest.mark.browser
@pytest.mark.slow
def test_no_key_is_made_for_an_org_that_may_not_be_seen_or_has_no_name(tab, locked_pages):
    one = tab(locked_pages)
    one.sign_in("ann")
    page = one.open("keys?new=1")
    for org, words in (
        ("beta", "may not see this organisation"),
        ("No Name!", "org must be"),
        ("", "org must be"),
    ):
        page.get_by_label("Organisation name").fill(org)
        page.get_by_role("button", name="Check").click()
        page.locator("[role=status]", has_text=words).wait_for()
        assert page.get_by_role("button", name="Proceed").count() == 0
    page.get_by_label("Organisation name").fill("acme")
    page.get_by_label("Calls per minute").fill("-1")
    page.get_by_role("button", name="Check").click()
    page.locator("[role=status]", has_text="calls per minute must be").wait_for()
    page.get_by_label("Calls per minute").fill("7")
    page.get_by_role("button", name="Check").click()
    page.get_by_text("it may make 7 calls a minute").wait_for()
