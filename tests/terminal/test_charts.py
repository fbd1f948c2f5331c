import json

from x25.terminal import charts


def test_every_chart_is_json_and_keeps_its_values():
    drawn = [
        charts.line(["a", "b"], {"saved": [1, 2], "paid": [3, 4]}, "$"),
        charts.stacked(["a"], {"slm": [1], "x": [2]}, "$"),
        charts.ring({"v/a": 3.0, "v/b": 1.0}, "calls"), charts.bars({"v/a": 3.0, "v/b": 1.0}, "$"),
        charts.densities({"slm": [(0.0, 0.1), (1.0, 1.0)]}),
    ]  # fmt: skip
    assert all(json.loads(json.dumps(one)) == one for one in drawn)
    assert [one["data"] for one in drawn[0]["series"]] == [[1, 2], [3, 4]]
    assert sum(one["value"] for one in drawn[2]["series"][0]["data"]) == 4
    assert drawn[3]["yAxis"]["data"] == ["v/b", "v/a"]
    assert all(one["aria"]["enabled"] for one in drawn)


def test_tiers_have_colours_of_their_own():
    assert charts.color_of("slm", 5) != charts.color_of("frontier", 5)
    assert charts.color_of("v/a", 0) == charts.color_of("v/b", len(charts.PALETTE))


def test_words_are_larger_in_a_tall_chart_and_no_axis_is_made_for_it():
    (of_bars,) = charts.sized(charts.bars({"a": 1.0}, "$"))["media"]
    assert of_bars["query"] == {"minHeight": charts.TALL}
    assert of_bars["option"]["xAxis"]["axisLabel"] == {"fontSize": charts.LARGE}
    (of_ring,) = charts.sized(charts.ring({"a": 1.0}, "calls"))["media"]
    assert of_ring["option"].keys() == {"legend", "tooltip"}
