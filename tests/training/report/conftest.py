"""A synthetic evaluation and replay, made-up figures in the shape of the real ones; and eyes for charts and pages."""

import re
from html import unescape
from xml.etree import ElementTree as ET

import pytest


def spread(value, low, high):
    return {"value": value, "ci95": [low, high]}


def make_point(**changed):
    return {
        "quality_price": 0.2,
        "is_reached_on_train": True,
        "train_score": 0.81,
        "train_cost_usd_per_call": 0.0021,
        "score": 0.823,
        "score_delta_points": spread(2.3, 0.4, 4.2),
        "cost_usd_per_call": 0.002,
        "cut": spread(0.6, 0.55, 0.65),
        "judge_calls_per_request": 1.25,
        "tier_share": {"slm": 0.5, "mid": 0.3, "frontier": 0.2},
        "static_mixture_score": 0.76,
        "over_static_mixture_points": 6.3,
        "is_prompt_dependent": True,
    } | changed


def _baseline(score, cost_usd, **more):
    delta, cut = 100 * (score - 0.8), 1 - cost_usd / 0.005
    return {
        "score": score,
        "cost_usd_per_call": cost_usd,
        "score_delta_points": delta,
        "cut": cut,
    } | more


def make_panel(**changed):
    low = {"low": 0.6, "high": 0.7, "count": 40, "mean_predicted_prob": 0.66, "share_completed": 0.61}
    high = {"low": 0.8, "high": 0.9, "count": 10, "mean_predicted_prob": 0.85, "share_completed": 0.9}
    curve = {"quality_price": [0.1, 1.0], "score": [0.84, 0.805], "cost_usd_per_call": [0.003, 0.001]}
    return {
        "title": "Synthetic sums",
        "source": "sums",
        "models": {"slm": "small-1", "mid": "middle-1", "frontier": "large-1"},
        "prompts": {"train": 800, "test": 200},
        "judge": {"description": "simulated judge of AUC 0.85", "table_auc": 0.84},
        "models_averaged": 5,
        "difficulty_pearson": 0.55,
        "ece": 0.031,
        "seed_form": {"ece": 0.092},
        "ece_ratio_to_seed_form": 0.337,
        "tiers": {tier: {"ece": 0.02, "calibration": [low, high]} for tier in ("slm", "mid", "frontier")},
        "operating_points": {
            "match": make_point(),
            "budget": make_point(score=0.812, score_delta_points=spread(1.2, -0.7, 3.1)),
            "prompt_only_match": make_point(
                score=0.8,
                score_delta_points=spread(0.0, 0.0, 0.0),
                cut=spread(0, 0, 0),
                cost_usd_per_call=0.005,
            ),
            "prompt_only_budget": make_point(score=0.76, score_delta_points=spread(-4.0, -6.0, -2.0)),
        },
        "by_task_type": {
            "code": {
                "prompts": 60,
                "score_delta_points": spread(0.5, 0.1, 0.9),
                "cut": spread(0.81, 0.8, 0.82),
            },
            "qa": {
                "prompts": 140,
                "score_delta_points": spread(-1.5, -3.0, 0.2),
                "cut": spread(0.9, 0.8, 0.95),
            },
        },
        "baselines": {
            "always_slm": _baseline(0.6, 0.0002, model="small-1"),
            "always_mid": _baseline(0.7, 0.001, model="middle-1"),
            "always_frontier": _baseline(0.8, 0.005, model="large-1"),
            "random": _baseline(0.7, 0.0021),
            "best_single": _baseline(0.8, 0.005, model="large-1", chosen_on="train"),
            "oracle": _baseline(0.88, 0.0011),
        },
        "curves": {"train": curve, "test": curve, "test_prompt_only": curve},
        "over_splits": {
            "splits": 5,
            "match": {
                "score_delta_points": {"mean": 1.7, "sd": 0.9},
                "cut": {"mean": 0.58, "sd": 0.03},
                "over_static_mixture_points": {"mean": 5.5, "sd": 0.4},
            },
        },
    } | changed


def _rung(ceiling_usd, reward):
    return {
        "ceiling_usd": ceiling_usd,
        "reward": reward,
        "reward_sd": 0.001,
        "published": 0.8,
        "static_mixture": 0.79,
        "greedy": 0.81,
        "spend_ratio_mean": 0.99,
        "spend_ratio_max": 1.001,
    }


