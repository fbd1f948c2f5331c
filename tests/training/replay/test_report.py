import json
import os
from pathlib import Path

import pytest

from x25.training.replay.report import Request, replay

DATA = Path(os.environ.get("X25_DATA", Path(__file__).parents[4] / "shared" / "data"))
needs_data = pytest.mark.skipif(not (DATA / "prompts").is_dir(), reason=f"no recorded outcomes at {DATA}")


class Nothing:
    """An encoder of no dimension: features alone."""

    dimension = 0
    fingerprint = "none"

    def embed_many(self, texts):
        import numpy as np

        return np.zeros((len(texts), 0), dtype=np.float32)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"orders": 0}, "at least one order"),
        ({"models": ("a",)}, "at least two models"),
        ({"drifts": ("flood",)}, "unknown drift scenario 'flood'"),
        ({"ceilings_usd": (0.0,)}, "ceiling must be above 0"),
        ({"rotate": True, "warm_dir": Path("elsewhere")}, "give --rotate or another --warm"),
    ],
)
def test_what_cannot_be_replayed_is_refused_before_anything_is_read(wrong, message):
    with pytest.raises(ValueError, match=message):
        Request(Path("nowhere"), **wrong)


@pytest.mark.train
@needs_data
def test_a_replay_holds_all_parts_and_is_json():
    steps = []
    request = Request(
        DATA, rotate=True, orders=2, ceilings_usd=(0.00065,), drifts=("frontier-worse", "new-model")
    )
    report = replay(request, Nothing(), lambda *step: steps.append(step))
    assert json.loads(json.dumps(report)) == report
    assert report["stream"]["prompts"] == 1_785
    assert (
        report["regret"]["x25 warm"]["regret"]
        < report["regret"]["always mistralai/mistral-large-2512"]["regret"]
    )
    assert report["regret"]["x25 cold"]["worst_order"] < 75.0
    assert report["ladder"][0]["spend_ratio_max"] <= 1.004
    assert report["ladder"][0]["reward"] >= report["ladder"][0]["published"]
    assert report["drift"]["frontier-worse"]["x25"]["detection_steps"] <= 80
    assert report["drift"]["frontier-worse"]["x25"]["phase_rewards"][1] >= 0.895
    assert all(done == total for phase, done, total in {step[0]: step for step in steps}.values())


@pytest.mark.train
@needs_data
def test_a_folder_is_never_warm_on_what_it_streams():
    report = replay(Request(DATA, warm_dir=DATA, orders=1, ceilings_usd=(), drifts=()), Nothing())
    assert report["warm"]["way"] == "split"
    assert report["stream"]["prompts"] + report["warm"]["prompts"] == 1_785
