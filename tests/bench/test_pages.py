import json
import logging

import pytest

from x25.bench import pages
from x25.state.queries.call_pages import CallFilter


@pytest.mark.slow
def test_a_small_log_is_read_by_every_page_and_its_sums_are_those_of_its_calls(tmp_path, capsys, monkeypatch):
    seen = {}
    readings = pages.readings

    def noted(cascade, org):
        async def agrees():
            period = pages.Period.ending(cascade.services.now().date(), pages.DAYS + 1)
            found = await pages.read_observed(cascade.services, CallFilter(org, period))
            lines = found.lines
            seen[org] = (
                found.rates.calls,
                len(lines),
                found.totals.cost_nusd - sum(one.cost_nusd for one in lines),
            )

        return readings(cascade, org) | {"agrees": agrees}

    monkeypatch.setattr(pages, "readings", noted)
    out = tmp_path / "out.json"
    pages.main(["--calls", "400", "--rounds", "1", "--json", str(out)])
    assert seen == {"bench": (400, 400, 0), None: (400, 400, 0)}
    found = json.loads(out.read_text())
    assert found["one org"].keys() >= {"Home", "Observatory, 365 days", "stage", "agrees"}
    assert "all orgs, 400 calls: Home" in capsys.readouterr().out


def test_nothing_is_logged_for_a_while_and_everything_afterwards(caplog):
    log = logging.getLogger("x25.any")
    with pages.quiet():
        log.critical("within")
    log.warning("afterwards")
    assert caplog.messages == ["afterwards"]
