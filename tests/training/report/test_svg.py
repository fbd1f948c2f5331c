import itertools
import math

import pytest

from x25.training.report import svg


def test_a_scale_puts_its_ends_at_its_ends_and_the_geometric_mean_in_the_middle():
    linear, log = svg.Scale(0.0, 10.0, 100.0, 0.0), svg.Scale(1.0, 100.0, 0.0, 50.0, is_log=True)
    assert (linear(0.0), linear(10.0), linear(5.0)) == (100.0, 0.0, 50.0)
    assert log(10.0) == pytest.approx(25.0)


@pytest.mark.parametrize("is_log", [False, True])
@pytest.mark.parametrize("values", [[3.0], [0.002, 0.9], [1e-5, 2e-5], [5.0, 5.0]])
def test_a_scale_of_any_values_holds_them_with_room_and_has_ticks(values, is_log):
    found = svg.scale(values, 0.0, 100.0, is_log=is_log)
    assert all(0.0 < found(value) < 100.0 for value in values)
    assert all(found.low <= tick <= found.high for tick in found.ticks())


def test_ticks_are_round_and_evenly_apart():
    assert svg.Scale(0.0, 1.0, 0, 1).ticks() == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert svg.Scale(0.00005, 0.004, 0, 1, is_log=True).ticks() == pytest.approx(
        [0.0001, 0.0003, 0.001, 0.003]
    )


def test_marks_of_all_shapes_have_about_the_same_area():
    def area(shape):
        text = str(svg.marker(shape, (0.0, 0.0), 10.0, "", "t"))
        points = [
            tuple(map(float, one.split(",")))
            for one in text.split('points="')[1].split('"', maxsplit=1)[0].split()
        ]
        pairs = zip(points, points[1:] + points[:1], strict=True)
        return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs)) / 2

    for shape in ("square", "diamond", "triangle"):
        assert area(shape) == pytest.approx(math.pi * 100, rel=0.02)


def test_a_dense_line_keeps_its_ends_and_closes_its_gaps():
    found = svg.dense([(0.0, 0.0), (30.0, 40.0)], gap=7.0)
    assert (found[0], found[-1]) == ((0.0, 0.0), (30.0, 40.0))
    gaps = [math.dist(left, right) for left, right in itertools.pairwise(found)]
    assert max(gaps) <= 7.0
    assert svg.dense([]) == []


def test_labels_do_not_cover_each_other_where_there_is_room():
    wanted = [svg.Label(text, (100.0 + step, 100.0)) for step, text in enumerate(("one", "two", "three"))]
    drawn = str(svg.labels(wanted, (0.0, 0.0, 300.0, 300.0), []))
    heights = [part.split('"')[0] for part in drawn.split(' y="')[1:]]
    places = [part.split('"')[0] for part in drawn.split(' x="')[1:]]
    assert len(set(zip(places, heights, strict=True))) == 3


def test_a_label_stays_inside_the_frame():
    drawn = str(svg.labels([svg.Label("a long label", (295.0, 100.0))], (0.0, 0.0, 300.0, 300.0), []))
    left = float(drawn.split(' x="')[1].split('"', maxsplit=1)[0])
    assert left + 12 * 6.2 <= 300.0


def test_words_in_a_drawing_are_escaped():
    drawn = svg.drawing(10, 10, '"<x>', svg.polyline([(0, 0), (1, 1)], "plan", "<t>"))
    assert "<x>" not in drawn
    assert "<t>" not in drawn


def test_no_line_is_drawn_through_nothing():
    assert svg.polyline([], "plan") == ""


def test_a_frame_names_both_axes():
    axis = svg.Axis(svg.Scale(0, 1, 0, 100), "cost", str)
    drawn = svg.frame(axis, svg.Axis(svg.Scale(0, 1, 100, 0), "score", str))
    assert ">cost<" in drawn
    assert ">score<" in drawn
