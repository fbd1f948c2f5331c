import pytest

from x25.terminal.routing_page import why_not

BEST = {"mu": 0.8, "cost": 0.001}


def test_why_not_tells_gain_and_cost_beside_the_one_that_was_chosen():
    assert why_not({"mu": 0.85, "cost": 0.003}, BEST) == "+5.0 points for 3.0 times the cost"
    assert why_not({"mu": 0.8, "cost": 0.002}, BEST) == "no better, 2.0 times the cost"
    assert why_not({"mu": 0.7, "cost": 0.0005}, BEST) == "cheaper, but 10.0 points less likely to complete"
    assert why_not(BEST, BEST) == "as good by expectation; the draw went to the other"
    assert why_not({"mu": 0.9, "cost": 1.0}, {"mu": 0.8, "cost": 0.0}) == "+10.0 points for costs something"


@pytest.mark.browser
@pytest.mark.slow
def test_a_prompt_is_decided_and_then_called(tab, pages):
    page = tab(pages).open("routing?org=desk")
    page.locator("textarea").fill("What is 17 + 4? <img src=x onerror=window.pwned=1>")
    page.get_by_role("button", name="Route", exact=True).click()
    chosen = page.locator("[data-chosen]").inner_text()
    rows = page.get_by_role("region", name="Decision").locator("tbody tr")
    rows.first.wait_for()
    assert chosen in rows.first.inner_text()
    assert rows.count() == 6
    assert "chosen" in page.locator("tr.chosen").inner_text()
    assert all("%" in row.inner_text() and "$" in row.inner_text() for row in rows.all())
    history = page.get_by_role("region", name="History").last
    history.get_by_text("decision").first.wait_for()
    page.get_by_role("button", name="Route and make the call").click()
    page.get_by_role("heading", name="Answer of").wait_for()
    history.locator("a").first.wait_for()
    assert history.locator("tbody tr").count() == 2
    assert page.evaluate("window.pwned") is None


@pytest.mark.browser
@pytest.mark.slow
def test_the_picker_lists_every_config_and_an_empty_prompt_is_refused(tab, pages):
    page = tab(pages).open("routing?org=desk")
    page.get_by_role("button", name="Route", exact=True).click()
    page.get_by_role("alert").wait_for()
    assert "empty prompt" in page.get_by_role("alert").inner_text()
    page.locator("textarea").fill("What is 17 + 4?")
    page.get_by_text("15 / 20000").wait_for()  # what is pasted beyond is cut off, and is seen to be
    page.get_by_label("Router config").click()
    page.locator(".q-menu [role=option]").first.wait_for()
    names = [one.inner_text() for one in page.locator(".q-menu [role=option]").all()]
    listed = page.request.get(f"{pages.url}/api/configs").json()["configs"]
    assert names == [one["name"] for one in listed]
    page.get_by_role("option", name="cheap-pair").click()
    page.get_by_text("cheap-pair:").wait_for()


@pytest.mark.browser
@pytest.mark.slow
def test_a_page_that_stays_after_its_session_is_over_is_told_no_newer_history(tab, locked_pages):
    one = tab(locked_pages)
    one.sign_in("ann")
    page = one.open("routing")
    page.evaluate("window.socket.off('x25')")  # it does not leave when told to
    assert page.request.post(f"{one.base}sign-out", max_redirects=0).status == 303
    shown = page.get_by_role("region", name="History").last.inner_text()
    page.get_by_role("button", name="Refresh").click()
    page.get_by_role("alert").filter(has_text="Your session is over").wait_for()
    assert page.get_by_role("region", name="History").last.inner_text() == shown
