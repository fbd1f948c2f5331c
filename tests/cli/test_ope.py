import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from x25.cli.ope import REFUSED
from x25.state.logged_arms import LoggedArm
from x25.state.records import Call
from x25.state.store import open_store

FIELDS = {
    "org": "acme", "status": "answered", "task_type": "qa", "task_cell": "qa", "difficulty": 0.0, "provider": "v",
    "judge_cost_nusd": 500, "reference_cost_nusd": 100_000, "latency_ms": 1.0, "cascade_steps": 1, "escalations": 0,
    "fallbacks": 0, "router": "auto", "simulated": False, "record_hash": "",
}  # fmt: skip


def a_call(n, rng):
    even = 0.4 + 0.2 * rng.random()
    arms = [
        LoggedArm("v/small", "slm", even, 0.7, 0.7, 40.0, 1_000, 500.0, 1.0),
        LoggedArm("v/large", "frontier", 1.0 - even, 0.9, 0.9, 40.0, 50_000, 900.0, 1.0),
    ]
    asked = arms[int(rng.random() > even)]
    score = float(rng.choice([0.1, 0.5, 0.9]))
    seen = {
        "source": "judge",
        "outcome": "scored",
        "bin": 2,
        "score": score,
        "judge_model": "v/judge",
        "seen_prob": 1.0,
    }
    decision = {"model_id": asked.model_id, "arms": {one.model_id: one.to_row() for one in arms},
                "terms": {"judge": "v/judge"}, "first_verdict": seen, "verification": None}  # fmt: skip
    return Call(**FIELDS, call_id=f"c{n}", created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n),
                model_id=asked.model_id, tier=asked.tier, cost_nusd=asked.cost_nusd, quality_score=score,
                quality_source="judge", propensity=asked.propensity, decision=decision)  # fmt: skip


@pytest.fixture
def database(tmp_path):
    """Return the path of a log of 300 calls."""
    path, rng = tmp_path / "log.db", np.random.default_rng(3)

    async def fill():
        async with await open_store(f"sqlite+aiosqlite:///{path}") as store:
            for n in range(300):
                await store.calls.record(a_call(n, rng), {"kind": "call", "call_id": f"c{n}"})
            await store.calls.record(replace(a_call(0, rng), org="other"), {"kind": "call", "call_id": "c0"})

    asyncio.run(fill())
    return path


def test_a_policy_is_valued_with_intervals_and_the_difference_to_the_log(x25, database):
    result = x25("ope", "acme", "--policy", "always:v/small", "--db", database, "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["calls"], found["refused"], found["gate"]) == (0, 300, None, None)
    assert found["values"]["cost_usd"]["dr"]["value"] == pytest.approx(1_500e-9, rel=0.2)
    assert found["differences"]["cost_ratio"]["high"] < 0.2
    low, high = (found["differences"]["quality"][end] for end in ("low", "high"))
    assert low < 0.0 < high
    shown = x25("ope", "acme", "--policy", "always:v/small", "--db", database)
    assert "DR less logged" in shown.stdout
    assert "calls, worth" in shown.stderr


def test_a_gate_ends_with_zero_or_one_and_says_why(x25, database):
    gate = ("ope", "acme", "--policy", "always:v/small", "--db", database, "--gate")
    passed = x25(*gate, "--min-quality-diff", "-0.3", "--max-cost-ratio", "1.0")
    assert (passed.exit_code, passed.stdout.splitlines()[-1][:7]) == (0, "passed:")
    failed = x25(*gate, "--min-quality-diff", "0.3", "--json")
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["gate"]["reason"].startswith("not passed: quality")
    assert x25(*gate).exit_code == 1
    assert "--min-quality-diff" in x25(*gate).stderr


def test_what_the_log_cannot_say_has_an_exit_code_of_its_own(x25, database):
    nobody = x25("ope", "acme", "--policy", "tier:mid", "--db", database)
    assert nobody.exit_code == REFUSED
    assert "refused: the policy could be followed in 0.0%" in nobody.stderr
    few = x25("ope", "other", "--policy", "logged", "--db", database)
    assert (few.exit_code, "1 calls can be weighed, 100 are needed" in few.stderr) == (REFUSED, True)
    gated = x25("ope", "other", "--policy", "logged", "--db", database, "--gate", "--max-cost-ratio", "1")
    assert (gated.exit_code, "not passed: 1 calls" in gated.stdout) == (1, True)


@pytest.mark.parametrize("policy", ["bogus", "threshold:7", "tier:huge", "nowhere.yaml", "always:v/nobody"])
def test_an_unknown_policy_is_an_error_that_names_it(x25, database, policy):
    result = x25("ope", "acme", "--policy", policy, "--db", database)
    assert (result.exit_code, policy in result.stderr) == (1, True)


def test_a_hostile_org_is_refused(x25, database):
    assert x25("ope", "../etc", "--policy", "logged", "--db", database).exit_code == 1
