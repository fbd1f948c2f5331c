from x25.bench.decision import main, measure


def test_every_part_has_a_median_below_its_tail():
    measured = measure(20)
    assert len(measured) == 8
    assert all(0 < median <= tail for median, tail in measured.values())


def test_it_prints_one_line_a_part(capsys):
    main(["--rounds", "5"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert all(" p50 " in line and " p99 " in line for line in lines)
