import json
import sqlite3
from contextlib import closing
from io import StringIO

import pytest
from rich.console import Console

from x25.bench import memory
from x25.bench.memory import Reading, show, size_bytes, summary


def reading(calls, resident_mib):
    return Reading(calls, resident_mib, {"x25.db": 1_000 + 3_000 * calls, "checkpoints.db": 2_000 * calls})


def test_slopes_tell_a_rise_that_ends_from_one_that_goes_on():
    found = summary(
        [reading(n, value) for n, value in ((0, 100.0), (10_000, 120.0), (20_000, 121.0), (30_000, 121.0))]
    )
    assert found["mib_per_10000"] > 5
    assert found["mib_per_10000_later_half"] == pytest.approx(0.0, abs=1e-9)
    assert found["bytes_per_call"] == {"x25.db": 3_000.0, "checkpoints.db": 2_000.0}


def test_a_database_is_as_large_as_with_its_log(tmp_path):
    path = tmp_path / "x25.db"
    assert size_bytes(path) == 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE things (of BLOB)")
        with connection:
            connection.execute("INSERT INTO things VALUES (zeroblob(1000000))")
        seen = size_bytes(path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert seen == path.stat().st_size > 1_000_000


def test_readings_and_slopes_are_printed():
    shown = StringIO()
    found = summary([reading(0, 100.0), reading(10_000, 120.0)])
    show({"one org": found}, Console(file=shown, width=150))
    assert "+20.00 MiB in memory every 10,000 calls (+20.00 over" in shown.getvalue()
    assert "3,000 in x25.db, 2,000 in checkpoints.db" in shown.getvalue()


@pytest.mark.slow
def test_a_tiny_run_reads_memory_and_disk(tmp_path, capsys):
    out = tmp_path / "out.json"
    memory.main(
        [
            "--calls",
            "20",
            "--orgs",
            "10",
            "--every",
            "10",
            "--warmup",
            "5",
            "--clients",
            "2",
            "--json",
            str(out),
        ]
    )
    found = json.loads(out.read_text())
    assert [one["calls"] for one in found["one org"]["readings"]] == [5, 15, 25]
    assert [one["calls"] for one in found["an org a call"]["readings"]] == [25, 35]
    assert found["one org"]["bytes_per_call"]["x25.db"] > 500
    assert "an org a call" in capsys.readouterr().out
