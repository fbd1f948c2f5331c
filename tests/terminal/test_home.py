from datetime import UTC, datetime, timedelta

import pytest

from x25.terminal.formats import number, usd

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def week_of(calls, days_ago=0):
    last = datetime.now(UTC).date() - timedelta(days=days_ago)
    return [one for one in calls if last - timedelta(days=6) <= one.created_at.date() <= last]


@pytest.mark.parametrize("org", ["acme", None])
def test_the_banner_equals_a_recomputation_from_the_log(tab, pages, org):
    page = tab(pages).open("" if org is None else f"?org={org}")
    mine = pages.of(org)
    week, before = week_of(mine), week_of(mine, 7)
    assert page.locator("[data-hero=calls]").inner_text() == number(len(week))
    assert page.locator("[data-hero=saved]").inner_text().startswith(usd(sum(one.saved_nusd for one in week)))
    means = [
        sum(one.quality_score for one in part if one.quality_score is not None)
        / sum(one.quality_score is not None for one in part)
        for part in (week, before)
    ]
    shown = page.locator("[data-hero=quality]").inner_text()
    assert shown == f"{100 * (means[0] - means[1]):+.1f} points".replace("-", "−")
    assert "simulated" in page.locator(".hero").inner_text()
    table = page.get_by_role("table", name="Weeks").inner_text()
    assert usd(sum(one.paid_nusd for one in before)) in table


def test_the_three_dearest_models_come_first_and_are_escaped(tab, pages):
    page = tab(pages).open("?org=acme")
    paid = {}
    for one in week_of(pages.of("acme")):
        paid[one.model_id] = paid.get(one.model_id, 0) + one.paid_nusd
    dearest = sorted(paid, key=lambda name: -paid[name])[:3]
    card = page.locator(".card", has_text="What costs most")
    assert [one.inner_text() for one in card.locator("a").all()] == dearest
    assert page.evaluate("window.pwned") is None


def test_whoever_has_no_calls_is_told_what_to_do(tab, pages):
    page = tab(pages).open("?org=nobody")
    assert "No calls in the last seven days" in page.locator(".empty").first.inner_text()


@pytest.mark.parametrize("width", [360, 1440, 3840])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["?org=acme", "observatory?org=acme", "chat", "routing", "mission", "keys?new=1"]
)
def test_no_page_is_wider_than_its_window_nor_breaks_a_rule_of_axe(tab, pages, width, scheme, path):
    axe_core = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-core is not installed"
    )
    page = tab(pages, width=width, scheme=scheme).open(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 3840:
        return
    page.wait_for_timeout(300)
    found = axe_core.Axe().run(page).response["violations"]
    grave = [
        f"{one['id']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
    assert grave == []


def test_a_first_call_is_shown_at_the_address_of_the_gateway_that_shows_it(tab, serve_pages, tmp_path):
    with serve_pages(tmp_path) as pages:
        page = tab(pages).open()
        assert page.locator(".empty pre").inner_text().startswith(f"curl {pages.url}/v1/chat/completions ")
