from x25.bench.posteriors import main, measure


async def test_every_org_is_learnt_for_and_read_back(tmp_path):
    figures = await measure(20, tmp_path)
    assert figures["orgs"] == 20
    assert figures["store_mib"] > 0
    assert figures["read_ms"] > 0 < figures["update_ms"]


def test_it_prints_one_line(capsys):
    main(["--orgs", "5"])
    assert capsys.readouterr().out.startswith("5 orgs x 2 cells x 3 models")
