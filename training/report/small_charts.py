"""The smaller charts of a panel: calibration by tier, and which tiers the answers came from."""

import math

from . import words
from .frontier_chart import SHAPES
from .markup import Safe, join, tag
from .reading import Figures, number, part, points_of, tiers_of, title_of
from .svg import Axis, Scale, drawing, frame, marker

_LEFT, _SIDE = 40.0, 230.0
_TOP = 24.0
_LARGEST = 13.0
"""Radius of the bubble of the fullest bin."""
_LEAST = 2.0


def calibration_chart(name: str, panel: Figures) -> Safe | None:
    """Return predicted against observed quality by tier, areas of marks as counts; None without any bin."""
    bins = [
        (tier, one)
        for tier in tiers_of(part(panel, "tiers"))
        for one in part(panel, "tiers", tier).get("calibration") or ()
        if _is_whole(one)
    ]
    if not bins:
        return None
    fullest = max(one["count"] for _, one in bins)
    x = Scale(0.0, 1.0, _LEFT, _LEFT + _SIDE)
    y = Scale(0.0, 1.0, _TOP + _SIDE, _TOP)
    marks = [
        marker(
            SHAPES.get(tier, "circle"),
            (x(one["mean_predicted_prob"]), y(one["share_completed"])),
            max(_LEAST, _LARGEST * math.sqrt(one["count"] / fullest)),
            f"bubble {tier}",
            f"{tier}: predicted {words.percent(one['mean_predicted_prob'])}, observed "
            f"{words.percent(one['share_completed'])}, {one['count']} prompts",
        )
        for tier, one in sorted(bins, key=lambda pair: -pair[1]["count"])
    ]
    ideal = tag("line", x1=x(0.0), y1=y(0.0), x2=x(1.0), y2=y(1.0), class_="ideal")
    label = f"Predicted against observed success on {title_of(name, panel)}, by tier; {_errors(panel)}"
    axes = frame(Axis(x, "predicted success, %", _hundredfold), Axis(y, "observed, %", _hundredfold))
    return drawing(_LEFT + _SIDE + 14, _TOP + _SIDE + 42, label, axes, ideal, *marks)


def _is_whole(one: Figures) -> bool:
    known = all(number(one, key) is not None for key in ("mean_predicted_prob", "share_completed"))
    return known and (number(one, "count") or 0.0) > 0.0


def _hundredfold(value: float) -> str:
    return f"{100 * value:.0f}"


def _errors(panel: Figures) -> str:
    mine, theirs = number(panel, "ece"), number(panel, "seed_form", "ece")
    return f"calibration error {words.plain(mine, 3)}, seed form {words.plain(theirs, 3)}"


def mix_bar(shares: Figures, label: str) -> Safe | None:
    """Return one bar of tier shares with the shares written beneath; None where none is known."""
    known = [(tier, share) for tier in tiers_of(shares) if (share := number(shares, tier)) is not None]
    if not known:
        return None
    told = ", ".join(f"{tier} {words.percent(share)}" for tier, share in known)
    at, parts = 0.0, []
    for tier, share in known:
        width = 100.0 * max(0.0, share)
        parts.append(
            tag("rect", tag("title", f"{tier} {words.percent(share, 1)}"), x=at, y=0, width=width, height=10,
                class_=f"share {tier}")
        )  # fmt: skip
        at += width
    bar = tag(
        "svg",
        *parts,
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"{label}: {told}",
        class_="mix",
    )
    written = join((_swatched(tier, share) for tier, share in known), " ")
    return tag("span", bar, tag("span", written, class_="bounds"), class_="mixed")


def _swatched(tier: str, share: float) -> Safe:
    return tag("span", tag("i", class_=f"swatch {tier}", aria_hidden="true"), words.percent(share))


def mix_figure(name: str, panel: Figures) -> Safe | None:
    """Return the bars of all frozen points of a panel, None where there is none."""
    rows = []
    for point_name, point in points_of(panel).items():
        title = words.POINT_NAMES.get(point_name, point_name)
        bar = mix_bar(part(point, "tier_share"), f"{title_of(name, panel)}, {title}")
        if bar is not None:
            rows.append(tag("div", tag("span", title, class_="mix-name"), bar, class_="mix-row"))
    return tag("figure", tag("figcaption", title_of(name, panel)), *rows) if rows else None
