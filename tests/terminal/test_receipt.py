import pytest

from x25.state.logged_arms import logged_arms
from x25.terminal.formats import percent, usd
from x25.terminal.markup import Markup
from x25.terminal.receipt import bar, facts


def test_names_and_values_are_escaped():
    assert str(facts({"<b>": "<i>"})) == '<dl class="facts"><dt>&lt;b&gt;</dt><dd>&lt;i&gt;</dd></dl>'
    assert bar(0.5) == Markup(
        '<span class="nowrap"><span class="bar"><i style="width:50%"></i></span>50.0 %</span>'
    )


@pytest.mark.browser
@pytest.mark.slow
def test_a_receipt_tells_candidates_money_and_proof(tab, pages):
    call = next(one for one in reversed(pages.of("acme")) if one.model_id == "sim/large-5")
    page = tab(pages).open(f"call?org=acme&id={call.call_id}")
    text = page.locator("main").inner_text()
    for words in (
        usd(call.cost_nusd),
        usd(call.paid_nusd),
        usd(call.saved_nusd),
        percent(call.quality_score),
        "large-5",
    ):
        assert words in text
    rows = page.get_by_role("region", name="Candidates").locator("tbody tr")
    assert rows.count() == len(logged_arms(call.decision))
    assert "asked first" in page.locator("tr.chosen").inner_text()
    assert "the draws were in the call's checkpoint" in text.lower()
    page.get_by_role("button", name="Verify the chain").click()
    page.locator(".tag.good", has_text="intact").wait_for()
    assert page.evaluate("window.pwned") is None
    assert "<img src=x" in text  # as words


@pytest.mark.browser
@pytest.mark.slow
def test_a_call_that_is_not_there_is_said_not_to_be(tab, pages):
    page = tab(pages).open("call?org=acme&id=<script>window.pwned=1</script>")
    assert "is on record" in page.locator(".empty").inner_text()
    assert page.evaluate("window.pwned") is None


@pytest.mark.browser
@pytest.mark.slow
def test_a_page_that_stays_after_its_session_is_over_verifies_nothing(tab, locked_pages):
    one = tab(locked_pages)
    one.sign_in("ann")
    page = one.open(f"call?org=acme&id={locked_pages.of('acme')[-1].call_id}")
    page.evaluate("window.socket.off('x25')")  # it does not leave when told to
    assert page.request.post(f"{one.base}sign-out", max_redirects=0).status == 303
    page.get_by_role("button", name="Verify the chain").click()
    page.get_by_role("status").filter(has_text="Your session is over").wait_for()
    assert "intact" not in page.content()
