from x25.bench.verify_chain import fill, main, measure
from x25.state.store import open_store


async def test_the_chain_that_is_filled_is_one_intact_line():
    async with await open_store("sqlite+aiosqlite://") as store:
        await fill(store, "bench", 2_500)
        verification = await store.audit.verify("bench")
        assert (verification.intact, verification.total_records) == (True, 2_500)
        assert await store.orgs.call_count("bench") == 2_500


async def test_a_measurement_says_how_many_records_it_verified(tmp_path):
    figures = await measure(300, 1, tmp_path)
    assert figures["records"] == 300
    assert figures["seconds"] > 0


def test_it_prints_one_line(capsys):
    main(["--records", "50", "--rounds", "1"])
    assert capsys.readouterr().out.startswith("50 records verified in ")
