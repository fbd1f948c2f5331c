"""Tables and charts of an evaluation, one function a section; a section without figures is None."""

from collections.abc import Iterable

from . import words
from .cells import (
    CUT,
    DELTA,
    FINDING,
    JUDGED,
    MIX,
    PANEL,
    SCORE,
    USD,
    Panels,
    judge_note,
    point_cells,
    section,
    two,
)
from .derived import LARGE_CUT, MARK_COST_SAVE, MARK_PERF_GAIN, large_cuts, match_of
from .derived import matched_saving as measured
from .markup import Child, Column, Safe, join, table, tag
from .reading import Figures, interval, is_judge_simulated, number, part, points_of, tiers_of, title_of


def headline(panels: Panels) -> Safe | None:
    """Return the matching point of each panel beside its models and judge."""
    if not panels:
        return None
    columns = [PANEL, Column("Judge", words.GLOSSARY["Judge"], is_number=False), SCORE, DELTA, CUT, USD,
               JUDGED, MIX, FINDING]  # fmt: skip
    rows = [
        [_named(name, panel), _judge(panel), *point_cells(match_of(panel), title_of(name, panel))]
        for name, panel in panels.items()
    ]
    caption = "At the point frozen on train to match the frontier model; small print: 95 % interval"
    return section("headline", "Result by panel", judge_note(panels), table(caption, columns, rows))


def _named(name: str, panel: Figures) -> Safe:
    models = part(panel, "models")
    listed = [
        tag(
            "span",
            tag("i", class_=f"swatch {tier}", aria_hidden="true"),
            f"{tier} {models[tier]}",
            class_="model",
        )
        for tier in tiers_of(models)
    ]
    tested = words.count(number(panel, "prompts", "test"))
    return join(
        [
            tag("span", title_of(name, panel), class_="value"),
            tag("code", name),
            *listed,
            tag("span", f"{tested} test prompts", class_="bounds"),
        ]
    )


def _judge(panel: Figures) -> Safe:
    auc = number(panel, "judge", "table_auc")
    kind = "simulated" if is_judge_simulated(panel) else "recorded, resampled"
    said = str(part(panel, "judge").get("description", words.ABSENT))
    table_auc = f"AUC {words.plain(auc)}" if auc is not None else ""
    return tag("span", tag("span", kind, class_="value"), tag("span", table_auc, class_="bounds"), title=said)


def points(panels: Panels) -> Safe | None:
    """Return every frozen point of every panel."""
    if not panels:
        return None
    columns = [
        Column("Panel and point", "How the setting was chosen: see the method", is_number=False), SCORE, DELTA, CUT,
        USD, JUDGED, MIX, FINDING,
        Column("Over mixture", words.GLOSSARY["Static mixture"]),
        Column("Train score", "Score of the same setting on train, when it was chosen"),
        Column("By prompt", "Whether at least two tiers each answer a tenth: otherwise in effect one fixed model",
               is_number=False),
    ]  # fmt: skip
    rows = [
        [
            two(title_of(name, panel), words.POINT_NAMES.get(point_name, point_name)),
            *point_cells(point, f"{title_of(name, panel)}, {point_name}"),
            words.signed(number(point, "over_static_mixture_points")),
            words.score(number(point, "train_score")),
            _yes_or_no(point.get("is_prompt_dependent")),
        ]
        for name, panel in panels.items()
        for point_name, point in points_of(panel).items()
    ]
    return section(
        "points", "All frozen points", judge_note(panels), table("Every frozen point on test", columns, rows)
    )


def _yes_or_no(is_so: object) -> str:
    return ("yes" if is_so else "no") if isinstance(is_so, bool) else words.ABSENT


def baselines(panels: Panels) -> Safe | None:
    """Return what else one could do, panel by panel, beside the matching point."""
    columns = [
        Column("Way of choosing", is_number=False), SCORE, USD,
        Column("Cost cut", words.GLOSSARY["Cost cut"]), Column("Points vs frontier", words.GLOSSARY["Points"]),
    ]  # fmt: skip
    tables = []
    for name, panel in panels.items():
        held = part(panel, "baselines")
        if held:
            rows = [_compared("Router, Match", "this router", match_of(panel), class_="ours")]
            known = [key for key in words.BASELINE_NAMES if key in held]
            for key in [*known, *(key for key in held if key not in words.BASELINE_NAMES)]:
                one = part(held, key)
                title, meaning = words.BASELINE_NAMES.get(key, (key, ""))
                rows.append(_compared(title, meaning, one, model=one.get("model")))
            tables.append(table(title_of(name, panel), columns, rows))
    if not tables:
        return None
    lead = "x25-classic and the router use the panel's judge; all others look at no answer."
    return section(
        "baselines",
        "Beside every baseline",
        tag("p", lead),
        judge_note(panels),
        tag("div", *tables, class_="grid"),
    )


