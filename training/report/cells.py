"""Cells and notes that sections share."""

from collections.abc import Mapping

from . import words
from .derived import FINDINGS, finding_of
from .markup import Child, Column, Safe, join, tag
from .reading import Figures, interval, is_judge_simulated, number, part
from .small_charts import mix_bar

Panels = Mapping[str, Figures]

DELTA = Column("Points vs frontier", "Score minus always asking the frontier model, with its 95 % interval")
CUT = Column("Cost cut", words.GLOSSARY["Cost cut"])
SCORE = Column("Score", words.GLOSSARY["Score"])
USD = Column("$ per call", "Mean US dollars a request costs, answers and judgements together")
JUDGED = Column("Judge calls", words.GLOSSARY["Judge calls"])
MIX = Column("Tier mix", words.GLOSSARY["Tier mix"], is_number=False)
FINDING = Column("Finding", "What may be said at 95 %: see the method", is_number=False)
PANEL = Column("Panel", "One set of prompts with one choice of three models", is_number=False)


def section(identifier: str, title: str, *children: Child) -> Safe:
    """Return a section with its heading."""
    return tag("section", tag("h2", title), *children, id=identifier)


def judge_note(panels: Panels) -> Safe:
    """Return whose scores decided, in a sentence that stands wherever figures depend on it."""
    simulated = sum(is_judge_simulated(panel) for panel in panels.values())
    if simulated == 0:
        said = "Judges' scores are resampled from a recorded judge."
    elif simulated == len(panels):
        said = "Judges are simulated in all panels."
    else:
        rest = "resampled from a recorded judge in the rest"
        said = f"Judges are simulated in {simulated} of {len(panels)} panels, {rest}."
    return tag("p", said, " Answers, scores and costs of models are recorded.", class_="note")


def judge_word(panel: Figures) -> str:
    """Return what the judge of a panel is."""
    return "simulated" if is_judge_simulated(panel) else "recorded scores, resampled"


def point_cells(point: Figures, title: str) -> list[Child]:
    """Return the cells of a frozen point: score, points, cut, $ per call, judge calls, tier mix, finding."""
    gain, cut = number(point, "score_delta_points", "value"), number(point, "cut", "value")
    finding = finding_of(point)
    score, cost = number(point, "score"), number(point, "cost_usd_per_call")
    calls = number(point, "judge_calls_per_request")
    return [
        words.exactly(score, words.score(score)),
        words.with_interval(words.signed(gain), words.between(interval(point, "score_delta_points")), gain),
        words.with_interval(words.percent(cut), words.percent_between(interval(point, "cut")), cut),
        words.exactly(cost, words.usd(cost)),
        words.exactly(calls, words.plain(calls)),
        mix_bar(part(point, "tier_share"), title),
        tag("span", FINDINGS[finding], class_=f"chip {finding}"),
    ]


def two(first: str, second: str) -> Safe:
    """Return the second text over the first in small print."""
    return join([tag("span", second, class_="value"), tag("span", first, class_="bounds")])


def figure(title: str, chart: Safe, under: str = "") -> Safe:
    """Return a chart with its title and what is to be said beneath."""
    beneath = tag("p", under, class_="note") if under else None
    return tag("figure", tag("figcaption", title), tag("div", chart, class_="scroll"), beneath)
