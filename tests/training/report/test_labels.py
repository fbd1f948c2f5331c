import itertools
import math

import pytest

from x25.training.report.labels import Label, dense, name_ends, place
from x25.training.report.svg import axes, inline

WIDTH_OF_A_CHARACTER = 6.2


@pytest.fixture
def written(eyes):
    """Return where words stand after something was written on an empty chart of 300 by 300 points."""

    def draw(write):
        figure, drawn = axes((300, 300), (0, 0, 0, 0))
        drawn.set_axis_off()
        write(drawn)
        return eyes["chart"](inline(figure, "A chart")).words

    return draw


def test_labels_do_not_cover_each_other_where_there_is_room(written):
    wanted = [
        Label(text, (100.0 + step, 100.0), "#000001") for step, text in enumerate(("one", "two", "three"))
    ]
    places = written(lambda drawn: place(drawn, wanted, []))
    for (x, y), (other_x, other_y) in itertools.combinations(places.values(), 2):
        assert abs(y - other_y) >= 11.0 or abs(x - other_x) >= 3 * WIDTH_OF_A_CHARACTER


def test_labels_avoid_lines_where_they_can(written):
    line = [(float(x), 100.0) for x in range(100, 300, 5)]
    _, y = written(lambda drawn: place(drawn, [Label("word", (100.0, 100.0), "#000001")], line))["word"]
    assert abs((300 - y) - 100.0) > 6.0


def test_a_label_stays_inside_the_frame(written):
    wanted = [Label("a long label", (295.0, 100.0), "#000001")]
    (x, _), *_ = written(lambda drawn: place(drawn, wanted, [])).values()
    assert x + len("a long label") * WIDTH_OF_A_CHARACTER <= 310.0


def test_a_dense_line_keeps_its_ends_and_closes_its_gaps():
    found = dense([(0.0, 0.0), (30.0, 40.0)])
    assert (found[0], found[-1]) == ((0.0, 0.0), (30.0, 40.0))
    assert max(math.dist(left, right) for left, right in itertools.pairwise(found)) <= 7.0
    assert dense([]) == []


def test_names_at_line_ends_stand_apart_and_inside_the_frame(written):
    ends = [(f"line {place}", 0.0, "#000001") for place in range(12)]
    heights = sorted(y for _, y in written(lambda drawn: name_ends(drawn, ends)).values())
    assert min(high - low for low, high in itertools.pairwise(heights)) >= 11.9
    assert max(heights) < 306.0


def test_names_stand_at_the_height_of_their_lines(written):
    words = written(lambda drawn: name_ends(drawn, [("low", 0.2, "#000001"), ("high", 0.8, "#000001")]))
    assert (words["low"][1], words["high"][1]) == (pytest.approx(244.0, abs=5), pytest.approx(64.0, abs=5))