def _compared(
    title: str, meaning: str, held: Figures, *, model: str | None = None, class_: str = ""
) -> list[Child]:
    gain = number(held, "score_delta_points", "value")
    cut = number(held, "cut", "value")
    gain = number(held, "score_delta_points") if gain is None else gain
    cut = number(held, "cut") if cut is None else cut
    score, cost = number(held, "score"), number(held, "cost_usd_per_call")
    return [
        join([tag("abbr", title, title=meaning or None, class_=class_ or None),
              None if model is None else tag("span", str(model), class_="bounds")]),
        words.exactly(score, words.score(score)),
        words.exactly(cost, words.usd(cost)),
        words.exactly(cut, words.percent(cut)),
        words.exactly(gain, words.signed(gain)),
    ]  # fmt: skip


def matched(panels: Panels) -> Safe | None:
    """Return CostSave and PerfGain of each panel beside the published marks."""
    rows = []
    for name, panel in panels.items():
        saving = measured(panel)
        single = part(panel, "baselines", "best_single").get("model", words.ABSENT)
        frozen, hindsight = (
            words.ABSENT if one is None else words.percent(one, 1)
            for one in (saving.saved_share_frozen, saving.saved_share_hindsight)
        )
        gain = words.ABSENT if saving.perf_gain is None else f"{words.signed(100 * saving.perf_gain)} %"
        rows.append([two(name, title_of(name, panel)), str(single), gain, frozen, hindsight])
    if not rows:
        return None
    rows.append(
        ["Mark: best router of LLMRouterBench", words.ABSENT, f"{words.signed(100 * MARK_PERF_GAIN)} %",
         words.percent(MARK_COST_SAVE, 1), words.ABSENT]
    )  # fmt: skip
    columns = [
        PANEL, Column("Best single model", "Highest score on train", is_number=False),
        Column("PerfGain", words.GLOSSARY["PerfGain"]),
        Column("CostSave, frozen", "Among the frozen points; which of them is cheapest is read off test"),
        Column("CostSave, hindsight", "Points of the test curves allowed: nobody could have chosen their price before"),
    ]  # fmt: skip
    lead = (
        "The two measures of LLMRouterBench. Its marks were reached on other models and prompts without a judge and "
        "are no like-for-like comparison. Below zero: dearer than the best single model. "
        "A dash: no point scores as high as the best single model."
    )
    return section("matched", "Against the best single model", tag("p", lead), judge_note(panels),
                   table("PerfGain and CostSave", columns, rows))  # fmt: skip


def task_types(panels: Panels) -> Safe | None:
    """Return the matching point by task type, and how many types save very much."""
    rows = [
        [two(title_of(name, panel), task_type), words.count(number(held, "prompts")), *_gain_and_cut(held)]
        for name, panel in panels.items()
        for task_type in part(panel, "by_task_type")
        if (held := part(panel, "by_task_type", task_type))
    ]
    if not rows:
        return None
    cuts = large_cuts(panels.values())
    lead = tag(
        "p",
        tag("strong", f"{cuts.without_loss} of {cuts.rows}"),
        f" rows cut cost by {words.percent(LARGE_CUT)} or more with a score that is not lower; on {cuts.loss_excluded} "
        f"the interval excludes a loss. Whatever the score, {cuts.large} cut as much. Types with fewer than 30 test "
        "prompts are left out; few prompts make wide intervals.",
    )
    columns = [Column("Task type", is_number=False), Column("Prompts"), DELTA, CUT]
    return section(
        "types", "By task type", lead, judge_note(panels), table("Matching point by task type", columns, rows)
    )


def _gain_and_cut(held: Figures) -> Iterable[Safe]:
    gain, cut = number(held, "score_delta_points", "value"), number(held, "cut", "value")
    yield words.with_interval(words.signed(gain), words.between(interval(held, "score_delta_points")), gain)
    yield words.with_interval(words.percent(cut), words.percent_between(interval(held, "cut")), cut)


def splits(panels: Panels) -> Safe | None:
    """Return mean and standard deviation of the headline figures over splits."""
    rows = []
    for name, panel in panels.items():
        held = part(panel, "over_splits")
        for point_name in points_of(panel):
            if part(held, point_name):
                figures = part(held, point_name)
                rows.append([
                    two(title_of(name, panel), words.POINT_NAMES.get(point_name, point_name)),
                    words.count(number(held, "splits")),
                    _spread(figures, "score_delta_points", 1.0),
                    _spread(figures, "cut", 100.0),
                    _spread(figures, "over_static_mixture_points", 1.0),
                ])  # fmt: skip
    if not rows:
        return None
    columns = [
        Column("Panel and point", is_number=False), Column("Splits"), DELTA, Column("Cost cut, %"),
        Column("Over mixture", words.GLOSSARY["Static mixture"]),
    ]  # fmt: skip
    lead = "The tables above show the first split. Here: mean ± standard deviation over splits of the same prompts."
    return section("splits", "Does it hold on other splits?", tag("p", lead), judge_note(panels),
                   table("Spread over splits", columns, rows))  # fmt: skip


def _spread(held: Figures, key: str, factor: float) -> str:
    mean, sd = number(held, key, "mean"), number(held, key, "sd")
    if mean is None:
        return words.ABSENT
    return f"{words.signed(factor * mean)} ± {words.plain(None if sd is None else factor * sd, 1)}"
