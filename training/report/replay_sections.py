"""Tables and charts of a replay: learning on the job, a changing world, a ceiling on spending, the whole loop."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from . import words
from .cells import figure, section
from .line_chart import Lines, line_chart
from .markup import Child, Column, Safe, table, tag
from .reading import Figures, number, numbers, part
from .svg import Pair

_FAR = 2.0
"""Curves that end above this many times the lowest are left to the table."""
SCENARIOS: Mapping[str, str] = {
    "frontier-worse": "The frontier model's answers lose 18 % of their reward.",
    "mid-worse": "The middle model's answers lose 18 % of their reward, under a ceiling on spending.",
    "price-cut": "The frontier model becomes 76 times cheaper, under a ceiling on spending.",
    "new-model": "A model nothing was logged of appears and stays, under a ceiling on spending.",
}
DRIFT_MEANINGS: Mapping[str, str] = {
    "phase_rewards": "mean reward before, during and after the change",
    "phase_shares": "share of requests to the changed model before, during and after",
    "best_fixed": "mean reward of the best one model during the change, whatever it costs",
    "false_alarms_before": "alarms of the detector before anything changed, all orders together",
    "detection_steps": "requests until the share of the worse model fell below 30 % of what it was",
    "steps_to_come_back": "requests after the end of the change until the share was above 70 % of what it was",
    "orders_that_left": "part of the orders in which the share of the worse model halved at least",
    "median_alarm_step": "requests from the change to the detector's alarm, median over orders",
    "orders_alarmed": "part of the orders in which the detector raised an alarm",
    "usd_per_call": "mean US dollars a request cost",
    "steps_to_take_up": "requests until the cheaper model is taken up",
    "steps_to_stable_share": "requests until the share of the new model stays near its final level",
}
_SMALL: Pair = (340.0, 240.0)


def replay_sections(replay: Figures) -> list[Safe]:
    """Return the sections the replay has figures for."""
    found = (_regret(replay), _drift(replay), _ladder(replay), _loop(replay))
    return [one for one in found if one is not None]


def _along(held: Figures, steps: Sequence[float], name: str) -> list[Pair]:
    values = numbers(held, name)
    return list(zip(steps, values, strict=True)) if len(values) == len(steps) else []


def _regret(replay: Figures) -> Safe | None:
    held = part(replay, "regret")
    if not held:
        return None
    columns = [
        Column("Learner", is_number=False),
        Column("Reward", "Mean reward of a request, 0 to 1"),
        Column("Regret", words.GLOSSARY["Regret"]),
        Column("± over orders", "Standard deviation over random orders of the stream"),
        Column("Worst order"),
        Column("Regret at step 200"),
    ]
    keys = (("reward", 4), ("regret", 1), ("regret_sd", 1), ("worst_order", 1), ("at_200", 1))
    rows = [
        [
            name,
            *(
                words.exactly(value := number(part(held, name), key), words.plain(value, d))
                for key, d in keys
            ),
        ]
        for name in sorted(held, key=lambda name: number(part(held, name), "regret") or 0.0)
    ]
    chart, hidden = _regret_chart(replay)
    lead = (
        "A stream of requests in random orders; a learner sees the reward of the model it chose and nothing else. "
        "Lower is better. Warm: started from logged outcomes; cold: from constants."
    )
    drawn = None
    if chart is not None:
        left_out = f"Beyond the frame, see the table: {', '.join(hidden)}." if hidden else ""
        drawn = figure("Cumulative regret", chart, left_out)
    return section(
        "regret", "What learning costs", tag("p", lead), drawn, table("Regret by learner", columns, rows)
    )


def _regret_chart(replay: Figures) -> tuple[Safe | None, list[str]]:
    """Return the chart, and the names of curves left out because they would flatten the rest."""
    held, steps = part(replay, "curves", "regret"), numbers(replay, "curves", "steps")
    lines = {name: along for name in held if (along := _along(held, steps, name))}
    if not lines:
        return None, []
    lowest = min(along[-1][1] for along in lines.values())
    near = {name: along for name, along in lines.items() if along[-1][1] <= _FAR * lowest}
    # Colours go to the first lines: this router's, then the rest, each from the least regret.
    names = sorted(near, key=lambda name: (not name.startswith("x25"), near[name][-1][1]))
    ordered = {_without_vendor(name): near[name] for name in names}
    told = "; ".join(f"{name} {along[-1][1]:.1f}" for name, along in ordered.items())
    chart = line_chart(
        Lines(f"Cumulative regret over steps. At the end: {told}.", "requests", "cumulative regret", ordered,
              size=(760.0, 340.0), margin_right=170.0)
    )  # fmt: skip
    return chart, [name for name in lines if name not in near]


def _without_vendor(learner: str) -> str:
    """Return "always vendor/model" as "always model"."""
    return re.sub(r"^always .*/", "always ", learner)


def _drift(replay: Figures) -> Safe | None:
    held = part(replay, "drift")
    if not held:
        return None
    lead = (
        "In the shaded middle third one model changes. Lines: share of requests sent to each model, and what the "
        "router then believed each was worth."
    )
    groups = [_scenario(name, part(held, name)) for name in held]
    return section("drift", "When the world changes", tag("p", lead), *groups)


def _scenario(name: str, learners: Figures) -> Safe:
    drawn = []
    for place, learner in enumerate(learners):
        curves = part(learners, learner, "curves")
        for key, title in (("share", "share of requests"), ("posterior_mean", "posterior mean")):
            chart = _drift_chart(f"{name}, {learner}", curves, key, title)
            # What one router believes is enough to see how it notices; every learner's shares show what it did.
            if chart is not None and (key == "share" or not place):
                drawn.append(figure(f"{learner}: {title}", chart))
    return tag(
        "div",
        tag("h3", name),
        tag("p", SCENARIOS[name]) if name in SCENARIOS else None,
        tag("div", *drawn, class_="grid small"),
        _drift_table(name, learners),
    )


def _drift_chart(name: str, curves: Figures, key: str, title: str) -> Safe | None:
    held, steps = part(curves, key), numbers(curves, "steps")
    if not steps:
        return None
    return line_chart(
        Lines(
            label=f"{name}: {title} of each model over steps; the model changes in the middle third.",
            x_title="requests",
            y_title=title,
            lines={_short(model): along for model in held if (along := _along(held, steps, model))},
            y_range=(0.0, 1.0) if key == "share" else None,
            shaded=(max(steps[0], steps[-1] / 3), 2 * steps[-1] / 3),
            size=_SMALL,
        )
    )


def _short(model: str) -> str:
    """Return the name of a model without its vendor, cut to what fits beside a chart."""
    name = model.rpartition("/")[2]
    return name if len(name) <= 16 else f"{name[:15]}…"


def _drift_table(name: str, learners: Figures) -> Safe:
    """Return every figure but the curves, learners across."""
    keys = list(
        dict.fromkeys(key for learner in learners for key in part(learners, learner) if key != "curves")
    )
    columns = [Column("Figure", is_number=False), *(Column(learner) for learner in learners)]
    rows = [
        [_meant(key), *(_written(part(learners, learner).get(key)) for learner in learners)]
        for key in keys
    ]  # fmt: skip
    return table(f"{name}: all figures", columns, rows)


def _meant(key: str) -> Child:
    name = key.replace("_", " ")
    return tag("abbr", name, title=DRIFT_MEANINGS[key]) if key in DRIFT_MEANINGS else name


def _written(value: Any) -> str:
    """Return a figure of any kind: a list as its parts, an absent one as a dash."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " · ".join(_written(one) for one in value)
    if value is None or isinstance(value, (bool, str)):
        return words.ABSENT if value is None else str(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_written(one)}" for key, one in value.items())
    return f"{value:.4g}".replace("-", "−")


