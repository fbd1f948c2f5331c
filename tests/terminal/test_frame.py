import re
from datetime import date

import httpx
import pytest

from x25.state.errors import InvalidRequest
from x25.state.queries.periods import Period
from x25.terminal.frame import View, period_of
from x25.terminal.viewers import OWNER

TODAY = date(2025, 3, 10)
NAME = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"


def test_a_period_is_the_addresses_or_thirty_days():
    assert period_of({}, TODAY) == Period.ending(TODAY, 30)
    assert period_of({"from": "2025-03-01", "to": "2025-03-02"}, TODAY).length == 2
    assert period_of({"to": "2025-02-01"}, TODAY) == Period.ending(date(2025, 2, 1), 30)
    for asked in ({"from": "x"}, {"from": "2025-03-11"}, {"from": "1900-01-01"}, {"to": "0001-01-01"}):
        with pytest.raises(InvalidRequest, match="from and to must be days"):
            period_of(asked, TODAY)


def test_links_keep_org_and_period():
    view = View(OWNER, None, ["a"], "a b", Period(TODAY, TODAY), {"from": "2025-03-10", "x": "y"}, None)
    assert view.href("call", id="1&2") == "call?org=a+b&from=2025-03-10&id=1%262"
    assert view.href("./", org=None) == "./?from=2025-03-10"
    assert view.org_words == "a b"


@pytest.mark.browser
@pytest.mark.slow
def test_a_member_sees_its_org_alone_and_is_out_after_signing_out(tab, locked_pages):
    one = tab(locked_pages)
    one.sign_in("ann")
    page = one.open()
    assert page.get_by_label("Organisation").locator("option").all_inner_texts() == ["acme"]
    other = one.context.new_page()
    other.goto(one.base)
    other.locator("[data-tick]").first.wait_for()
    page.get_by_label("Menu").first.click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    other.wait_for_url("**/sign-in*", timeout=10_000)  # the other tab's session is over, too
    cookies = {cookie["name"] for cookie in one.context.cookies()}
    assert "x25_session" not in cookies
    assert httpx.get(one.base, headers={"accept": "text/html"}).status_code == 303


@pytest.mark.browser
@pytest.mark.slow
def test_the_theme_is_chosen_and_kept_and_times_are_the_readers(tab, pages):
    page = tab(pages, scheme="light").open("observatory?org=acme")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.get_by_role("button", name="Light or dark").click()
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    page.reload()
    page.locator("[data-tick]").first.wait_for()
    assert page.evaluate("document.body.classList.contains('body--dark')")
    newest = page.locator("#decisions time").first
    assert "UTC" not in newest.inner_text()
    assert newest.get_attribute("datetime").endswith("+00:00")


@pytest.mark.browser
@pytest.mark.slow
def test_everything_is_reached_by_keyboard(tab, pages):
    page = tab(pages).open("?org=acme")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    reached = set()
    for _ in range(25):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
            )
        )
    assert {"Observatory", "Chat", "Organisation", "Light or dark", "Menu"} <= reached
    page.get_by_label("Menu").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Generate API Key").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Generate API Key").wait_for(state="hidden")


@pytest.mark.browser
@pytest.mark.slow
def test_going_back_shows_the_choices_of_the_page_that_is_shown(tab, pages):
    page = tab(pages).open("observatory?org=acme&tier=slm")
    page.get_by_label("Organisation", exact=True).select_option("beta")
    page.wait_for_url(re.compile("org=beta.*tier=slm"))
    page.locator("[data-tick]").first.wait_for()
    page.locator("select[name=tier]").select_option("mid")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("tier=mid"))
    for org, tier in (("beta", "slm"), ("acme", "slm")):
        page.go_back()
        page.wait_for_url(re.compile(f"org={org}.*tier={tier}|tier={tier}.*org={org}"))
        page.locator("[data-tick]").first.wait_for()
        assert page.get_by_label("Organisation", exact=True).input_value() == org
        assert page.locator("select[name=tier]").input_value() == tier
