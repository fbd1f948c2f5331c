"""How the figures came about, what every word means, what they do not show, and all of them unrounded."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from . import words
from .cells import section
from .derived import FINDINGS, Kind
from .markup import Column, Safe, table, tag
from .reading import Figures

PROTOCOL: Mapping[str, str] = {
    "Recorded answers.": "Every prompt was answered by every model of a panel beforehand; answers, their scores and "
    "what they cost are recorded. Nothing is asked anew: routing is replayed.",
    "Held-out prompts.": "Models of difficulty, cost and judge are fitted on train prompts. Duplicates and near "
    "duplicates of one prompt are one group, and a group is on one side only.",
    "Frozen on train.": "The price of quality behind each operating point is chosen on train prompts, averaged over "
    "several draws of the judge's noise, and not touched on test.",
    "Everything is paid.": "Cost is that of all answers bought and all judgements made, also of answers that were "
    "not returned. Decisions see expected costs only; realised costs are reported.",
    "Bootstrap.": "Intervals: 2.5 % and 97.5 % quantiles over 2,000 resamples of the test prompts, router and "
    "frontier model on the same prompts. They do not cover the choice of the split: see the spread over splits where "
    "there are several.",
    "Judges.": "A simulated judge's scores are noise around right and wrong of a stated AUC, partly shared between "
    "the answers of a prompt. A recorded judge's scores are resampled from answers of like quality. No judge was "
    "asked.",
}

LIMITS = (
    "A simulated judge errs at random. A real one errs in ways that depend on the prompt.",
    "Each model answered each prompt once: part of any gain over the frontier model is picking lucky answers.",
    "Panels of one source share their prompts; with many panels some interval misses its true value.",
    "Small panels cannot show small differences: with some 450 prompts two points are noise.",
    "Prompts are mostly English, single questions whose answers can be checked; other traffic may differ.",
    "How long calls take is not in these figures: a second answer costs time as well.",
)

MEANINGS: dict[Kind, str] = {
    "claimed": "reached on train; the whole interval of the cost cut is above zero and that of the score not below",
    "unproven": "cheaper, but the interval of the score includes a loss; no saving at equal quality is claimed",
    "worse": "cheaper, and the whole interval of the score is below the frontier's",
    "no_saving": "the interval of the cost cut reaches below half a per cent, or a higher cost",
    "not_reached": "no setting met what was asked on train; the nearest was taken and nothing is claimed",
    "unknown": "the evaluation holds no interval",
}


def method(report: Figures) -> Safe:
    """Return protocol, findings, glossary, limits and where the figures come from."""
    protocol = [tag("li", tag("strong", head), " ", text) for head, text in PROTOCOL.items()]
    meanings = [
        item for kind, text in MEANINGS.items() for item in (tag("dt", FINDINGS[kind]), tag("dd", text))
    ]
    points = [
        item
        for name, text in words.POINT_MEANINGS.items()
        for item in (tag("dt", words.POINT_NAMES[name]), tag("dd", text))
    ]
    others = [
        item for title, text in words.BASELINE_NAMES.values() for item in (tag("dt", title), tag("dd", text))
    ]
    terms = [item for word, text in words.GLOSSARY.items() for item in (tag("dt", word), tag("dd", text))]
    return section(
        "method",
        "Method, words and limits",
        tag("div", tag("h3", "How it was measured"), tag("ul", *protocol), class_="box"),
        tag(
            "div",
            tag("h3", "What these figures do not show"),
            tag("ul", *(tag("li", one) for one in LIMITS)),
            class_="box",
        ),
        tag("div", tag("h3", "Findings"), tag("dl", *meanings), class_="box"),
        tag("div", tag("h3", "Frozen points"), tag("dl", *points), class_="box"),
        tag("div", tag("h3", "Other ways of choosing"), tag("dl", *others), class_="box"),
        tag("div", tag("h3", "Words"), tag("dl", *terms), class_="box"),
        _origin(report),
    )


def _origin(report: Figures) -> Safe | None:
    """Return what the evaluation says of itself."""
    said = {key: value for key, value in report.items() if key not in {"panels", "verifier"}}
    rows = [[key, text] for key, text in flattened(said)] if "panels" in report else []
    columns = [Column("Key", is_number=False), Column("Value", is_number=False)]
    return table("Where the figures come from", columns, rows) if rows else None


def flattened(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves of nested figures as (path with dots, value as JSON without quotes)."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flattened(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def verifier(held: Any) -> Safe | None:
    """Return whatever was measured of a learned check of answers."""
    rows = [[key, text] for key, text in flattened(held)] if isinstance(held, Mapping) else []
    if not rows:
        return None
    columns = [Column("Figure", is_number=False), Column("Value")]
    lead = "A check of answers learned from recorded outcomes, without asking a model. As measured:"
    return section("verifier", "Learned verifier", tag("p", lead), table("Verifier", columns, rows))


def everything(parts: Mapping[str, Any]) -> Safe | None:
    """Return every figure unrounded, folded away part by part."""
    folded = [
        tag(
            "details",
            tag("summary", name),
            tag("pre", json.dumps(held, indent=1, ensure_ascii=False, default=str)),
        )
        for name, held in parts.items()
    ]
    return (
        section("everything", "Every number", tag("p", "As evaluated, unrounded."), *folded)
        if folded
        else None
    )
