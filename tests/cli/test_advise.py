import io
import json
from types import SimpleNamespace

from rich.console import Console

from x25.cli.advise import recorded_table, swaps_table
from x25.routing.plan.pool_advice import Estimate


def test_an_orgs_advice_names_pool_and_swaps(x25, routed) -> None:
    for number in range(3):
        routed(f"What is {number} * 23?", "--org", "acme")
    advice = json.loads(x25("advise", "acme", "--json").stdout)
    assert advice["calls"] == 3
    assert advice["pool"]
    assert advice["swaps"][0].keys() >= {
        "out",
        "into",
        "points",
        "usd_per_1000_calls",
        "gain_prob",
        "basis_into",
    }
    shown = x25("advise", "acme")
    assert (shown.exit_code, "swaps, best first" in shown.stdout) == (0, True)
    assert " answers at $" in shown.stdout


def test_what_is_missing_is_one_sentence(x25, home) -> None:
    assert "name an org" in x25("advise").stderr
    assert "--recorded needs --panel" in x25("advise", "--recorded", home).stderr


def test_a_swap_is_shown_beside_the_panels_own_pool() -> None:
    figures = {
        "is_reached_on_train": True, "train_cost_usd_per_call": 2e-3, "test_cost_usd_per_call": 2e-3,
        "test_score": 0.8, "test_score_half_width_points": 1.0, "target": 0.8, "tiers": {"slm": "a", "mid": "b"},
    }  # fmt: skip
    swap = {**figures, "out": "a", "into": "c", "test_cost_usd_per_call": 1e-3, "is_reached_on_train": False}
    table = recorded_table({"panel": "made", "own": figures, "swaps": [swap]})
    assert list(table.columns[0].cells) == ["none", "a → c (score not reached)"]
    assert list(table.columns[4].cells) == ["1.00", "0.50"]


def test_swaps_are_readable_at_80_columns() -> None:
    one = Estimate(0.5, -1.25, 2.25)
    swap = SimpleNamespace(
        out="anthropic/claude-sonnet-5.5", into="deepseek/deepseek-v4-flash-0731", points=one,
        usd_per_1000_calls=one, gain_points=one, gain_prob=0.91,
        basis_into="its published benchmarks", basis_out="212 judged answers",
    )  # fmt: skip
    shown = io.StringIO()
    Console(file=shown, width=80).print(swaps_table(SimpleNamespace(swaps=[swap])))
    said = shown.getvalue()
    assert max(map(len, said.splitlines())) <= 80
    for part in (
        "+0.50",
        "-1.25…+2.25",
        "0.91",
        "anthropic/claude-sonnet-5.5",
        "deepseek/deepseek-v4-flash-0731",
    ):
        assert part in said
