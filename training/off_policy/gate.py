"""May a change of routing go ahead? One line that says why, for a pipeline to act on."""

from dataclasses import dataclass

from .evaluation import Valuation


@dataclass(frozen=True, slots=True)
class Gate:
    """What a change must hold; None = not asked for."""

    min_quality_diff: float | None = None
    """Least difference of quality to the log."""
    max_ratio: float | None = None
    """Largest cost relative to the log's."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether it may, and why."""

    is_passed: bool
    reason: str


def rule(found: Valuation, gate: Gate) -> Ruling:
    """Return whether the whole 95 % interval is on the right side of each bound; a refused valuation passes nothing."""
    if found.refused is not None:
        return Ruling(False, f"not passed: {found.refused}")
    rulings = [
        *_quality(found, gate.min_quality_diff),
        *_cost(found, gate.max_ratio),
    ]
    failed = [reason for is_passed, reason in rulings if not is_passed]
    if failed:
        return Ruling(False, "not passed: " + "; ".join(failed))
    return Ruling(True, "passed: " + "; ".join(reason for _, reason in rulings))


def _quality(found: Valuation, least: float | None) -> list[tuple[bool, str]]:
    if least is None:
        return []
    one = found.differences["quality"]
    told = f"quality {one.value:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"
    if one.low >= least:
        return [(True, f"{told} is at least {least:+.3f}")]
    if one.high < least:
        return [(False, f"{told} is below {least:+.3f}")]
    return [
        (False, f"{told} may be below {least:+.3f}{_more(found, one.value - least, one.value - one.low)}")
    ]


def _cost(found: Valuation, most: float | None) -> list[tuple[bool, str]]:
    if most is None:
        return []
    one = found.differences["cost_ratio"]
    told = f"cost x{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"
    if one.high <= most:
        return [(True, f"{told} is at most x{most:.3f}")]
    if one.low > most:
        return [(False, f"{told} is above x{most:.3f}")]
    return [(False, f"{told} may be above x{most:.3f}{_more(found, most - one.value, one.high - one.value)}")]


def _more(found: Valuation, room: float, half: float) -> str:
    """Return how many calls would settle it, were the estimate exact."""
    if room <= 0.0 or half <= 0.0:
        return ""
    return f"; about {found.calls * (half / room) ** 2:,.0f} calls like these would settle it"
