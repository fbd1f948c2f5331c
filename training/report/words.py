"""How numbers and names are written on the page."""

import math
from collections.abc import Mapping
from typing import Final

from .markup import Safe, tag

ABSENT: Final = "–"

POINT_NAMES: Mapping[str, str] = {
    "match": "Match",
    "budget": "Budget",
    "prompt_only_match": "Match, no judge",
    "prompt_only_budget": "Budget, no judge",
}
POINT_MEANINGS: Mapping[str, str] = {
    "match": "cheapest setting that scored at least as high as the frontier model on train, plus a safety margin",
    "budget": "best setting on train within a fixed share of the frontier model's cost",
    "prompt_only_match": "as Match, but deciding from the prompt alone: no answer is checked",
    "prompt_only_budget": "as Budget, but deciding from the prompt alone: no answer is checked",
}
BASELINE_NAMES: Mapping[str, tuple[str, str]] = {
    "always_slm": ("Always slm", "every request to the small model"),
    "always_mid": ("Always mid", "every request to the middle model"),
    "always_frontier": ("Always frontier", "every request to the strongest model: what savings are measured from"),
    "random": ("Random", "a model drawn by lot for every request"),
    "best_single": ("Best single", "the one model that scored highest on train, for every request"),
    "best_single_within_budget": ("Best single within budget", "the best one model the budget pays for"),
    "per_dataset_best_match": ("Best per dataset, match", "a fixed model for each dataset, chosen on train to match"),
    "per_dataset_best_budget": ("Best per dataset, budget", "a fixed model for each dataset, within the budget"),
    "xrouter_classic": ("xrouter-classic", "the older threshold rule: cheapest model predicted to succeed"),
    "x25_classic": ("x25-classic", "the older bandit: draw a model, judge every answer, climb when it is poor"),
    "oracle": ("Oracle", "the cheapest model that was right, known only afterwards"),
}  # fmt: skip
GLOSSARY: Mapping[str, str] = {
    "Tier": "A model's place on the ladder: slm (small, cheap), mid, frontier (strongest, dearest).",
    "Score": "Mean quality of the answers returned, 0 to 100: share of right answers, or a mean rating.",
    "Points": "Difference of two scores. +1 point = one more right answer in a hundred.",
    "Cost cut": "1 − cost per call ÷ cost per call of always asking the frontier model. Judging and answers that "
    "were bought but not returned are included in the cost.",
    "95 % interval": "Range that holds the true value in 95 of 100 repetitions on other prompts of the same kind "
    "(bootstrap over test prompts).",
    "Judge": "A model that scores an answer, so that a poor one can be replaced by a dearer model's.",
    "AUC": "How often a judge or a prediction ranks a right answer above a wrong one: 0.5 is chance, 1 perfect.",
    "Judge calls": "Answers judged per request; above 1 where a second answer is judged too.",
    "Tier mix": "Share of returned answers that came from each tier.",
    "Frozen point": "A setting of the router chosen on train prompts, then used unchanged on test prompts.",
    "Static mixture": "The best lottery between fixed models at the same cost, known in hindsight. A router that "
    "does not beat it has learned nothing about prompts.",
    "Prompt only": "Routing without looking at any answer.",
    "ECE": "Expected calibration error: mean distance between predicted and observed success. 0 is perfect.",
    "Seed form": "The published prediction formula this router started from, fitted to the same data.",
    "CostSave": "Saving against the best single model at the cheapest point that scores at least as high.",
    "PerfGain": "Best score of the frozen points ÷ score of the best single model − 1.",
    "Regret": "Reward missed against the best recorded answer of each prompt, summed over a stream.",
    "Drift": "A model becomes worse, cheaper or new while the router is running.",
    "Posterior mean": "What the router currently believes a model's answers are worth, 0 to 1.",
    "Utility": "Quality minus the price of what was spent, in points.",
}


def signed(value: float | None, digits: int = 1) -> str:
    """Return a difference with its sign and a real minus; nothing is ever minus zero."""
    if value is None:
        return ABSENT
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}".replace("-", "−") if rounded else f"{0:.{digits}f}"


def plain(value: float | None, digits: int = 2) -> str:
    """Return a number with a fixed number of decimals and a real minus."""
    if value is None:
        return ABSENT
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def score(value: float | None) -> str:
    """Return a score of [0, 1] as written: 0 to 100."""
    return plain(None if value is None else 100.0 * value, 1)


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share of [0, 1] in per cent; what is not all never reads 100 %."""
    if value is None:
        return ABSENT
    written = plain(100.0 * value, digits)
    return f"{plain(100.0 * value, 1) if written == '100' and value < 1.0 else written} %"


def usd(value: float | None) -> str:
    """Return dollars with three significant digits."""
    if value is None:
        return ABSENT
    if value == 0.0:
        return "$0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{'−' if value < 0 else ''}${abs(value):,.{decimals}f}"


def usd_tick(value: float) -> str:
    """Return round dollars without trailing zeros."""
    written = f"{value:.10f}".rstrip("0").rstrip(".")
    return f"${written}"


def count(value: float | None) -> str:
    """Return a whole number with its thousands apart."""
    return ABSENT if value is None else f"{round(value):,}"


def between(bounds: tuple[float, float] | None, digits: int = 1) -> str:
    """Return the interval of a difference."""
    return ABSENT if bounds is None else f"{signed(bounds[0], digits)} to {signed(bounds[1], digits)}"


def percent_between(bounds: tuple[float, float] | None) -> str:
    """Return the interval of a share, in per cent."""
    return ABSENT if bounds is None else f"{plain(100.0 * bounds[0], 0)} to {plain(100.0 * bounds[1], 0)}"


def with_interval(value: str, bounds: str, exact: float | None) -> Safe:
    """Return a value with its interval beneath; hovering shows it unrounded."""
    return tag(
        "span",
        tag("span", value, class_="value"),
        tag("span", bounds, class_="bounds"),
        title=None if exact is None else repr(exact),
    )


def exactly(value: float | None, written: str) -> Safe:
    """Return a number as written; hovering shows it unrounded."""
    return tag("span", written, title=None if value is None else repr(value))
