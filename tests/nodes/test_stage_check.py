import pytest

from x25.nodes.stage_check import stage_check
from x25.state.errors import CallFailed


@pytest.mark.parametrize(("calls", "stage"), [(1, 1), (49, 1), (50, 2)])
async def test_the_stage_follows_from_the_orgs_calls(services, calls, stage):
    written = await stage_check({"call_count": calls}, services)
    assert (written["stage"]["stage"], written["stage"]["total_calls"]) == (stage, calls)


async def test_a_call_that_bought_no_answer_is_raised_with_its_attempts(services):
    state = {"call_count": 1, "call_id": "c1", "attempts": [{"error": "server"}],
             "failure": {"code": "server", "message": "no model answered"}}  # fmt: skip
    with pytest.raises(CallFailed, match="no model answered") as failed:
        await stage_check(state, services)
    assert (failed.value.call_id, failed.value.attempts) == ("c1", [{"error": "server"}])