def _ladder(replay: Figures) -> Safe | None:
    rungs = [rung for rung in replay.get("ladder") or () if number(rung, "ceiling_usd") is not None]
    if not rungs:
        return None
    columns = [
        Column("Ceiling, $ per call", "The most a request may cost on average"),
        Column("Reward"), Column("±", "Standard deviation over orders"),
        Column("Published", "Reward ParetoBandit publishes at this ceiling, on its own test prompts"),
        Column("Static mixture", words.GLOSSARY["Static mixture"]),
        Column("Greedy", "The same predictions without learning"),
        Column("Spent ÷ ceiling", "Mean over orders; 1 = the ceiling exactly"), Column("Worst order"),
    ]  # fmt: skip
    keys = (
        "reward",
        "reward_sd",
        "published",
        "static_mixture",
        "greedy",
        "spend_ratio_mean",
        "spend_ratio_max",
    )
    rows = [
        [words.usd(number(rung, "ceiling_usd")),
         *(words.exactly(value := number(rung, key), words.plain(value, 3)) for key in keys)]
        for rung in rungs
    ]  # fmt: skip
    chart = _ladder_chart(rungs)
    drawn = figure("Reward at each ceiling", chart) if chart is not None else None
    lead = "Given a most that a request may cost on average: what it buys, and whether the ceiling is kept."
    return section(
        "ladder", "What a budget buys", tag("p", lead), drawn, table("Budget ladder", columns, rows)
    )


