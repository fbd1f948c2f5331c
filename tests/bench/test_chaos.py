import pytest

from x25.bench.chaos import ADDRESSES, FAULTS, UPSTREAM, Trial, _rules, run, trials
from x25.simulator.faults import KIND_TO_PARAMETERS, parse_fault


def test_every_fault_of_the_simulator_is_tried_in_every_place():
    kinds = {one.kind for one in trials()}
    assert kinds == {*KIND_TO_PARAMETERS, *ADDRESSES} - {"latency"}
    assert len({one.number for one in trials()}) == len(trials())
    for fault in FAULTS:
        assert fault in ADDRESSES or parse_fault(fault)


@pytest.mark.parametrize(
    ("where", "struck"),
    [("first", ["500", None, None]), ("second", ["503", "500", None]), ("all", ["500"] * 3)],
)
def test_a_fault_strikes_where_it_is_meant_to(where, struck):
    rules = {rule["match"]["model"]: rule["fault"] for rule in _rules(Trial("500", False, where, 0))}
    assert [rules.get(name) for name in UPSTREAM] == struck


@pytest.mark.slow
def test_promises_are_kept_when_a_target_is_down_cut_off_or_not_to_be_found(tmp_path):
    found = list(run(tmp_path, trials(["500", "cut_stream;after=2", "tls"])))
    assert [one.broken for one in found] == [()] * 18
    assert {one.outcome for one in found if one.trial.where != "all"} == {"answered", "broken off"}
    assert {one.outcome for one in found if one.trial.where == "all"} == {"told", "broken off"}
