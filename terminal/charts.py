"""Options of charts, as ECharts takes them. Words and lines take the page's colours from its style sheet."""

from collections.abc import Mapping, Sequence
from typing import Any

from .theme import PALETTE, SERIES

Options = dict[str, Any]
GRID = {"left": 14, "right": 18, "top": 34, "bottom": 6, "containLabel": True}
TALL, LARGE = 370, 17
"""Pixels."""
QUIET = {"lineStyle": {"color": "#8b95a7", "opacity": 0.35}}


def _base(names: Sequence[str]) -> Options:
    return {
        "animation": False,
        "aria": {"enabled": True},
        "grid": GRID,
        "tooltip": {"trigger": "axis", "confine": True},
        "legend": {
            "show": len(names) > 1,
            "top": 0,
            "right": 0,
            "itemWidth": 12,
            "itemHeight": 8,
            "type": "scroll",
        },
    }


def _axis(labels: Sequence[str]) -> Options:
    return {
        "type": "category", "data": list(labels), "axisTick": {"show": False}, "axisLine": QUIET,
        "axisLabel": {"hideOverlap": True},
    }  # fmt: skip


def _values(name: str) -> Options:
    return {
        "type": "value", "name": name, "nameLocation": "end", "nameTextStyle": {"align": "left"},
        "splitLine": {"lineStyle": {"color": "#8b95a7", "opacity": 0.18}},
    }  # fmt: skip


def line(labels: Sequence[str], series: Mapping[str, Sequence[float]], unit: str) -> Options:
    """Return lines over days, the first one filled."""
    drawn = [
        {
            "name": name, "type": "line", "data": list(values), "showSymbol": len(labels) < 3,
            "lineStyle": {"width": 2.5},
            "color": PALETTE[n], **({"areaStyle": {"opacity": 0.13}} if n == 0 else {}),
        }
        for n, (name, values) in enumerate(series.items())
    ]  # fmt: skip
    return _base(list(series)) | {"xAxis": _axis(labels), "yAxis": _values(unit), "series": drawn}


def stacked(labels: Sequence[str], series: Mapping[str, Sequence[float]], unit: str) -> Options:
    """Return stacked bars over days."""
    drawn = [
        {
            "name": name,
            "type": "bar",
            "stack": "all",
            "data": list(values),
            "color": color_of(name, n),
            "barMaxWidth": 26,
        }
        for n, (name, values) in enumerate(series.items())
    ]
    return _base(list(series)) | {"xAxis": _axis(labels), "yAxis": _values(unit), "series": drawn}


def ring(parts: Mapping[str, float], unit: str) -> Options:
    """Return shares of a whole."""
    data = [
        {"name": name, "value": value, "itemStyle": {"color": color_of(name, n)}}
        for n, (name, value) in enumerate(parts.items())
    ]
    base = _base(list(parts)) | {"tooltip": {"trigger": "item", "confine": True}}
    return base | {
        "legend": {
            "show": True, "orient": "vertical", "right": 0, "top": "middle", "itemWidth": 10, "itemHeight": 8,
            "type": "scroll",
        },
        "series": [{
            "name": unit, "type": "pie", "radius": ["46%", "70%"], "center": ["30%", "50%"], "label": {"show": False},
            "data": data,
        }],
    }  # fmt: skip


def bars(parts: Mapping[str, float], unit: str) -> Options:
    """Return horizontal bars, the first one on top."""
    names = list(parts)[::-1]
    data = [{"value": parts[name], "itemStyle": {"color": color_of(name, 0)}} for name in names]
    return _base([]) | {
        "yAxis": _axis(names) | {"axisLabel": {"width": 150, "overflow": "truncate"}},
        "xAxis": _values("") | {"name": unit, "nameLocation": "middle", "nameGap": 26, "splitNumber": 3},
        "grid": GRID | {"top": 6, "bottom": 24},
        "series": [{"type": "bar", "data": data, "barMaxWidth": 18}],
    }


def densities(curves: Mapping[str, Sequence[tuple[float, float]]]) -> Options:
    """Return distributions over 0 to 1, one a name."""
    drawn = [
        {
            "name": name, "type": "line", "showSymbol": False, "smooth": True, "data": [list(one) for one in points],
            "color": color_of(name, n), "areaStyle": {"opacity": 0.1},
        }
        for n, (name, points) in enumerate(curves.items())
    ]  # fmt: skip
    return _base(list(curves)) | {
        "legend": {"show": True, "top": 0, "left": 0, "itemWidth": 12, "itemHeight": 8},
        "xAxis": {"type": "value", "min": 0, "max": 1, "axisLine": QUIET, "splitLine": {"show": False}},
        "yAxis": {"type": "value", "show": False},
        "series": drawn,
    }


def sized(options: Options) -> Options:
    """Return options with larger words where the chart is tall, as the style sheet makes it on a very wide screen."""
    words = {"fontSize": LARGE}
    parts: Options = {
        "legend": {"textStyle": words}, "tooltip": {"textStyle": words},
        **{axis: {"axisLabel": words, "nameTextStyle": words} for axis in ("xAxis", "yAxis") if axis in options},
    }  # fmt: skip
    return options | {"media": [{"query": {"minHeight": TALL}, "option": parts}]}


def color_of(name: str, place: int) -> str:
    """Return a tier's own colour, else the next of the palette."""
    return SERIES.get(name) or PALETTE[place % len(PALETTE)]
