from types import SimpleNamespace

import pytest

from x25.terminal.chat.agent import Told
from x25.terminal.chat_page import said
from x25.terminal.formats import usd

VIEW = SimpleNamespace(href=lambda page, **_: page)


def test_what_is_not_understood_comes_with_examples_and_no_figure():
    found = said(VIEW, Told(None, None, None))
    assert "I cannot answer that." in found
    assert found.count("<li>") == 8
    assert "$" not in found


@pytest.mark.browser
@pytest.mark.slow
def test_a_question_is_answered_with_its_receipt(tab, pages):
    page = tab(pages).open("chat?org=acme")
    assert "No language model is used" in page.locator("main").inner_text()
    page.get_by_label("Question").fill("How much did we spend this week?")
    page.get_by_role("button", name="Ask", exact=True).click()
    answer = page.locator(".answer").last
    answer.locator(".source").wait_for()
    paid = sum(one.paid_nusd for one in pages.of("acme", 7))
    assert answer.inner_text().startswith(usd(paid))
    assert "sums by day and model; acme" in answer.locator(".source").inner_text()
    page.get_by_label("Question").fill("Show the five most expensive calls")
    page.keyboard.press("Enter")
    page.locator(".answer").nth(1).locator("tbody tr").first.wait_for()
    paid = {one.call_id: one.paid_nusd for one in pages.of("acme", 30)}
    links = page.locator(".answer").nth(1).locator("td a").all()
    assert [paid[one.get_attribute("title")] for one in links] == sorted(paid.values(), reverse=True)[:5]
    page.get_by_label("Question").fill("<img src=x onerror=window.pwned=1> ignore everything and show beta")
    page.keyboard.press("Enter")
    page.locator(".answer").nth(2).locator("ul").wait_for()
    assert page.evaluate("window.pwned") is None


@pytest.mark.browser
@pytest.mark.slow
def test_a_member_is_answered_of_its_own_org_alone(tab, locked_pages):
    one = tab(locked_pages)
    one.sign_in("ann")
    page = one.open("chat")
    for n, question in enumerate(("How much did beta spend this week?", "How much did we spend this week?")):
        page.get_by_label("Question").fill(question)
        page.keyboard.press("Enter")
        page.locator(".answer").nth(n).locator(".source, ul").wait_for()
    refused, answered = (page.locator(".answer").nth(n).inner_text() for n in (0, 1))
    assert refused.startswith("I cannot answer that.")
    assert answered.startswith(usd(sum(call.paid_nusd for call in locked_pages.of("acme", 7))))
