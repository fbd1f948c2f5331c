"""The result in plain words, from the figures alone: also where no saving may be claimed."""

from collections.abc import Mapping, Sequence
from statistics import median

from . import words
from .derived import LARGE_CUT, Kind, finding_of, large_cuts, match_of
from .markup import Child, Safe, join, tag
from .reading import MATCH, Figures, finite, interval, is_judge_simulated, number, part, title_of


def findings(panels: Mapping[str, Figures]) -> dict[Kind, list[str]]:
    """Return the names of the panels by what their matching point shows."""
    found: dict[Kind, list[str]] = {}
    for name, panel in panels.items():
        found.setdefault(finding_of(match_of(panel)), []).append(name)
    return found


def summary(panels: Mapping[str, Figures]) -> Safe:
    """Return the opening of the page: large figures, the result in a paragraph, and how it came about."""
    if not panels:
        return tag("p", "The evaluation holds no panel.", class_="lead")
    by_kind = findings(panels)
    return tag(
        "section",
        tag("div", *_tiles(panels, by_kind), class_="tiles"),
        tag("p", *_result(panels, by_kind), class_="lead"),
        tag("p", *_circumstances(panels), class_="note"),
        id="result",
        aria_label="Result",
    )


def _tiles(panels: Mapping[str, Figures], by_kind: Mapping[Kind, list[str]]) -> list[Safe]:
    claimed = by_kind.get("claimed", [])
    cuts = _values([panels[name] for name in claimed], "cut")
    calls = [
        calls
        for panel in panels.values()
        if (calls := number(match_of(panel), "judge_calls_per_request")) is not None
    ]
    simulated = sum(is_judge_simulated(panel) for panel in panels.values())
    spread = words.percent(cuts[0]) if len(cuts) == 1 else _range(cuts)
    return [
        _tile(f"{len(claimed)} of {len(panels)}", "panels where a saving without loss may be claimed"),
        _tile(spread if cuts else "none", "cost cut on those panels, judge paid"),
        _tile(words.plain(median(calls), 2) if calls else words.ABSENT, "answers judged per request, median"),
        _tile(f"{simulated} of {len(panels)}", "panels with a simulated judge"),
    ]


def _tile(figure: str, meaning: str) -> Safe:
    return tag("div", tag("strong", figure), tag("span", meaning), class_="tile")


def _result(panels: Mapping[str, Figures], by_kind: Mapping[Kind, list[str]]) -> list[Child]:
    return [
        "Compared with always asking the strongest model, judging included: ",
        *_claims(panels, by_kind.get("claimed", [])),
        *_doubts(panels, by_kind),
        *_without_judge(panels),
        *_large(panels),
        *_caveat(panels),
    ]


def _circumstances(panels: Mapping[str, Figures]) -> list[Child]:
    how = (
        "Each request goes to one of three models; a judge may look at the answer, and a poor one is replaced by "
        "a dearer model's."
    )
    where = (
        f"Replayed on recorded answers to {_tested(panels)} prompts kept apart from fitting, in "
        f"{_counted(len(panels), 'panel')}; one setting per panel was frozen beforehand to match the strongest model."
    )
    return [how, " ", where]


def _tested(panels: Mapping[str, Figures]) -> str:
    """Return the test prompts of distinct sources: panels of one source share theirs."""
    largest: dict[str, float] = {}
    for name, panel in panels.items():
        source = str(panel.get("source", name))
        largest[source] = max(largest.get(source, 0.0), number(panel, "prompts", "test") or 0.0)
    return words.count(sum(largest.values()))


def _claims(panels: Mapping[str, Figures], claimed: Sequence[str]) -> list[Child]:
    if not claimed:
        return [tag("strong", "no saving at equal quality may be claimed on any panel."), " "]
    told = []
    for name in claimed:
        point = match_of(panels[name])
        cut, gain = number(point, "cut", "value"), number(point, "score_delta_points", "value")
        told.append(
            f"{title_of(name, panels[name])}: {words.percent(cut)} cheaper at {words.signed(gain)} points"
            f"{_elsewhere(panels[name])}"
        )
    where = f"on {len(claimed)} of {len(panels)} panels"
    start = f"{where} the bill is lower and the 95 % interval excludes a loss of quality"
    return [tag("strong", f"{start}: {_listed(told)}."), " "]


