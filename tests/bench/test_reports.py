import pytest

from x25.bench.reports import ORG, Timing, fill, main, measure
from x25.state.store import open_store

NAMES = [
    "/stats", "/stats/all", "/verify", "figures of the Observatory", "newest and oldest page of decisions",
]  # fmt: skip


@pytest.mark.slow
async def test_reports_take_about_as_long_with_fifty_thousand_calls_as_with_five_hundred(tmp_path):
    """A walk of the log would take a hundred times as long; another process's turn may take a few times a fraction of
    a millisecond."""
    timings = await measure(500, 50_000, 20, tmp_path)
    assert [one.report for one in timings] == NAMES
    assert {one.report: one.ratio for one in timings if one.ratio > 8.0} == {}


async def test_what_is_filled_is_what_a_gateway_would_have_logged():
    async with await open_store("sqlite+aiosqlite://") as store:
        await fill(store, 30)
        stats, costs = await store.calls.stats(ORG), await store.estimates.costs(ORG)
        assert (stats.total_calls, stats.saved_nusd) == (30, 30 * (90_000 - 11_400 - 900))
        assert {one.answers for one in costs.values()} == {10}
        found = await store.audit.verify(ORG)
        assert (found.intact, found.total_records, found.calls) == (True, 30, 30)


def test_a_ratio_is_of_many_to_few():
    assert Timing("/stats", 0.002, 0.003).ratio == pytest.approx(1.5)


def test_it_prints_a_line_a_report(capsys):
    main(["--few", "5", "--many", "10", "--rounds", "1"])
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == NAMES
