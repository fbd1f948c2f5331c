"""Charts of panels, one function a section; a section without figures is None."""

from collections.abc import Sequence

from . import words
from .cells import Panels, figure, judge_note, judge_word, section
from .derived import match_of
from .frontier_chart import frontier_chart
from .markup import Safe, tag
from .reading import Figures, number, part, tiers_of, title_of
from .small_charts import calibration_chart, mix_figure


def frontiers(panels: Panels) -> Safe | None:
    """Return the cost-quality chart of each panel under one legend."""
    drawn = [
        figure(title_of(name, panel), chart, _under(panel))
        for name, panel in panels.items()
        if (chart := frontier_chart(name, panel)) is not None
    ]
    if not drawn:
        return None
    lead = tag(
        "p",
        "Up is better, left is cheaper. The thick line is what the router does at every price of quality; its distance "
        "above the dotted line is what knowing the prompt and judging answers is worth. Curves are traced on test; the "
        "marked points were frozen on train. Bars: 95 % interval of the difference from the frontier model.",
    )
    return section(
        "frontier", "Cost and quality", lead, judge_note(panels), _legend(), tag("div", *drawn, class_="grid")
    )


def _under(panel: Figures) -> str:
    over = number(match_of(panel), "over_static_mixture_points")
    above = f"Match is {words.signed(over)} points above the best static mixture at its cost."
    return f"{above} Judge: {judge_word(panel)}."


def _tier_legend() -> Safe:
    return _keys((("dot slm", "slm: small"), ("dot mid", "mid"), ("dot frontier", "frontier: strongest")))


def _legend() -> Safe:
    return _keys((
        ("line plan", "router with judge"),
        ("line prompt-only", "router without judge"),
        ("line mixture", "static mixture of models"),
        ("dot point", "frozen point"),
        ("dot point-prompt", "frozen point, no judge"),
        ("dot slm", "slm"),
        ("dot square mid", "mid"),
        ("dot diamond frontier", "frontier"),
        ("dot baseline", "other ways of choosing"),
    ))  # fmt: skip


def _keys(items: Sequence[tuple[str, str]]) -> Safe:
    listed = (tag("li", tag("i", class_=f"key {kind}", aria_hidden="true"), text) for kind, text in items)
    return tag("ul", *listed, class_="legend")


def calibrations(panels: Panels) -> Safe | None:
    """Return predicted against observed success of each panel, and the errors beside the seed form's."""
    drawn = [
        figure(title_of(name, panel), chart, _calibration_note(panel))
        for name, panel in panels.items()
        if (chart := calibration_chart(name, panel)) is not None
    ]
    if not drawn:
        return None
    lead = tag(
        "p",
        "Before any answer, the router predicts how likely each tier is to succeed. On the diagonal a predicted 70 % "
        "is a 70 %. The area of a mark is the number of prompts; circle slm, square mid, diamond frontier.",
    )
    return section(
        "calibration", "Are the predictions honest?", lead, tag("div", *drawn, class_="grid small")
    )


def _calibration_note(panel: Figures) -> str:
    mine, theirs = number(panel, "ece"), number(panel, "seed_form", "ece")
    tiers = part(panel, "tiers")
    listed = ", ".join(f"{tier} {words.plain(number(tiers, tier, 'ece'), 3)}" for tier in tiers_of(tiers))
    ratio = number(panel, "ece_ratio_to_seed_form")
    return (
        f"ECE {words.plain(mine, 3)}, seed form {words.plain(theirs, 3)} ({words.plain(ratio)} of it), mean of "
        f"{words.count(number(panel, 'models_averaged'))} models. Tiers: {listed}. "
        f"Pearson of difficulty {words.plain(number(panel, 'difficulty_pearson'))}."
    )


def mixes(panels: Panels) -> Safe | None:
    """Return which tiers the answers came from."""
    drawn = [drawn for name, panel in panels.items() if (drawn := mix_figure(name, panel)) is not None]
    if not drawn:
        return None
    lead = tag("p", "Which tier the returned answer came from, at each frozen point.")
    return section(
        "mix",
        "Who answers",
        lead,
        _tier_legend(),
        judge_note(panels),
        tag("div", *drawn, class_="grid small"),
    )
