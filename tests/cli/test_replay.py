from io import StringIO

from rich.console import Console
from typer.testing import CliRunner

from x25.cli import app
from x25.cli.replay import tables

RUN = CliRunner()

ROW = {"reward": 0.93, "regret": 52.0, "regret_sd": 1.0, "worst_order": 54.0, "at_200": 5.8}
REPORT = {
    "stream": {"source": "paretobandit", "prompts": 1_785},
    "warm": {"way": "rotation", "prompts": 1_785},
    "orders": 20,
    "regret": {"x25 warm": ROW},
    "ladder": [
        {
            "ceiling_usd": 0.00065, "reward": 0.92, "static_mixture": 0.925, "published": None,
            "spend_ratio_mean": 0.98, "spend_ratio_max": 0.99,
        }
    ],
    "drift": {
        "frontier-worse": {
            "x25": {
                "phase_rewards": [0.9, 0.8, 0.9], "phase_shares": [0.9, 0.1, 0.5], "detection_steps": 33,
                "calls_to_come_back": 97.5, "calls_to_come_back_ci95": [74.0, None],
            }
        }
    },
    "loop": {
        "zeroeval": {
            "ceiling": {"0-50": 80.0}, "generic": {"0-50": 78.5},
            "below_ceiling": {"generic": {"0-50": {"mean": 1.5, "se": 0.4}}},
        }
    },
    "repair": {
        "zeroeval": {
            "model": "v/small",
            "learners": {
                "x25": {
                    "utility": [80.0, 78.5, 80.0], "shares": [0.6, 0.2, 0.5], "calls_to_come_back": 88.0,
                    "calls_to_come_back_ci95": [61.0, 120.0], "utility_of_return": 0.25,
                    "utility_of_return_ci95": [-0.05, 0.5],
                }
            },
        }
    },
}  # fmt: skip


def shown():
    console = Console(width=200, record=True, file=StringIO())
    for table in tables(REPORT):
        console.print(table)
    return console.export_text()


def test_tables_show_every_part_of_a_report():
    text = shown()
    for expected in (
        "52.0", "1,785 prompts, 20 orders", "0.9250", "97.5 [74, never]", "33", "78.5 (1.5)", "v/small breaks",
        "88 [61, 120]", "+0.25 [-0.05, +0.50]",
    ):  # fmt: skip
        assert expected in text


def test_a_folder_that_is_not_there_is_named():
    result = RUN.invoke(app, ["replay", "--stream", "/no/such/folder"])
    assert result.exit_code == 2
    assert "no/such/folder" in result.output


def test_an_unknown_scenario_is_one_sentence(tmp_path):
    result = RUN.invoke(app, ["replay", "--stream", str(tmp_path), "--drift", "flood"])
    assert result.exit_code == 1
    assert "unknown drift scenario" in result.output
    assert "Traceback" not in result.output


def test_a_folder_without_outcomes_is_one_sentence(tmp_path):
    result = RUN.invoke(app, ["replay", "--stream", str(tmp_path), "--encoder", "none"])
    assert result.exit_code == 1
    assert "Traceback" not in result.output
