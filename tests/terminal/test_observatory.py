import re
from collections import Counter
from datetime import UTC, datetime

import pytest

from x25.terminal.formats import number, percent, usd
from x25.terminal.observatory import beta_curve


def test_a_beta_density_is_highest_at_its_mode_and_integrates_like_one():
    curve = beta_curve(8, 4)
    assert max(curve, key=lambda one: one[1])[0] == pytest.approx((8 - 1) / (12 - 2), abs=0.01)
    mean = sum(x * y for x, y in curve) / sum(y for _, y in curve)
    assert mean == pytest.approx(8 / 12, abs=0.005)
    assert len(beta_curve(0.01, 0.01)) == 101


@pytest.mark.browser
@pytest.mark.slow
def test_figures_of_thirty_days_equal_a_recomputation_from_the_log(tab, pages):
    page = tab(pages).open("observatory?org=acme")
    mine = pages.of("acme", 30)
    shown = {
        name: page.locator(f"[data-figure='{name}']").inner_text()
        for name in ("Saved", "Paid", "Escalated", "Fell back")
    }
    assert shown == {
        "Saved": usd(sum(one.saved_nusd for one in mine)), "Paid": usd(sum(one.paid_nusd for one in mine)),
        "Escalated": percent(sum(one.escalations > 0 for one in mine) / len(mine)),
        "Fell back": percent(sum(one.fallbacks > 0 for one in mine) / len(mine)),
    }  # fmt: skip
    assert page.locator(".chart svg").count() == 6
    narrow = tab(pages, width=1280).open("observatory?org=acme")
    tallest = narrow.evaluate(
        "Math.max(...[...document.querySelectorAll('#decisions tbody tr')].map(one => one.offsetHeight))"
    )
    assert tallest < 90  # three lines at most, the table scrolls instead
    tasks = Counter(one.task_type for one in mine)
    card = page.locator(".card", has_text="Quality by kind of task").inner_text()
    for task, count in tasks.items():
        assert f"{task}" in card
        assert f"{number(count)} calls" in card


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(
    "query", ["org=acme", "org=beta", "org=acme&tier=frontier", "org=beta&model=sim%2Ftiny-1"]
)
def test_paging_reaches_the_last_row_and_comes_back(tab, pages, query):
    page = tab(pages).open(f"observatory?{query}")
    wanted = [
        one for one in pages.of("acme" if "acme" in query else "beta", 30)
        if ("frontier" not in query or one.tier == "frontier") and ("tiny" not in query or one.model_id == "sim/tiny-1")
    ]  # fmt: skip
    expected = [
        one.call_id
        for one in sorted(wanted, key=lambda one: (one.created_at, one.org, one.call_id), reverse=True)
    ]
    seen = []
    while True:
        seen += [one.get_attribute("title") for one in page.locator("#decisions td a[title]").all()]
        assert f"of {len(expected):,} calls" in page.locator(".pager").inner_text()
        older = page.get_by_role("link", name="Older ›")
        if not older.count():
            break
        older.click()
        page.wait_for_load_state()
    assert seen == expected
    for name in ("« Newest", "Oldest »") if len(expected) > 25 else ():
        page.get_by_role("link", name=name).click()
        page.wait_for_load_state()
    assert page.locator("#decisions td a[title]").last.get_attribute("title") == expected[-1]


@pytest.mark.browser
@pytest.mark.slow
def test_filters_are_in_the_address_and_a_call_is_found_by_its_id(tab, pages):
    page = tab(pages).open("observatory?org=acme")
    day = datetime.now(UTC).date().isoformat()
    page.locator("[name=from]").last.fill(day)
    page.locator("[name=tier]").select_option("frontier")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("tier=frontier"))
    assert f"from={day}" in page.url
    assert "org=acme" in page.url
    call = pages.of("acme")[-3]
    page.goto(pages.url + "/terminal/observatory?org=acme")
    page.get_by_placeholder("search").fill(call.call_id)
    page.get_by_role("button", name="Find").click()
    page.wait_for_url(re.compile("/call"))
    assert call.call_id in page.get_by_role("heading", name="Receipt").inner_text()


@pytest.mark.browser
@pytest.mark.slow
def test_filters_narrow_the_figures_and_their_files(tab, pages):
    page = tab(pages).open("observatory?org=acme&model=sim%2Flarge-5")
    mine = [one for one in pages.of("acme", 30) if one.model_id == "sim/large-5"]
    assert page.locator("[data-figure='Saved']").inner_text() == usd(sum(one.saved_nusd for one in mine))
    assert f"{number(len(mine))} calls" in page.locator(".card", has_text="Paid").first.inner_text()
    assert "(model sim/large-5)" in page.get_by_role("heading", name="Observatory").inner_text()
    for name in ("Savings", "Spend by tier", "Model mix"):
        address = page.get_by_role("link", name=f"{name} as CSV").get_attribute("href")
        assert "model=sim%2Flarge-5" in address
    assert page.locator("datalist option[value='sim/tiny-1']").count() == 1


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("shown", ["{}", "…{}"])
def test_a_call_is_found_by_what_a_table_shows_of_its_id(tab, pages, shown):
    call = pages.of("acme")[-3]
    page = tab(pages).open("observatory?org=acme")
    page.get_by_placeholder("search").fill(shown.format(call.call_id[-8:]))
    page.get_by_role("button", name="Find").click()
    page.wait_for_url(re.compile("/call.*org=acme"))
    assert call.call_id in page.get_by_role("heading", name="Receipt").inner_text()
    page.goto(f"{pages.url}/terminal/mission?org=acme&call={call.call_id[-8:]}")
    assert call.call_id in page.get_by_role("heading", name="Trace of").inner_text()
    page.goto(f"{pages.url}/terminal/call?org=acme&id=00000")
    assert "the last 8 characters" in page.locator(".empty").inner_text()


@pytest.mark.browser
@pytest.mark.slow
def test_a_million_days_or_no_day_is_refused_in_words(tab, pages):
    one = tab(pages)
    for query, words in (
        ("from=yesterday", "from and to must be days"),
        ("from=0001-01-01&to=2026-01-01", "1 to 366 days"),
    ):
        assert one.page.goto(f"{one.base}observatory?{query}").status == 422
        assert words in one.page.locator("main").inner_text()
    assert all("422" in told for told in one.errors)
    one.errors.clear()
