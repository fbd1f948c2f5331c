import io

import pytest
from rich.console import Console

from x25.demo.figures import by_kind, compare, stages_passed, tier_mix_over_time
from x25.demo.report import show


@pytest.fixture
def report(panel, make_routed) -> dict:
    routed = [
        make_routed("slm", kind="[sums]"),
        make_routed("mid", steps=2, judge_cost_usd=0.001, stage="Exploit"),
    ]
    return {
        "simulated": "simulated models",
        "panels": [
            {
                "name": "tiny", "calls": 2, "rows": compare(routed, panel),
                "over_time": tier_mix_over_time(routed),                "kinds": by_kind(routed,
                panel), "stages": stages_passed(routed), "escalated": 1, "judged": 1,
                "judge_cost_usd": 0.001,
                "arms": [{"tier": "slm", "alpha": 1.0, "beta": 3.0, "mean_reward": 0.25, "confidence": 0.08}],
            }
        ],
        "chain": {"intact": True, "total_records": 2, "reason": None},
        "footnote": "Dollars [list prices].",
    }  # fmt: skip


def shown(report: dict, width: int = 160) -> str:
    console = Console(file=io.StringIO(), width=width)
    show(report, console)
    return console.file.getvalue()


def test_every_figure_of_the_report_is_shown(report: dict) -> None:
    text = shown(report)
    for part in (
        "tiny: 2 calls, simulated models", "always frontier (large)", "6.000", "50.0", "-50.0", "50/50/0",
        "1-1", "2-2",        "0.250", "stages passed: Explore → Exploit",
        "escalated: 1 of 2 calls", "judged: 1", "$0.001000",
        "audit chain: 2 records, intact",
    ):  # fmt: skip
        assert part in text, part


def test_brackets_are_text_and_no_markup(report: dict) -> None:
    text = shown(report)
    assert "Dollars [list prices]." in text
    assert "[sums]" in text


def test_a_broken_chain_is_said_to_be(report: dict) -> None:
    report["chain"] = {"intact": False, "total_records": 1, "reason": "demo: edited"}
    assert "BROKEN: demo: edited" in shown(report)


def test_it_fits_a_narrow_terminal(report: dict) -> None:
    assert max(len(line) for line in shown(report, width=80).splitlines()) <= 80