def _elsewhere(panel: Figures) -> str:
    """Return what became of the claim on other splits, in brackets; nothing where there was one."""
    held = part(panel, "over_splits")
    mean, sd = (number(held, MATCH, "score_delta_points", key) for key in ("mean", "sd"))
    if mean is None:
        return ""
    return f" ({words.signed(mean)} ± {words.plain(sd, 1)} over {words.count(number(held, 'splits'))} splits)"


def _doubts(panels: Mapping[str, Figures], by_kind: Mapping[Kind, list[str]]) -> list[Child]:
    said: list[Child] = []
    unproven = by_kind.get("unproven", [])
    if unproven:
        held = [panels[name] for name in unproven]
        said.append(
            f"On {len(unproven)} {'more ' if by_kind.get('claimed') else ''}the bill is {_range(_values(held, 'cut'))} "
            f"lower and the score within {words.plain(max(map(abs, _values(held, 'score_delta_points'))), 1)} points "
            f"of the strongest model's, but a loss of up to {words.plain(_worst(held), 1)} points cannot be excluded, "
            "so no saving at equal quality is claimed there. "
        )
    for kind, sentence in (
        ("no_saving", "No saving is shown on {}. "),
        ("worse", "Cheaper, but at a loss of quality that the interval confirms: {}. "),
        ("not_reached", "The strongest model's score was not reached on train, so nothing is claimed: {}. "),
        ("unknown", "Without figures: {}. "),
    ):
        names = by_kind.get(kind, [])  # type: ignore[call-overload]
        if names:
            said.append(sentence.format(_listed([title_of(name, panels[name]) for name in names])))
    return said


def _without_judge(panels: Mapping[str, Figures]) -> list[Child]:
    points = [part(panel, "operating_points", "prompt_only_match") for panel in panels.values()]
    known = [point for point in points if point]
    if not known:
        return []
    saved = sum(finding_of(point) == "claimed" for point in known)
    return [
        (
            f"Choosing from the prompt alone, without looking at any answer, may claim such a saving on "
            f"{saved or 'none'} of {len(known)}. "
        )
    ]


def _large(panels: Mapping[str, Figures]) -> list[Child]:
    cuts = large_cuts(panels.values())
    if not cuts.rows:
        return []
    return [
        (
            f"A cut of {words.percent(LARGE_CUT)} or more is reached on {cuts.large} of {cuts.rows} task types, on "
            f"{cuts.without_loss} of them with no lower score. "
        )
    ]


def _caveat(panels: Mapping[str, Figures]) -> list[Child]:
    simulated = sum(is_judge_simulated(panel) for panel in panels.values())
    if not simulated:
        return ["Judges' scores are resampled from recorded judges."]
    rest = "" if simulated == len(panels) else "; in the rest its scores are resampled from a recorded judge"
    return [
        (
            f"The judge is simulated in {simulated} of {len(panels)} panels{rest}: a real judge of another strength "
            "gives other figures."
        )
    ]


def _values(panels: Sequence[Figures], figure: str) -> list[float]:
    return [value for panel in panels if (value := number(match_of(panel), figure, "value")) is not None]


def _worst(panels: Sequence[Figures]) -> float | None:
    lows = [bounds[0] for panel in panels if (bounds := interval(match_of(panel), "score_delta_points"))]
    return finite(-min(lows)) if lows else None


def _range(shares: Sequence[float]) -> str:
    if not shares:
        return words.ABSENT
    low, high = min(shares), max(shares)
    if words.percent(low) == words.percent(high):
        return words.percent(low)
    return f"{words.plain(100.0 * low, 0)} to {words.percent(high)}"


def _counted(number_of: int, noun: str) -> str:
    return f"{number_of} {noun}{'' if number_of == 1 else 's'}"


def _listed(parts: Sequence[str]) -> Safe:
    return join(parts[:1]) if len(parts) == 1 else join([*parts[:-1], f"and {parts[-1]}"], "; ")