@pytest.fixture
def make():
    """Return the makers of a panel and of a point, for figures of one's own."""
    return {"panel": make_panel, "point": make_point, "spread": spread}


@pytest.fixture
def report():
    recorded = {
        "description": "recorded noise of a judge, resampled",
        "table_auc": 0.72,
        "recorded_pairs": 300,
    }
    unproven = make_point(score=0.79, score_delta_points=spread(-0.5, -2.1, 1.1), cut=spread(0.44, 0.4, 0.48))
    return {
        "schema": 1,
        "created_at": "2026-11-20T12:00:00Z",
        "train": {"prompts": 1600},
        "test": None,
        "encoder": {"fingerprint": "abc123"},
        "panels": {
            "sums": make_panel(),
            "talk": make_panel(
                title="Synthetic talk", source="talk", judge=recorded, operating_points={"match": unproven}
            ),
        },
        "verifier": {"sums": {"auc": 0.7123}},
    }


@pytest.fixture
def replay():
    steps = [1, 50, 100]
    share = {"vendor/small-1": [0.5, 0.6, 0.7], "vendor/large-1": [0.5, 0.4, 0.3]}
    lane = {"phase_rewards": [0.9, 0.8, 0.9], "detection_steps": 41, "median_alarm_step": None}
    lane |= {"curves": {"steps": steps, "share": share, "posterior_mean": share}}
    loop = {"0-50": 61.5, "50-100": 64.5}
    figures = {"reward": 0.93, "regret": 52.4, "regret_sd": 0.8, "worst_order": 53.9, "at_200": 5.8}
    return {
        "regret": {"x25 warm": figures, "random": figures | {"regret": 251.0}},
        "ladder": [_rung(0.0001, 0.83), _rung(0.001, 0.91)],
        "drift": {"frontier-worse": {"x25": lane, "x25-classic": lane}},
        "loop": {
            "sums": {
                "warm": loop,
                "ceiling": loop,
                "below_ceiling": {"warm": {"0-50": {"mean": 3.2, "se": 0.5}}},
            }
        },
        "curves": {"steps": steps, "regret": {"x25 warm": [1.0, 30.0, 52.4], "random": [1.0, 120.0, 251.0]}},
    }


class Chart:
    """What a browser would show of a chart: its words, its lines, and the marks that say something."""

    def __init__(self, drawn):
        self.root = ET.fromstring(drawn)
        self.label = self.root.get("aria-label")
        self.words = {
            text.text: (float(text.get("x")), float(text.get("y"))) for text in self.root.iter("text")
        }
        self.lines = [(style_of(path), path.get("d")) for path in self.root.findall("path")]
        self.marks = {group.find("title").text: group.find("path") for group in self.root.findall("g")}

    def strokes(self, colour):
        """Return the styles of lines in a colour of the style sheet."""
        return [style for style, _ in self.lines if style.get("stroke") == f"var(--{colour})"]


def style_of(element):
    """Return a style attribute as a mapping, where the last of two values holds."""
    return dict(part.strip().split(": ") for part in element.get("style").split(";") if part.strip())


def box_of(path):
    """Return left, bottom, right and top of a mark on the chart, y downwards."""
    numbers = [float(one) for one in re.findall(r"-?[\d.]+", path.get("d"))]
    moved = [float(one) for one in re.findall(r"-?[\d.]+", path.get("transform", "translate(0 0)"))]
    x, y = [one + moved[0] for one in numbers[::2]], [one + moved[1] for one in numbers[1::2]]
    return min(x), max(y), max(x), min(y)


def section_of(page, name):
    """Return one section of a page, None where it has none of this name."""
    found = re.search(rf'<section id="{name}".*?</section>', page, re.DOTALL)
    return unescape(found[0]) if found else None


def text_of(markup):
    """Return what can be read of a piece of a page without hovering."""
    return " ".join(re.sub(r"<title>.*?</title>|<[^>]+>", " ", markup).split())


def rows_of(markup):
    """Return the cells of each row of all tables as texts."""
    rows = re.findall(r"<tr>(.*?)</tr>", markup, re.DOTALL)
    return [[text_of(cell) for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", row, re.DOTALL)] for row in rows]


@pytest.fixture
def eyes():
    """Return the readers of charts and pages."""
    return {
        "chart": Chart, "box": box_of, "style": style_of,
        "section": section_of, "text": text_of, "rows": rows_of,
    }  # fmt: skip
