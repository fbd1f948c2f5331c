from datetime import UTC, datetime, timedelta

import pytest

from x25.state.store import open_store
from x25.terminal.formats import number, percent, points, usd
from x25.terminal.passwords import hash_password

pytestmark = [pytest.mark.browser, pytest.mark.slow]


PASSWORD = "correct horse battery"


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
    assert all(
        one.evaluate("one => getComputedStyle(one).whiteSpace") == "nowrap"
        for one in page.locator("[data-hero=saved] span").all()
    )
    table = page.get_by_role("table", name="Weeks").inner_text()
    failed = [sum(one.status == "failed" for one in part) / len(part) for part in (week, before)]
    row = ["Failed", percent(failed[0]), percent(failed[1]), points(failed[0] - failed[1])]
    assert "\t".join(row) in table
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
    told = page.locator(".empty").first.inner_text()
    assert "No calls in the last seven days" in told
    assert f"curl {pages.url}/v1/chat/completions" in told
    assert '"x25": {"org": "nobody"}' in told
    assert "authorization" not in told


def test_where_keys_are_needed_the_first_call_has_one(tab, serve_pages, tmp_path):
    with serve_pages(tmp_path, X25_REQUIRE_KEY="true") as pages:
        pages.apart(_an_account(pages.store_url))
        first = tab(pages)
        first.sign_in("root")
        first.page.get_by_text("No calls in the last seven days").wait_for()
        told = first.page.locator(".empty").first
        assert f"curl {pages.url}/v1/chat/completions" in told.inner_text()
        assert "authorization: Bearer YOUR-API-KEY" in told.inner_text()
        assert told.get_by_role("link", name="Generate an API key first").count() == 1


async def _an_account(url):
    async with await open_store(url) as store:
        await store.accounts.create("root", hash_password(PASSWORD), is_admin=True)


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
