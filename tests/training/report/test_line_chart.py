import itertools
import re

from x25.training.report.line_chart import COLOURS, Lines, line_chart


def drawn(lines, **more):
    return line_chart(Lines("About", "steps", "value", lines, **more))


def test_every_line_is_drawn_and_named_at_its_end():
    chart = str(drawn({"a": [(0, 1), (10, 2)], "b": [(0, 3), (10, 4)]}))
    assert chart.count("<path") == 2
    assert re.findall(r">([ab])</text>", chart) == ["b", "a"]


def test_names_of_lines_that_end_together_stand_apart():
    chart = str(drawn({name: [(0, 0), (10, 1)] for name in "abcde"}))
    heights = sorted(float(y) for y in re.findall(r'y="([\d.]+)" class="label', chart))
    assert min(high - low for low, high in itertools.pairwise(heights)) >= 11.9


def test_names_do_not_leave_the_drawing_at_the_bottom():
    chart = str(drawn({str(name): [(0, 0), (10, 0)] for name in range(12)}))
    assert max(float(y) for y in re.findall(r'y="([\d.]+)" class="label', chart)) < 300


def test_lines_beyond_the_colours_are_grey():
    chart = str(drawn({str(place): [(0, place), (1, place)] for place in range(COLOURS + 1)}))
    assert chart.count("line hue-rest") == 1


def test_a_range_may_be_shaded():
    assert "shade" in drawn({"a": [(0, 1), (10, 2)]}, shaded=(3, 6))
    assert "shade" not in drawn({"a": [(0, 1), (10, 2)]})


def test_one_position_is_no_line():
    assert drawn({"a": [(0, 1)]}) is None
    assert drawn({}) is None


def test_a_line_that_stands_still_is_drawn():
    assert drawn({"a": [(5, 1), (5, 1)]}) is not None
