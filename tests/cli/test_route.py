import json
import socket
import sqlite3

import pytest

from x25.cli.route import candidates_table
from x25.client import PRESETS
from x25.state.packing import unpack


def test_a_prompt_is_routed_in_this_process(routed, home) -> None:
    reply = routed("What is 17 * 23?", "--org", "lab", "--hint", "reasoning")
    assert (reply["org"], reply["task_type"], reply["simulated"]) == ("lab", "reasoning", True)
    assert reply["text"]
    assert (home / ".x25" / "x25.db").is_file()


def test_the_answer_is_printed_as_it_is_with_its_receipt(x25, routed) -> None:
    result = x25("route", "What is 17 * 23?", "--local")
    assert result.exit_code == 0
    answer, facts = result.stdout.rstrip("\n").rsplit("\n", 1)
    assert answer
    assert facts.startswith("[sim/")
    assert "(simulated)" in facts


@pytest.mark.parametrize("preset", ["cost-first", "quality-first"])
def test_a_preset_reaches_the_decision(x25, home, preset: str) -> None:
    assert x25("route", "hello", "--local", "--optimize-for", preset).exit_code == 0
    with sqlite3.connect(home / ".x25" / "x25.db") as database:
        (record,) = database.execute("SELECT record FROM audit").fetchone()
    assert json.loads(unpack(record))["optimize_for"] == pytest.approx(PRESETS[preset])


def test_limits_become_a_policy(routed) -> None:
    reply = routed("Prove it.", "--max-tier", "slm", "--max-cost", "0.5", "--router", "x25-classic")
    assert reply["tier"] == "slm"
    assert reply["explain"]["removed"]["sim/large-5"].startswith("max_tier")


def test_a_dash_reads_standard_input(x25) -> None:
    result = x25("route", "-", "--local", "--json", "--hint", "qa", stdin="What is 17 * 23?")
    assert (result.exit_code, json.loads(result.stdout)["task_type"]) == (0, "qa")


def test_explain_shows_the_candidates_and_who_was_removed(x25) -> None:
    result = x25("route", "hello", "--local", "--explain", "--max-tier", "mid")
    assert "sim/medium-4" in result.stdout
    assert "max_tier: frontier is above mid" in result.stdout


def test_the_chosen_candidate_leads_to_a_row_each() -> None:
    def candidate(name: str, theta: float) -> dict:
        return {
            "model_id": name,
            "tier": "slm",
            "completion_prob": 0.5,
            "theta": theta,
            "expected_cost_usd": 1e-6,
        }

    first = {"reason": "cheapest", "model_id": "b"}
    table = candidates_table(
        {
            "first_decision": first,
            "candidates": [candidate("a", 0.1), candidate("b", 0.9)],
            "removed": {"c": "max_tier"},
        }
    )
    assert list(table.columns[0].cells) == ["b", "a", "c"]
    assert [row.style for row in table.rows] == ["bold", None, "dim"]


@pytest.mark.slow
def test_a_running_gateway_is_asked(x25, start, simulator) -> None:
    child = start("serve", "--port", "0", "--json", X25_UPSTREAM="simulator", X25_SIMULATOR_URL=simulator.url)
    url = child.url()
    result = x25("route", "What is 17 * 23?", "--gateway", url, "--org", "far", "--json")
    assert (result.exit_code, json.loads(result.stdout)["org"]) == (0, "far")
    wrong = x25("route", "hello", "--gateway", url, "--api-key", "sk-x25-wrong")
    assert (wrong.exit_code, "401" in wrong.stderr, "sk-x25-wrong" in wrong.stderr) == (1, True, False)


def test_without_a_gateway_it_says_how_to_start_one(x25) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        free = f"http://127.0.0.1:{holder.getsockname()[1]}"
    result = x25("route", "hello", "--gateway", free)
    assert result.exit_code == 1
    assert "x25 serve" in result.stderr
    assert "pip install 'x25[gateway]'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["", "--local"], 1, "prompt must be a text"),
        ([""], 1, "prompt: expected text"),
        (["hello", "--gateway", "localhost"], 1, "gateway_url: expected"),
        (["hello", "--local", "--org", "Not One"], 1, "org must be"),
        (["hello", "--local", "--hint", "poetry"], 1, "hint must be one of"),
        (["hello", "--local", "--max-tier", "huge"], 1, "policy.max_tier must be one of"),
        (["hello", "--local", "--max-cost", "-1"], 1, "policy.max_cost_per_call_usd must be"),
        (["hello", "--local", "--optimize-for", "speed"], 2, "--optimize-for"),
        (["hello", "--local", "--routing-hint", "fast"], 2, "expected NAME=VALUE"),
        (
            ["hello", "--local", "--routing-hint", "mode=fast", "--routing-hint", "mode=auto"],
            2,
            "mode is given twice",
        ),
        (["hello", "--local", "--routing-hint", "speed=1"], 1, "routing_hints.speed is unknown"),
        (["hello", "--local", "--model", "no/such"], 1, "no/such"),
        (["hello", "--dry-run", "--model", "sim/small-2"], 2, "--model"),
    ],
)
def test_what_is_wrong_is_one_sentence(x25, arguments: list[str], code: int, sentence: str) -> None:
    result = x25("route", *arguments)
    assert result.exit_code == code
    assert sentence in result.stderr
    assert not result.stdout


def test_hints_and_a_model_that_is_asked_first_are_told_as_they_are_meant(routed) -> None:
    said = ["--routing-hint", "task_complexity=expert", "--routing-hint", "allow_free_fallback=false"]
    assert routed("What is 17 * 23?", *said)["tier"] == "frontier"
    assert routed("What is 17 * 23?", "--model", "sim/small-2")["model_used"] == "sim/small-2"
