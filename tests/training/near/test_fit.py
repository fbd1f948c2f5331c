import json

import pytest

from x25.graph.estimators import BUNDLED_NEAR, load_near_verifier
from x25.providers.embeddings import open_encoder
from x25.training.near.fit import all_pairs, cosines_of, fit, main, rates, summary


@pytest.fixture(scope="module")
def measured():
    pairs = all_pairs(60)
    cosines = cosines_of(pairs, open_encoder())
    return pairs, cosines


def test_on_unseen_kinds_less_than_one_near_miss_in_two_hundred_is_served(measured):
    found = rates(*measured, load_near_verifier())
    missed, hit = (summary(found, same=same, seen=False) for same in (False, True))
    assert missed.pairs > 1_000
    assert missed.share < 0.005
    assert hit.share > 0.8


def test_the_artifact_is_what_the_fit_gives(measured):
    pairs, _ = measured
    fitted, kept = fit(pairs), load_near_verifier()
    assert fitted.weights == pytest.approx(kept.weights, abs=0.01)
    assert fitted.threshold == kept.threshold


@pytest.mark.slow
def test_the_command_prints_rates_and_writes_the_artifact(tmp_path, capsys):
    main(["--each", "10", "--write", str(tmp_path / "near.json")])
    assert "unseen kinds: hit rate" in " ".join(capsys.readouterr().out.split())
    assert (
        json.loads((tmp_path / "near.json").read_text()).keys() == json.loads(BUNDLED_NEAR.read_text()).keys()
    )
