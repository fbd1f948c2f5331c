import signal

import httpx
import pytest

PROMPT = {"prompt": "What is 17 * 23?", "org": "acme"}


@pytest.mark.slow
def test_pages_are_served_alone_beside_a_gateway_with_workers(home, start):
    gateway = start("serve", "--port", "0", "--json", "--workers", "2")
    assert httpx.post(f"{gateway.url()}/route", json=PROMPT, timeout=60).status_code == 200
    pages = start("terminal", "--port", "0", "--json")
    url = pages.url()
    with httpx.Client(base_url=url, headers={"accept": "text/html"}, timeout=60) as asked:
        assert asked.get("/livez").text == "ok"
        assert "acme" in asked.get("/terminal/").text
        found = asked.get("/terminal/export/calls.csv?org=acme")
        assert len(found.text.splitlines()) == 2
        mission = asked.get("/terminal/mission").text
        assert "in a process of their own" in mission
        assert asked.post("/route", json=PROMPT).status_code == 404
    assert pages.stop() == -signal.SIGTERM
    assert gateway.stop() == -signal.SIGTERM
    assert "Traceback" not in pages.stderr.read_text()


@pytest.mark.slow
def test_pages_alone_ask_for_a_word_before_others_reach_them(home, start):
    refused = start("terminal", "--host", "0.0.0.0", "--port", "0")
    assert refused.process.wait(timeout=60) == 1
    assert "can be reached from other machines" in refused.stderr.read_text()
