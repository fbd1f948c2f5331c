from time import monotonic
from types import SimpleNamespace

import pytest

from x25.terminal.ticker import Tick, Ticker, strip


def test_the_strip_says_what_is_simulated_and_what_models_cost():
    tick = Tick(-5_000_000, 1_234, 3, 2, 61.0, is_simulated=True, prices=(("<b>", 0.1, 2.0),))
    shown = strip(tick)
    for words in ("simulated models", "−$0.00500", "1,234", "1 min", "&lt;b&gt;", "$0.10 / $2.00"):
        assert words in shown
    assert "simulated" not in strip(Tick(0, 0, 0, 0, 0.0, is_simulated=False, prices=()))


@pytest.mark.slow
async def test_it_is_read_once_for_all_pages_and_moves_with_calls(cascade):
    state = SimpleNamespace(admission=SimpleNamespace(in_flight=7), started_s=monotonic() - 5)
    ticker = Ticker(cascade, state)
    first = await ticker.read("acme")
    assert (first.calls_today, first.open_calls, first.is_simulated) == (0, 7, False)
    assert first.uptime_s == pytest.approx(5, abs=2)
    assert {name for name, _, _ in first.prices} == set(cascade.services.models)
    assert await ticker.read("acme") is first
    reply = await cascade.route({"prompt": "What is 17 + 4?", "org": "acme"})
    later = await Ticker(cascade, state).read("acme")
    assert (later.calls_today, later.is_simulated) == (1, True)
    assert later.saved_today_nusd == round(reply["cost_saved_usd"] * 1e9)
    assert (await Ticker(cascade, state).read(None)).calls_today == 1
