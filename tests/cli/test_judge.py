import json

import pytest

from x25.cli.judge import bins_table, verdict_line
from x25.routing.belief.judge_agreement import judge_report
from x25.routing.belief.judge_table import DEFAULT_TABLE


def test_labels_show_up_in_the_bins_of_their_judge(x25, routed, called) -> None:
    call = routed("What is 17 * 23?", "--org", "acme", "--router", "x25-classic")
    called("acme", 200)
    assert x25("label", "acme", call["call_id"], "--right").exit_code == 0
    (found,) = json.loads(x25("judge", "acme", "--json").stdout)["judges"]
    assert (found["judge"], found["labels"], found["auc"]) == (call["verdict"]["judge_model"], 1.0, None)
    assert sum(one["right"] for one in found["bins"]) == 1.0
    assert "AUC unknown" in x25("judge", "acme").stdout


@pytest.mark.usefixtures("empty_store")
def test_an_org_without_labels_is_told_so(x25) -> None:
    result = x25("judge", "nobody")
    assert (result.exit_code, "default table is in use" in result.stderr) == (0, True)


def test_the_sentence_states_the_gap_and_the_loss_of_trust() -> None:
    weak = judge_report("j", DEFAULT_TABLE, (100,) * 5, (100,) * 5)
    assert "0.300 short of 0.8" in verdict_line(weak)
    assert "triggers no escalation" in verdict_line(weak)
    assert list(bins_table(weak).columns[5].cells) == ["none"] * 5
