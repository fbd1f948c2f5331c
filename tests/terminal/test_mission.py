import httpx
import pytest

from x25.terminal.mission import NODES


@pytest.mark.browser
@pytest.mark.slow
def test_a_call_is_traced_through_nine_nodes_and_the_feed_and_ticker_move(tab, pages):
    page = tab(pages).open("mission?org=live")
    assert "No calls yet" in page.locator(".live").inner_text()
    before = page.locator("[data-tick='Calls today']").inner_text()
    assert before == "0"
    made = httpx.post(
        f"{pages.url}/route", json={"prompt": "What is 3 + 4?", "org": "live"}, timeout=30
    ).json()
    page.locator(f".live a[title='{made['call_id']}']").wait_for()
    page.locator("[data-tick='Calls today']", has_text="1").wait_for()
    page.locator(".dot").first.wait_for()
    page.wait_for_timeout(1200)  # its checkpoint is written within a second
    page.goto(f"{pages.url}/terminal/mission?org=live&call={made['call_id']}")
    nodes = [one.get_attribute("data-node") for one in page.locator("[data-node]").all()]
    assert set(nodes) == set(NODES)
    assert nodes[0] == "lookup_cache"
    assert "not visited" not in page.locator("[data-node=dispatch]").first.inner_text()
    widths = [one.bounding_box()["width"] for one in page.locator("[data-node]").all()]
    assert max(widths) - min(widths) < 2  # or the bars of their times could not be compared
    page.goto(f"{pages.url}/terminal/call?org=live&id={made['call_id']}")
    candidates = page.get_by_role("region", name="Candidates")
    candidates.wait_for()
    draws = candidates.locator("tbody tr td:nth-child(6)").all_inner_texts()
    assert len(draws) == 6
    assert all("%" in one for one in draws)
