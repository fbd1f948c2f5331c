import pytest
from pydantic import ValidationError

from x25.api.report_schemas import ArmSelection, CellArm, CountedBeta, TierArm

COUNTS = {"tier": "slm", "alpha": 7.0, "beta": 3.0, "mean_reward": 0.7, "confidence": 0.2}


def test_counts_and_what_the_plan_reads_share_no_field():
    assert not set(CountedBeta.model_fields) & set(ArmSelection.model_fields)
    for body in (TierArm, CellArm):
        assert "selection" in body.model_fields


def test_a_tier_is_not_shown_without_what_selection_reads():
    with pytest.raises(ValidationError, match="selection"):
        TierArm(**COUNTS)
    whole = TierArm(**COUNTS, selection={"observations": 12.0, "pass_rate": 0.8})
    assert whole.model_dump()["selection"] == {"observations": 12.0, "pass_rate": 0.8}
    assert whole.rescue_rate is None
