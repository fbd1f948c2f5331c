from x25.bench import store


async def test_every_call_is_in_the_store_with_its_cost(tmp_path):
    figures = await store.measure(store.BATCH, tmp_path, 2)
    assert figures["calls"] == 2 * store.BATCH
    assert 0 < figures["cpu_ms"] < 1_000
    async with await store.open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        stats = await opened.calls.stats(None)
        assert (stats.total_calls, stats.cost_nusd) == (figures["calls"], 15_000 * figures["calls"])
        assert all(found.intact for found in await opened.audit.verify_all())


def test_figures_are_printed_for_each_number_of_calls_under_way(capsys):
    store.main(["--calls", "10", "--at-once", "1"])
    printed = capsys.readouterr().out
    assert "500 calls, 1 at once: " in printed
    assert "bytes on disk a call" in printed


def test_another_store_is_measured_where_one_is_named(tmp_path, capsys):
    url = f"sqlite+aiosqlite:///{tmp_path}/named.db"
    for _ in range(2):  # also a second time
        store.main(["--calls", "10", "--at-once", "2", "--database-url", url])
    assert "bytes" not in capsys.readouterr().out
    assert (tmp_path / "named.db").is_file()
