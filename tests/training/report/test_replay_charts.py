import itertools

import pytest

from x25.training.report.replay_charts import Lines, drift_charts, ladder_chart, line_chart, regret_chart
from x25.training.report.svg import HUES


@pytest.fixture
def drawn(eyes):
    def draw(lines, **more):
        return eyes["chart"](line_chart(Lines("About", "steps", "value", lines, (620, 300), 150, **more)))

    return draw


def curves(drawn):
    """Return the styles of lines that are no grid, no axis and no shade."""
    return [style for style, _ in drawn.lines if float(style.get("stroke-width", 1.0)) in {1.6, 2.4}]


def test_every_line_is_drawn_and_named_at_its_end(drawn):
    found = drawn({"a": [(0, 1), (10, 2)], "b": [(0, 3), (10, 4)]})
    assert len(curves(found)) == 2
    assert found.words["b"][1] < found.words["a"][1]
    assert found.words["a"][0] == found.words["b"][0] > 620 - 150


def test_the_first_line_is_drawn_thicker(drawn):
    widths = [
        style["stroke-width"] for style in curves(drawn({"a": [(0, 1), (1, 2)], "b": [(0, 3), (1, 4)]}))
    ]
    assert sorted(widths) == ["1.6", "2.4"]


def test_names_of_lines_that_end_together_stand_apart(drawn):
    words = drawn({name: [(0, 0), (10, 1)] for name in "abcde"}).words
    heights = sorted(words[name][1] for name in "abcde")
    assert min(high - low for low, high in itertools.pairwise(heights)) >= 11.9


def test_lines_beyond_the_colours_are_grey(drawn):
    found = drawn({f"line {place}": [(0, place), (1, place)] for place in range(len(HUES) + 2)})
    assert sum(style["stroke"] == "var(--soft)" for style in curves(found)) == 2


def test_a_range_may_be_shaded(drawn):
    def shades(**more):
        found = drawn({"a": [(0, 1), (10, 2)]}, **more)
        return [style for style, _ in found.lines if style.get("fill") == "var(--rule)"]

    assert len(shades(shaded=(3, 6))) == 1
    assert shades() == []


def test_one_position_is_no_line():
    assert line_chart(Lines("About", "steps", "value", {"a": [(0, 1)]}, (620, 300), 150)) is None
    assert line_chart(Lines("About", "steps", "value", {}, (620, 300), 150)) is None


def test_a_line_that_stands_still_is_drawn(drawn):
    assert len(curves(drawn({"a": [(5, 1), (5, 1)]}))) == 1


def test_a_curve_that_would_flatten_the_rest_is_left_out_and_named(replay):
    assert regret_chart(replay)[1] == ["random"]
    replay["curves"]["regret"]["random"] = [1.0, 40.0, 80.0]
    assert regret_chart(replay)[1] == []


def test_the_description_of_regret_says_where_each_curve_ends(replay, eyes):
    replay["curves"]["regret"]["random"] = [1.0, 40.0, 80.0]
    label = eyes["chart"](regret_chart(replay)[0]).label
    assert label == "Cumulative regret over steps. At the end: x25 warm 52.4; random 80.0."


def test_a_fixed_model_is_named_without_its_vendor(replay, eyes):
    replay["curves"]["regret"]["always vendor/large-1"] = [1.0, 30.0, 60.0]
    assert "always large-1" in eyes["chart"](regret_chart(replay)[0]).words


def test_a_curve_of_another_length_than_its_steps_is_not_drawn(replay):
    replay["curves"]["regret"] = {"x25 warm": [1.0, 2.0]}
    assert regret_chart(replay) == (None, [])


def test_drift_shows_shares_of_all_learners_and_beliefs_of_the_first(replay):
    titles = [title for title, _ in drift_charts("frontier-worse", replay["drift"]["frontier-worse"])]
    assert titles == ["x25: share of requests", "x25: posterior mean", "x25-classic: share of requests"]


def test_shares_fill_their_axis_and_models_have_short_names(replay, eyes):
    replay["drift"]["frontier-worse"]["x25"]["curves"]["share"]["vendor/a-model-of-a-very-long-name"] = [
        0.1
    ] * 3
    words = eyes["chart"](drift_charts("a", replay["drift"]["frontier-worse"])[0][1]).words
    assert {"0", "1", "small-1", "large-1", "a-model-of-a-ve…"} <= set(words)


def test_the_ladder_shows_what_was_published_where_it_was(replay, eyes):
    assert {"router", "published", "static mixture"} <= set(
        eyes["chart"](ladder_chart(replay["ladder"])).words
    )
    for rung in replay["ladder"]:
        rung["published"] = None
    assert "published" not in eyes["chart"](ladder_chart(replay["ladder"])).words
    assert ladder_chart([]) is None
