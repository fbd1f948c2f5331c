import csv
import io

import pytest

from x25.state.queries.periods import Share, Totals
from x25.terminal.exports import FIGURES


def test_amounts_are_exact():
    share = Share("v/a", Totals(total_calls=2, cost_nusd=1, judge_cost_nusd=2, reference_cost_nusd=10))
    assert {name: value(share) for name, value in FIGURES.items()} == {
        "calls": 2, "paid_usd": "0.000000003", "judge_cost_usd": "0.000000002", "reference_cost_usd": "0.000000010",
        "saved_usd": "0.000000007", "mean_quality": None, "mean_latency_ms": None,
    }  # fmt: skip


@pytest.mark.slow
def test_every_table_is_exported_whole(locked_pages):
    with locked_pages.client("root") as client:
        rows = list(csv.DictReader(io.StringIO(client.get("export/calls.csv?org=acme").text)))
        mine = locked_pages.of("acme", 30)
        assert {row["Call"] for row in rows} == {one.call_id for one in mine}
        assert sum(round(float(row["Paid"]) * 1e9) for row in rows) == sum(one.paid_nusd for one in mine)
        for name in ("days", "models", "tiers"):
            sums = list(csv.DictReader(io.StringIO(client.get(f"export/{name}.csv?org=acme").text)))
            assert sum(int(row["calls"]) for row in sums) == len(mine)
        assert len(sums) == 4
        assert {row["Status"] for row in rows} == {one.status for one in mine}
        assert sum(int(row["Escalations"]) for row in rows) == sum(one.escalations for one in mine)
        narrowed = [one for one in mine if one.tier == "mid"]
        for name in ("days", "models", "tiers"):
            text = client.get(f"export/{name}.csv?org=acme&tier=mid").text
            assert sum(int(row["calls"]) for row in csv.DictReader(io.StringIO(text))) == len(narrowed)
        past = list(csv.DictReader(io.StringIO(client.get("export/history.csv?org=acme").text)))
        assert [row["Id"] for row in past] == [one.call_id for one in reversed(mine)]
        assert {row["Kind"] for row in past} == {"call"}
        assert client.get("export/history.csv").status_code == 404
        assert client.get("export/passwords.csv").status_code == 404
        assert client.get("export/calls.csv?from=x").status_code == 422
