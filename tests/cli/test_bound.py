import json

import pytest

from x25.routing.belief.quality_bound import LEAST_LABELS


def test_calls_are_picked_labelled_and_bounded(x25, routed, called) -> None:
    for number in range(3):
        routed(f"What is {number} * 23?", "--org", "acme", "--hint", "qa")
    called("acme", 200)
    picked = json.loads(x25("bound", "acme", "--pick", "2", "--share", "1", "--json").stdout)
    assert (len(picked["call_ids"]), picked["sampled_prob"]) == (2, 1.0)
    for call_id in picked["call_ids"]:
        done = x25("label", "acme", call_id, "--right", "--source", "audit", "--sampled-prob", "1")
        assert done.exit_code == 0, done.stderr
    left = x25("bound", "acme", "--pick", "9", "--share", "1")
    assert len(left.stdout.split()) == 1
    assert "--sampled-prob 1" in left.stderr
    found = json.loads(x25("bound", "acme", "--json").stdout)["bounds"]
    assert sum(one["labels"] for one in found.values()) == 2
    assert {one["status"] for one in found.values()} == {"too few labels"}
    shown = x25("bound", "acme").stdout
    assert f"({LEAST_LABELS - 2} more needed)" in shown


@pytest.mark.usefixtures("empty_store")
def test_an_org_without_labels_is_told_how_to_get_some(x25) -> None:
    result = x25("bound", "nobody")
    assert (result.exit_code, "--pick 30" in result.stderr) == (0, True)


@pytest.mark.parametrize("options", [("--delta", "0"), ("--share", "2"), ("--pick", "0")])
def test_what_is_out_of_range_is_refused(x25, options) -> None:
    assert x25("bound", "acme", *options).exit_code == 2


def test_an_impossible_probability_is_refused_by_name(x25, routed, called) -> None:
    call = routed("What is 2 * 23?", "--org", "acme")
    called("acme", 200)
    refused = x25("label", "acme", call["call_id"], "--right", "--sampled-prob", "0")
    assert (refused.exit_code, "sampled_prob" in refused.stderr) == (1, True)


def test_a_hostile_org_is_refused(x25) -> None:
    assert x25("bound", "../etc").exit_code == 1
    assert x25("bound", "../etc", "--pick", "3").exit_code == 1