def _ladder_chart(rungs: Sequence[Figures]) -> Safe | None:
    return line_chart(
        Lines(
            label="Reward at each ceiling on cost per call; figures in the table below.",
            x_title="ceiling, $ per call (logarithmic)",
            y_title="reward",
            lines=_ladder_lines(rungs),
            written_x=words.usd_tick,
            is_log=True,
            size=(620.0, 300.0),
            margin_right=150.0,
        )
    )


def _ladder_lines(rungs: Sequence[Figures]) -> dict[str, list[Pair]]:
    named = (("router", "reward"), ("published", "published"), ("static mixture", "static_mixture"))
    return {
        name: [
            (ceiling, value)
            for rung in rungs
            if (ceiling := number(rung, "ceiling_usd")) is not None
            and (value := number(rung, key)) is not None
        ]
        for name, key in named
    }


def _loop(replay: Figures) -> Safe | None:
    held = part(replay, "loop")
    tables = [drawn for panel in held for drawn in _loop_tables(panel, part(held, panel))]
    if not tables:
        return None
    lead = (
        "The serving code itself: choose, judge, escalate, learn, starting from different beliefs. Utility in points "
        "by window of calls; the ceiling knows the fitted predictions and neither explores nor learns. Judges are "
        "simulated unless the panel has recorded scores."
    )
    return section(
        "loop", "How soon the whole loop settles", tag("p", lead), tag("div", *tables, class_="grid")
    )


def _loop_tables(panel: str, held: Figures) -> list[Safe]:
    below = part(held, "below_ceiling")
    levels = {name: part(held, name) for name in held if name != "below_ceiling" and part(held, name)}
    found = []
    for title, rows in ((f"{panel}: utility", levels), (f"{panel}: points below the ceiling ± s.e.", below)):
        windows = list(dict.fromkeys(window for name in rows for window in part(rows, name)))
        if windows:
            columns = [
                Column("Starting belief", is_number=False),
                *(Column(f"calls {one}") for one in windows),
            ]
            body: list[list[Child]] = [
                [name, *(_utility(part(rows, name).get(window)) for window in windows)] for name in rows
            ]
            found.append(table(title, columns, body))
    return found


def _utility(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{words.signed(number(value, 'mean'))} ± {words.plain(number(value, 'se'), 1)}"
    return words.plain(number({"value": value}, "value"), 1)
